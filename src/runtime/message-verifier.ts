/**
 * Decoded messages become Verified here and nowhere else in the node: every signature checked against the
 * validator set, every certificate a quorum of distinct voters. Says nothing about the rules.
 */
import {
  certificateSigningPayload,
  commitSigningPayload,
  signedVotePayload,
  timeoutSigningPayload,
} from '../codec/signing-payloads.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import { type BallotCommit, compareSlots } from '../types/ballots.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import {
  type CertificateBundle,
  type ConsensusMessage,
  type Proposal,
  type Vote,
  voteOfProposal,
} from '../types/messages.ts'
import type { GenesisHash, ValidatorIndex } from '../types/primitives.ts'
import { mintVerified, type Verified } from '../types/verified.ts'
import type { SignatureCheck } from './ports.ts'

/**
 * The certificate that is held for the same view and block, or null. It needs no second check, and it is used in
 * place of the one that came: equal references say nothing about the signatures and the height beside them.
 */
export type FindHeld = (certificate: QuorumCertificate) => QuorumCertificate | null

/** Told of everything that verified. */
export type OnVerified = (verified: ConsensusMessage | QuorumCertificate) => void

export class MessageVerifier {
  readonly #genesisHash: GenesisHash
  readonly #electorate: Electorate
  readonly #signatures: SignatureCheck
  readonly #findHeld: FindHeld
  readonly #onVerified: OnVerified
  readonly #root: HashedBlock | null

  /** @param root what the epoch's first block builds on, whose certificate needs no signatures; null when it is long past */
  constructor(
    genesisHash: GenesisHash,
    electorate: Electorate,
    signatures: SignatureCheck,
    findHeld: FindHeld,
    root: HashedBlock | null,
    onVerified: OnVerified = () => undefined,
  ) {
    this.#genesisHash = genesisHash
    this.#electorate = electorate
    this.#signatures = signatures
    this.#findHeld = findHeld
    this.#onVerified = onVerified
    this.#root = root
  }

  /** The message as verified, or null when a signature or a quorum does not hold. */
  verify(message: ConsensusMessage): Verified<ConsensusMessage> | null {
    return this.#mint(this.#check(message))
  }

  /** A certificate by itself, as range sync and announcements carry it. */
  verifyCertificate(certificate: QuorumCertificate): Verified<QuorumCertificate> | null {
    return this.#mint(this.#checkCertificate(certificate))
  }

  #mint<T extends ConsensusMessage | QuorumCertificate>(checked: T | null): Verified<T> | null {
    if (checked === null) return null
    this.#onVerified(checked)
    return mintVerified(checked)
  }

  #check(message: ConsensusMessage): ConsensusMessage | null {
    switch (message.kind) {
      case 'proposal':
        return this.#checkProposal(message)
      case 'prepare':
      case 'pre-commit': {
        return this.#isVoteValid(message) ? message : null
      }
      case 'commit': {
        const payload = commitSigningPayload(this.#genesisHash, message)
        return this.#signatures.isValid(message.voter, 'commit', payload, message.signature) ? message : null
      }
      case 'timeout': {
        // R10: nobody can hold a certificate of the view it gives up, or of a later one.
        if (message.highQcView >= message.view) return null
        const payload = timeoutSigningPayload(this.#genesisHash, message)
        return this.#signatures.isValid(message.voter, 'timeout', payload, message.signature) ? message : null
      }
      case 'certificates':
        return this.#checkBundle(message)
      case 'openings':
      case 'certificate-request':
        return message
    }
  }

  #checkProposal(proposal: Proposal): Proposal | null {
    if (!this.#isVoteValid(voteOfProposal(proposal))) return null
    if (!this.#areCommitsVouchedFor(proposal)) return null
    if (proposal.timeoutCertificate === null) return proposal
    const timeoutCertificate = this.#checkTimeoutCertificate(proposal.timeoutCertificate)
    return timeoutCertificate === null ? null : { ...proposal, timeoutCertificate }
  }

  #isVoteValid(vote: Vote): boolean {
    const { kind, voter, ballots, signature } = vote
    if (kind === 'pre-commit' && ballots.commits.length > 0) return false
    // One commit for each slot of a branch: or one vote could say two things about one.
    if (!areSlotsIncreasing(ballots.commits)) return false
    return this.#signatures.isValid(voter, kind, signedVotePayload(this.#genesisHash, vote), signature)
  }

  /** Nobody commits for another: each commit in a block is in a prepare vote of its voter that comes with the proposal. */
  #areCommitsVouchedFor({ block, ballotVotes }: Proposal): boolean {
    const { epoch } = this.#electorate.set
    if (!isStrictlyIncreasing(ballotVotes.map(({ voter }) => voter))) return false
    const vouched = new Map<ValidatorIndex, ReadonlySet<string>>()
    for (const vote of ballotVotes) {
      if (vote.kind !== 'prepare' || vote.epoch !== epoch || !this.#isVoteValid(vote)) return false
      vouched.set(vote.voter, new Set(vote.ballots.commits.map(commitName)))
    }
    const [first] = block.transactions
    if (first?.transaction.kind !== 'ballots') return true
    return first.transaction.commits.every(
      (commit) => vouched.get(commit.voter)?.has(commitName(commit)) === true,
    )
  }

  /** One wrong part refuses all: an honest sender has checked each. */
  #checkBundle(bundle: CertificateBundle): CertificateBundle | null {
    const { kind } = bundle
    if (bundle.highQc?.kind === 'commit') return null
    if (bundle.finality !== null && bundle.finality.kind !== 'pre-commit') return null
    const highQc = bundle.highQc && this.#checkCertificate(bundle.highQc)
    const highTc = bundle.highTc && this.#checkTimeoutCertificate(bundle.highTc)
    const finality = bundle.finality && this.#checkCertificate(bundle.finality)
    const isWhole =
      (highQc === null) === (bundle.highQc === null) &&
      (highTc === null) === (bundle.highTc === null) &&
      (finality === null) === (bundle.finality === null)
    return isWhole ? { kind, highQc, highTc, finality } : null
  }

  /** The certificate, or the held one of the same view and block in its place. */
  #checkCertificate(certificate: QuorumCertificate): QuorumCertificate | null {
    const { epoch, kind, stateRoot, signatures } = certificate
    if (epoch !== this.#electorate.set.epoch) return null
    const held = kind === 'prepare' ? this.#findHeld(certificate) : null
    if (held !== null) return held
    const voters = signatures.map(({ voter }) => voter)
    if (!this.#isQuorum(voters) || (kind === 'commit') !== (stateRoot !== null)) return null
    const isSigned = signatures.every(({ voter, signature, commits }) => {
      if (kind !== 'prepare' && commits !== null) return false
      const payload = certificateSigningPayload(this.#genesisHash, certificate, commits)
      return this.#signatures.isValid(voter, kind, payload, signature)
    })
    return isSigned ? certificate : null
  }

  #checkTimeoutCertificate(certificate: TimeoutCertificate): TimeoutCertificate | null {
    const { epoch, view, timeouts, highQc } = certificate
    if (epoch !== this.#electorate.set.epoch || highQc.kind === 'commit') return null
    if (!this.#isQuorum(timeouts.map(({ voter }) => voter))) return null
    // The certificate inside proves every reported view; see on-timeout.ts for why a higher one will do.
    if (highQc.view >= view || timeouts.some((timeout) => timeout.highQcView > highQc.view)) return null
    const checked = this.#isOfRoot(highQc) ? highQc : this.#checkCertificate(highQc)
    if (checked === null) return null
    const isSigned = timeouts.every(({ voter, highQcView, signature }) =>
      this.#signatures.isValid(
        voter,
        'timeout',
        timeoutSigningPayload(this.#genesisHash, { epoch, view, highQcView }),
        signature,
      ),
    )
    return isSigned ? { epoch, view, timeouts, highQc: checked } : null
  }

  /** The epoch's root needs no signatures, so its certificate carries none; the core takes nothing from it. */
  #isOfRoot({ kind, view, height, blockHash, stateRoot, signatures }: QuorumCertificate): boolean {
    const root = this.#root
    if (root === null || kind !== 'prepare' || stateRoot !== null || signatures.length > 0) return false
    return view === root.header.view && height === root.header.height && blockHash === root.hash
  }

  #isQuorum(voters: readonly ValidatorIndex[]): boolean {
    return isStrictlyIncreasing(voters) && this.#electorate.weightOf(voters) >= this.#electorate.quorum
  }
}

const commitName = ({ height, blockHash, round, commit }: BallotCommit): string =>
  `${height}:${round}:${blockHash}:${commit}`

/** Distinct voters in the one canonical order. */
function isStrictlyIncreasing(voters: readonly number[]): boolean {
  return voters.every((voter, i) => i === 0 || (voters[i - 1] ?? 0) < voter)
}

function areSlotsIncreasing(commits: readonly BallotCommit[]): boolean {
  return commits.every((commit, i) => {
    const before = commits[i - 1]
    return before === undefined || compareSlots(before, commit) < 0
  })
}
