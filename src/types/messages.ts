/** What replicas say to each other. Signatures are ML-DSA-65 over the payloads of codec/signing-payloads.ts. */
import type { BallotCommit, BallotOpening, Ballots } from './ballots.ts'
import type { CertificateReference, HashedBlock } from './block.ts'
import type { QuorumCertificate, TimeoutCertificate } from './certificates.ts'
import type { BlockHash, Epoch, Height, StateRoot, ValidatorIndex, View } from './primitives.ts'

/**
 * A leader's block for its view, with the leader's prepare vote for it: that is the signature of a proposal, and it has
 * no other. After a failed view the timeout certificate that entered this one is attached, and not signed: it proves
 * itself.
 */
export interface Proposal {
  readonly kind: 'proposal'
  readonly block: HashedBlock
  readonly timeoutCertificate: TimeoutCertificate | null
  /** Prepare votes that the commits in the block are from, in order of voter: nobody commits for another. */
  readonly ballotVotes: readonly Vote[]
  /** Of the proposer's prepare vote for the block. */
  readonly signature: Uint8Array
  /** That vote's commits. It has no openings: they are not signed, and whoever passed the proposal on could change them. */
  readonly commits: readonly BallotCommit[]
}

/** The prepare vote that a proposal is, as good as one that came by itself. */
export function voteOfProposal({ block, signature, commits }: Proposal): Vote {
  const { epoch, view, height, proposer } = block.header
  const ballots = { commits, openings: [] }
  return { kind: 'prepare', epoch, view, height, blockHash: block.hash, voter: proposer, signature, ballots }
}

/** A prepare or pre-commit vote. */
export interface Vote {
  readonly kind: 'prepare' | 'pre-commit'
  readonly epoch: Epoch
  readonly view: View
  readonly height: Height
  readonly blockHash: BlockHash
  readonly voter: ValidatorIndex
  readonly signature: Uint8Array
  /** A prepare vote signs its commits too; openings need no signature. */
  readonly ballots: Ballots
}

/**
 * What the sender's commits were of, to the leader whose block may hold it first. Unsigned: only who made a commit knew
 * its salt. Whoever does not get it here hears it in votes.
 */
export interface Openings {
  readonly kind: 'openings'
  readonly epoch: Epoch
  /** The sender, in the set of that epoch. */
  readonly voter: ValidatorIndex
  readonly openings: readonly BallotOpening[]
}

/** A vote over the state after executing a final block (R7). */
export interface CommitVote {
  readonly kind: 'commit'
  readonly epoch: Epoch
  readonly view: View
  readonly height: Height
  readonly blockHash: BlockHash
  readonly stateRoot: StateRoot
  readonly voter: ValidatorIndex
  readonly signature: Uint8Array
}

/** "I give up on this view." The references are not signed: they only say what to fetch. */
export interface Timeout {
  readonly kind: 'timeout'
  readonly epoch: Epoch
  readonly view: View
  /** View of the sender's highest prepare certificate: the h of TIMEOUT(v, h). */
  readonly highQcView: View
  readonly voter: ValidatorIndex
  readonly signature: Uint8Array
  readonly highQc: CertificateReference
  readonly final: { readonly height: Height; readonly blockHash: BlockHash }
}

/** Certificates sent to one who lacks them (R10, R11). Each at most once. */
export interface CertificateBundle {
  readonly kind: 'certificates'
  readonly highQc: QuorumCertificate | null
  readonly highTc: TimeoutCertificate | null
  readonly finality: QuorumCertificate | null
}

/** Asks for the sender's highest certificates. */
export interface CertificateRequestMessage {
  readonly kind: 'certificate-request'
  /** The asker's current view: what is below is of no use to it. */
  readonly view: View
}

export type ConsensusMessage =
  | Proposal
  | Vote
  | Openings
  | CommitVote
  | Timeout
  | CertificateBundle
  | CertificateRequestMessage
