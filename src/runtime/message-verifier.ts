/**
 * Decoded messages become Verified here and nowhere else in the node: every signature checked against the
 * validator set, every certificate a quorum of distinct voters. Says nothing about the rules.
 */
import {
  commitSigningPayload,
  proposalSigningPayload,
  timeoutSigningPayload,
  voteSigningPayload,
} from '../codec/signing-payloads.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import type { CertificateBundle, ConsensusMessage, Proposal } from '../types/messages.ts'
import type { GenesisHash } from '../types/primitives.ts'
import { mintVerified, type Verified } from '../types/verified.ts'
import type { SignatureCheck } from './ports.ts'

/** Certificates that are held already need no second check. */
export type IsHeld = (certificate: QuorumCertificate) => boolean

export class MessageVerifier {
  readonly #genesisHash: GenesisHash
  readonly #electorate: Electorate
  readonly #signatures: SignatureCheck
  readonly #isHeld: IsHeld

  constructor(genesisHash: GenesisHash, electorate: Electorate, signatures: SignatureCheck, isHeld: IsHeld) {
    this.#genesisHash = genesisHash
    this.#electorate = electorate
    this.#signatures = signatures
    this.#isHeld = isHeld
  }

  /** The message as verified, or null when a signature or a quorum does not hold. */
  verify(message: ConsensusMessage): Verified<ConsensusMessage> | null {
    return this.#holds(message) ? mintVerified(message) : null
  }

  /** A certificate by itself, as range sync and announcements carry it. */
  verifyCertificate(certificate: QuorumCertificate): Verified<QuorumCertificate> | null {
    return this.#isCertificate(certificate) ? mintVerified(certificate) : null
  }

  #holds(message: ConsensusMessage): boolean {
    switch (message.kind) {
      case 'proposal':
        return this.#isProposal(message)
      case 'prepare':
      case 'pre-commit': {
        const payload = voteSigningPayload(this.#genesisHash, message)
        return this.#signatures.isValid(message.voter, message.kind, payload, message.signature)
      }
      case 'commit': {
        const payload = commitSigningPayload(this.#genesisHash, message)
        return this.#signatures.isValid(message.voter, 'commit', payload, message.signature)
      }
      case 'timeout': {
        // R10: nobody can hold a certificate of the view it gives up, or of a later one.
        if (message.highQcView >= message.view) return false
        const payload = timeoutSigningPayload(this.#genesisHash, message)
        return this.#signatures.isValid(message.voter, 'timeout', payload, message.signature)
      }
      case 'certificates':
        return this.#isBundle(message)
      case 'certificate-request':
        return true
    }
  }

  #isProposal(proposal: Proposal): boolean {
    const { header, hash } = proposal.block
    const payload = proposalSigningPayload(this.#genesisHash, {
      epoch: header.epoch,
      view: header.view,
      blockHash: hash,
    })
    if (!this.#signatures.isValid(header.proposer, 'proposal', payload, proposal.signature)) return false
    return proposal.timeoutCertificate === null || this.#isTimeoutCertificate(proposal.timeoutCertificate)
  }

  #isBundle(bundle: CertificateBundle): boolean {
    const { highQc, highTc, finality } = bundle
    return (
      (highQc === null || (highQc.kind !== 'commit' && this.#isCertificate(highQc))) &&
      (highTc === null || this.#isTimeoutCertificate(highTc)) &&
      (finality === null || (finality.kind === 'pre-commit' && this.#isCertificate(finality)))
    )
  }

  #isCertificate(certificate: QuorumCertificate): boolean {
    if (certificate.epoch !== this.#electorate.set.epoch) return false
    if (this.#isHeld(certificate)) return true
    const voters = certificate.signatures.map(({ voter }) => voter)
    if (!isStrictlyIncreasing(voters) || this.#electorate.weightOf(voters) < this.#electorate.quorum)
      return false
    const { kind, stateRoot } = certificate
    if ((kind === 'commit') !== (stateRoot !== null)) return false
    const payload =
      stateRoot === null
        ? voteSigningPayload(this.#genesisHash, certificate)
        : commitSigningPayload(this.#genesisHash, { ...certificate, stateRoot })
    return certificate.signatures.every(({ voter, signature }) =>
      this.#signatures.isValid(voter, kind, payload, signature),
    )
  }

  #isTimeoutCertificate(certificate: TimeoutCertificate): boolean {
    const { epoch, view, timeouts, highQc } = certificate
    if (epoch !== this.#electorate.set.epoch || highQc.kind === 'commit') return false
    const voters = timeouts.map(({ voter }) => voter)
    if (!isStrictlyIncreasing(voters) || this.#electorate.weightOf(voters) < this.#electorate.quorum)
      return false
    // The certificate inside proves every reported view; see on-timeout.ts for why a higher one will do.
    if (highQc.view >= view || timeouts.some((timeout) => timeout.highQcView > highQc.view)) return false
    if (highQc.view > 0 && !this.#isCertificate(highQc)) return false
    return timeouts.every(({ voter, highQcView, signature }) =>
      this.#signatures.isValid(
        voter,
        'timeout',
        timeoutSigningPayload(this.#genesisHash, { epoch, view, highQcView }),
        signature,
      ),
    )
  }
}

/** Distinct voters in the one canonical order. */
function isStrictlyIncreasing(voters: readonly number[]): boolean {
  return voters.every((voter, i) => i === 0 || (voters[i - 1] ?? 0) < voter)
}
