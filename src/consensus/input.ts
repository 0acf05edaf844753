/** Everything that can happen to a replica. It is told, never asks: answers to its effects come back as inputs. */
import type { Ballots } from '../types/ballots.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { ConsensusMessage, Vote } from '../types/messages.ts'
import type {
  BlockHash,
  Height,
  MonotonicMs,
  StateRoot,
  UnixMs,
  ValidatorIndex,
  View,
} from '../types/primitives.ts'
import type { Verified } from '../types/verified.ts'
import type { SignRequest, TimerName } from './effect.ts'

/** When an input happened: for timers, and for judging a block's time when voting. */
export interface Instant {
  readonly monotonicMs: MonotonicMs
  readonly unixMs: UnixMs
}

/** What executing a block told. */
export interface ExecutionOutcome {
  /** After the block. */
  readonly stateRoot: StateRoot
  /** Who does not weigh in verdicts in the period that begins after the block; null when none begins. */
  readonly weightless: readonly ValidatorIndex[] | null
  /** Nobody waits for this block to be final before the next one is, and the next one comes without being asked for. */
  readonly isFinalWithNext: boolean
}

/** A block of our own, executed, with the votes that the commits in it are from. */
export interface BuiltBlock extends ExecutionOutcome {
  readonly block: HashedBlock
  readonly ballotVotes: readonly Vote[]
}

/**
 * What a block could hold and a leader waits for: late votes, openings of a quorum for what its parent closed, or when
 * those are there the others.
 */
export type MissingBallots = 'ballots-missing' | 'openings-missing' | 'openings-late'

export type ConsensusInput =
  /** First input, once. */
  | { readonly kind: 'started' }
  /** A message whose signatures have been checked. `from` is the validator at the other end of the channel. */
  | {
      readonly kind: 'message-received'
      readonly from: ValidatorIndex
      readonly message: Verified<ConsensusMessage>
    }
  /** Answer to `yield`. */
  | { readonly kind: 'resumed' }
  | { readonly kind: 'timer-expired'; readonly timer: TimerName; readonly view: View }
  /** Answer to `sign`; a vote or proposal is signed with the ballots that go with it, anything else with none. */
  | {
      readonly kind: 'signed'
      readonly request: SignRequest
      readonly signature: Uint8Array
      readonly ballots: Ballots
    }
  /**
   * Answer to `build-block`: null when there was nothing to put into one and it may not be empty; what is missing when
   * there are ballots for it that have not come yet, and it may be asked for again.
   */
  | {
      readonly kind: 'block-built'
      readonly view: View
      readonly built: BuiltBlock | MissingBallots | null
    }
  /** Answer to `open-ballots`: our own openings are there for our block. */
  | { readonly kind: 'ballots-opened' }
  /** Answer to `check-block`: executed on its branch, with the state after it, or the rule it breaks. */
  | {
      readonly kind: 'block-checked'
      readonly blockHash: BlockHash
      readonly outcome:
        | ({ readonly ok: true } & ExecutionOutcome)
        | { readonly ok: false; readonly code: string }
    }
  /** Answer to `finalize`: the batch with this block and its ancestors is durable. */
  | {
      readonly kind: 'blocks-committed'
      readonly view: View
      readonly height: Height
      readonly timestamp: UnixMs
      readonly blockHash: BlockHash
      readonly stateRoot: StateRoot
    }
  /** Blocks that were asked for, or final blocks that were announced, with the certificate if one came along. */
  | {
      readonly kind: 'blocks-received'
      readonly blocks: readonly HashedBlock[]
      readonly finality: Verified<QuorumCertificate> | null
    }
  /** A transaction has come that no block of ours has had yet. */
  | { readonly kind: 'work-arrived' }
  /** No transaction is waiting or unfinal any more. */
  | { readonly kind: 'work-exhausted' }
  | {
      readonly kind: 'reachability-changed'
      readonly validator: ValidatorIndex
      readonly isReachable: boolean
    }
