/**
 * Everything a replica can ask for. Effects are performed in list order, and nothing that follows a
 * `persist` leaves the process before that record is durable (S0).
 */
import type { CertificateReference, HashedBlock } from '../types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import type { SignedContent, SlashableKind } from '../types/evidence.ts'
import type { CommitVote, ConsensusMessage, Proposal, Timeout, Vote } from '../types/messages.ts'
import type { BlockHash, Epoch, Height, StateRoot, ValidatorIndex, View } from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'
import type { Verified } from '../types/verified.ts'

/** One running timer each; setting it again replaces it. */
export type TimerName = 'view' | 'propose' | 'timeout-repeat' | 'commit-repeat' | 'fetch'

/** What to sign. The payload's bytes are codec/signing-payloads.ts of these fields. */
export type SignRequest =
  /** Signed as the prepare vote for the block: with commits, and never with openings. */
  | {
      readonly kind: 'proposal'
      readonly epoch: Epoch
      readonly view: View
      readonly block: HashedBlock
      readonly timeoutCertificate: TimeoutCertificate | null
      readonly ballotVotes: readonly Vote[]
    }
  | {
      readonly kind: 'prepare' | 'pre-commit'
      readonly epoch: Epoch
      readonly view: View
      readonly height: Height
      readonly blockHash: BlockHash
    }
  | {
      readonly kind: 'commit'
      readonly epoch: Epoch
      readonly view: View
      readonly height: Height
      readonly blockHash: BlockHash
      readonly stateRoot: StateRoot
    }
  | { readonly kind: 'timeout'; readonly epoch: Epoch; readonly view: View; readonly highQcView: View }

/** What a validator says to all others. */
export type BroadcastMessage = Proposal | Vote | CommitVote | Timeout

export type ConsensusEffect =
  | { readonly kind: 'sign'; readonly request: SignRequest }
  /** `resumed` when what leaves in this turn has left. */
  | { readonly kind: 'yield' }
  | { readonly kind: 'persist'; readonly record: SafetyRecord }
  /**
   * To every other validator, to `first` before the others: all wait for what that one makes of it. `isUrgent` false: may
   * wait for the next message to ride with.
   */
  | {
      readonly kind: 'broadcast'
      readonly message: BroadcastMessage
      readonly isUrgent: boolean
      readonly first: ValidatorIndex | null
    }
  | { readonly kind: 'send'; readonly to: ValidatorIndex; readonly message: ConsensusMessage }
  | { readonly kind: 'set-timer'; readonly timer: TimerName; readonly view: View; readonly delayMs: number }
  | { readonly kind: 'cancel-timer'; readonly timer: TimerName }
  | {
      readonly kind: 'build-block'
      readonly view: View
      readonly epoch: Epoch
      readonly parent: HashedBlock
      readonly justify: CertificateReference
      readonly isEmptyAllowed: boolean
      /** Whether the answer may be that ballots are still missing: a leader waits for late votes a moment. */
      readonly mayAwaitBallots: boolean
      /** The same of openings of what the parent closed, when the block would hold nothing else. */
      readonly awaitedOpenings: 'all' | 'quorum' | 'none'
    }
  /** Execute on the parent's branch and compare with the header. The parent has been checked before. */
  | { readonly kind: 'check-block'; readonly block: HashedBlock; readonly parent: HashedBlock }
  /**
   * Write these, in order, each in one atomic batch. All have been checked. `fillers` lead from the last of them,
   * the end of the epoch, to the certificate's block; they are no part of the chain, only of the proof (R13).
   */
  | {
      readonly kind: 'finalize'
      readonly blocks: readonly HashedBlock[]
      readonly fillers: readonly HashedBlock[]
      readonly certificate: Verified<QuorumCertificate>
    }
  /** Open to the leader of the view what our commits on the branch of this final block are of. */
  | {
      readonly kind: 'open-ballots'
      readonly to: ValidatorIndex
      readonly blockHash: BlockHash
      readonly height: Height
    }
  /** R12: a validator signed two contents for one slot, and here they are. */
  | {
      readonly kind: 'report-equivocation'
      readonly slashable: SlashableKind
      readonly epoch: Epoch
      readonly view: View
      readonly validator: ValidatorIndex
      readonly one: SignedContent
      readonly other: SignedContent
    }
  /** The state after a block is certified: keep the certificate. */
  | { readonly kind: 'store-commit-certificate'; readonly certificate: QuorumCertificate }
  /** One block by hash; `from` is who should have it. */
  | { readonly kind: 'fetch-block'; readonly blockHash: BlockHash; readonly from: ValidatorIndex | null }
  /** Final blocks above ours up to this one: its certificate is verified. */
  | { readonly kind: 'sync'; readonly target: { readonly height: Height; readonly blockHash: BlockHash } }
  /** Stop the process: going on could make it worse. `dump` is for a person. */
  | {
      readonly kind: 'halt'
      readonly reason: 'accountable-fork' | 'state-divergence' | 'final-block-invalid'
      readonly dump: object
    }
