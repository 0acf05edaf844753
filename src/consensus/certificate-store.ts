/**
 * The verified certificates a replica holds: by block for whatever may still be built on, and the highest of
 * each kind. R0: a pre-commit certificate stands for the prepare certificate of the same block.
 */
import type { CertificateReference } from '../types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import type { BlockHash, Height, View } from '../types/primitives.ts'
import type { Verified } from '../types/verified.ts'

/** Finality certificates kept for blocks that have not arrived yet. */
const PENDING_FINALITY_MAX = 16

export class CertificateStore {
  #highQc: Verified<QuorumCertificate>
  #highTc: Verified<TimeoutCertificate> | null
  #finality: Verified<QuorumCertificate> | null
  readonly #byBlock = new Map<BlockHash, Verified<QuorumCertificate>>()
  #pendingFinality: Verified<QuorumCertificate>[] = []

  /** @param finality certificate of the last final block; null at genesis */
  constructor(
    highQc: Verified<QuorumCertificate>,
    highTc: Verified<TimeoutCertificate> | null,
    finality: Verified<QuorumCertificate> | null,
  ) {
    this.#highQc = highQc
    this.#highTc = highTc
    this.#finality = finality
    this.#byBlock.set(highQc.blockHash, highQc)
    if (finality !== null) this.#byBlock.set(finality.blockHash, finality)
  }

  /** Prepare certificate of the highest view: the lock (R4). */
  get highQc(): Verified<QuorumCertificate> {
    return this.#highQc
  }
  get highTc(): Verified<TimeoutCertificate> | null {
    return this.#highTc
  }
  /** Pre-commit certificate of the last final block, or null at genesis. */
  get finality(): Verified<QuorumCertificate> | null {
    return this.#finality
  }

  /** The certificate for exactly this view and block, or null. */
  get(reference: CertificateReference): Verified<QuorumCertificate> | null {
    const certificate = this.#byBlock.get(reference.blockHash)
    return certificate?.view === reference.view ? certificate : null
  }

  /** Whether a certificate for exactly this view and block is held. */
  holds(reference: CertificateReference): boolean {
    return this.get(reference) !== null
  }

  /** R4: keeps a prepare (or pre-commit, R0) certificate; true when it is the new highest. */
  add(certificate: Verified<QuorumCertificate>): boolean {
    const known = this.#byBlock.get(certificate.blockHash)
    if (known === undefined || known.kind === 'prepare') this.#byBlock.set(certificate.blockHash, certificate)
    if (certificate.view <= this.#highQc.view) return false
    this.#highQc = certificate
    return true
  }

  /** Keeps a timeout certificate; true when it is the new highest. */
  addTimeout(certificate: Verified<TimeoutCertificate>): boolean {
    if (this.#highTc !== null && certificate.view <= this.#highTc.view) return false
    this.#highTc = certificate
    return true
  }

  /** Finality certificates whose blocks are still to come, lowest first. */
  get pendingFinality(): readonly Verified<QuorumCertificate>[] {
    return this.#pendingFinality
  }

  /** Remembers that a block is final before it is here. When there are too many, one in the middle goes. */
  addPendingFinality(certificate: Verified<QuorumCertificate>): void {
    if (this.#pendingFinality.some((known) => known.blockHash === certificate.blockHash)) return
    this.#pendingFinality.push(certificate)
    this.#pendingFinality.sort((a, b) => a.height - b.height)
    if (this.#pendingFinality.length > PENDING_FINALITY_MAX) this.#pendingFinality.splice(-2, 1)
  }

  /** A block became final by this certificate: what is at or below it needs no certificates of its own. */
  finalized(certificate: Verified<QuorumCertificate>, height: Height, view: View): void {
    this.#finality = certificate
    this.#pendingFinality = this.#pendingFinality.filter((known) => known.height > height)
    for (const [hash, known] of this.#byBlock) {
      if (known.view < view && hash !== this.#highQc.blockHash) this.#byBlock.delete(hash)
    }
  }
}
