/**
 * Whether a certificate is a quorum's of a set that is given: what a light client asks, and whoever takes a snapshot
 * or follows hand-overs (hand-over.ts). The node's own consensus checks its current validators' in
 * runtime/message-verifier.ts, which knows what it holds already.
 */
import { certificateSigningPayload } from '../codec/signing-payloads.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { GenesisHash } from '../types/primitives.ts'
import type { VerifySignature } from '../types/signatures.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { CertificateCheck } from './snapshot-check.ts'

/** Distinct voters in ascending order with more than two thirds of the stake, every signature true. */
export function quorumCheck(genesisHash: GenesisHash, verifySignature: VerifySignature): CertificateCheck {
  return (certificate, { epoch, validators }: ValidatorSet) => {
    const { kind, signatures } = certificate
    if (!isWellFormed(certificate) || certificate.epoch !== epoch) return false
    // A set that a peer made up may hold anything; without stake it is none.
    if (validators.some(({ stake }) => stake <= 0n)) return false
    let weight = 0n
    let last = -1
    for (const { voter, signature, commits } of signatures) {
      const validator = validators[voter]
      if (validator === undefined || voter <= last) return false
      const payload = certificateSigningPayload(genesisHash, certificate, commits)
      if (!verifySignature(validator.publicKey, payload, signature, kind)) return false
      weight += validator.stake
      last = voter
    }
    const total = validators.reduce((sum, { stake }) => sum + stake, 0n)
    // Q of consensus/README.md: above two thirds.
    return 3n * weight > 2n * total
  }
}

/** It names a state exactly when it must, and only prepare votes sign for commits. */
function isWellFormed({ kind, stateRoot, signatures }: QuorumCertificate): boolean {
  if ((kind === 'commit') !== (stateRoot !== null)) return false
  return kind === 'prepare' || signatures.every(({ commits }) => commits === null)
}
