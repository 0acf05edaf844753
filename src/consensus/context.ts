/**
 * What the handlers of one step share: the replica's state, the instant, and the two lists the step returns.
 * Handlers record facts; duties.ts derives from them what is to be done.
 */
import type { BallotCommit } from '../types/ballots.ts'
import type { HashedBlock } from '../types/block.ts'
import type { ChainParameters } from '../types/genesis.ts'
import type { CommitVote, Proposal, Timeout } from '../types/messages.ts'
import {
  asView,
  type BlockHash,
  type Epoch,
  type Height,
  type Hex32,
  type MonotonicMs,
  type StateRoot,
  type UnixMs,
  type ValidatorIndex,
  type View,
} from '../types/primitives.ts'
import type { Verified } from '../types/verified.ts'
import type { BlockTree } from './block-tree.ts'
import type { CertificateStore } from './certificate-store.ts'
import type { BroadcastMessage, ConsensusEffect } from './effect.ts'
import type { ConsensusEvent } from './event.ts'
import type { Instant } from './input.ts'
import type { KeptBlocks } from './kept-blocks.ts'
import type { LeaderElection } from './leader-election.ts'
import type { Pacemaker } from './pacemaker.ts'
import type { SafetyState } from './safety.ts'
import type { TimeoutAggregator } from './timeout-aggregator.ts'
import type { Electorate } from './validator-set.ts'
import type { VoteAggregator } from './vote-aggregator.ts'

/** R16: messages are kept for views from this far below the current one … */
export const WINDOW_BELOW = 3
/** … to this far above it. One proposal and a few votes per view: bounded by the validator set. */
export const WINDOW_ABOVE = 64
/** Commit votes are kept this many heights around the last final block. */
export const COMMIT_WINDOW = 256

/** Where the leader of the current view stands with its proposal. */
export type ProposalStage =
  | 'not-started'
  | 'gathering'
  | 'building'
  | 'awaiting-ballots'
  | 'waiting-for-work'
  | 'done'

/** Ballots that came in votes after the quorum of the last view that had any. */
export interface LateBallots {
  readonly view: View
  readonly quorumAt: MonotonicMs
  /** From the quorum to the last of them so far; 0 for none. */
  readonly lagMs: number
}

export interface ReplicaState {
  /** Null for a node that follows without voting. */
  readonly self: ValidatorIndex | null
  readonly epoch: Epoch
  /** Height of the epoch's last block; null when it has none (R13). */
  readonly epochEnd: Height | null
  readonly parameters: ChainParameters
  readonly electorate: Electorate
  readonly leaders: LeaderElection
  readonly pacemaker: Pacemaker
  readonly safety: SafetyState
  readonly tree: BlockTree
  readonly keptBlocks: KeptBlocks
  readonly certificates: CertificateStore
  readonly prepareVotes: VoteAggregator
  readonly preCommitVotes: VoteAggregator
  readonly commitVotes: VoteAggregator
  readonly timeouts: TimeoutAggregator
  /** First proposal of each view in the window. */
  readonly proposals: Map<View, Verified<Proposal>>
  /** Views whose leader was seen to propose twice. */
  readonly equivocalViews: Set<View>
  /** Timeouts that report a certificate we have not seen (R10); the latest of each sender. */
  readonly unprovenTimeouts: Map<ValidatorIndex, Verified<Timeout>>
  /** Our commit votes' latest, for a peer that reconnects. */
  lastCommitVote: CommitVote | null
  /** Our own states at recent heights, to notice divergence (R7). */
  readonly committed: Map<Height, { readonly blockHash: BlockHash; readonly stateRoot: StateRoot }>
  certifiedHeight: Height
  /** Height and time of the last block that is final and durable. */
  committedHeight: Height
  committedTime: UnixMs
  readonly unreachable: Set<ValidatorIndex>
  view: View
  viewEnteredAt: MonotonicMs
  /** When a block was last certified, or this replica started: from here the heartbeat counts. */
  quietSince: MonotonicMs
  /** When there began to be something to do in this view; null while idle. */
  activeSince: MonotonicMs | null
  hasWork: boolean
  /** Nothing has become final since the start: the first block is not put off, it shows that there is a quorum. */
  isStarting: boolean
  proposalStage: ProposalStage
  /** Asked for, and not come: the turn in which a leader pre-commits (duty-vote). */
  isYielding: boolean
  /** It has come since the view was entered, or the proposal made. */
  hasYielded: boolean
  /** When a block of this epoch became final last; null before the first. */
  finalAt: MonotonicMs | null
  /** Messages with openings that each validator has sent in this view. */
  readonly openingsHeard: Map<ValidatorIndex, number>
  /** Since when the leader of this view has had openings of a quorum and waits for the others; null before. */
  openingsLateSince: MonotonicMs | null
  /** Null until a quorum of prepare votes with ballots was seen. */
  lateBallots: LateBallots | null
  /** An empty block is due in this view. */
  isEmptyDue: boolean
  /** The view whose proposal was refused, so that the refusal is told once. */
  refusedView: View
  timeoutRepeats: number
  isFetchTimerSet: boolean
  /** Highest block for which a range sync has been asked. */
  syncTarget: Height
  readonly lastReplyAt: Map<ValidatorIndex, MonotonicMs>
  readonly lastRequestAt: Map<ValidatorIndex, MonotonicMs>
  /** The epoch's last block is final: nothing is proposed, prepared, pre-committed or given up any more (R13). */
  isEpochOver: boolean
  /** How often our commit vote over the epoch's last block was said again. */
  commitRepeats: number
  isHalted: boolean
}

/** What a prepare vote signs for the commits that it carries; null for none. The core knows no bytes. */
export type CommitsDigest = (commits: readonly BallotCommit[]) => Hex32 | null

export class StepContext {
  readonly state: ReplicaState
  readonly now: Instant
  readonly commitsDigest: CommitsDigest
  readonly effects: ConsensusEffect[] = []
  readonly events: ConsensusEvent[] = []

  constructor(state: ReplicaState, now: Instant, commitsDigest: CommitsDigest) {
    this.state = state
    this.now = now
    this.commitsDigest = commitsDigest
  }

  perform(effect: ConsensusEffect): void {
    this.effects.push(effect)
  }

  /**
   * Says it to everybody, the leader of the next view first: everybody waits for its proposal, which needs this one's
   * votes. Nobody waits for a commit vote.
   */
  broadcast(message: BroadcastMessage): void {
    if (message.kind === 'commit') {
      this.perform({ kind: 'broadcast', message, isUrgent: false, first: null })
      return
    }
    const view = message.kind === 'proposal' ? message.block.header.view : message.view
    this.perform({ kind: 'broadcast', message, isUrgent: true, first: this.leaderOf(asView(view + 1)) })
  }

  report(event: ConsensusEvent): void {
    this.events.push(event)
  }

  leaderOf(view: View): ValidatorIndex {
    return this.state.leaders.leaderOf(view)
  }

  get isLeader(): boolean {
    return this.state.self !== null && this.leaderOf(this.state.view) === this.state.self
  }

  /** Whether a block of this height ends the epoch, or is a filler after its end (R13). */
  isAtEpochEnd(height: Height): boolean {
    const { epochEnd } = this.state
    return epochEnd !== null && height >= epochEnd
  }

  /** Last final block. */
  get final(): HashedBlock {
    return this.state.tree.root
  }

  /** Milliseconds of the monotonic clock since `then`. */
  since(then: MonotonicMs): number {
    return this.now.monotonicMs - then
  }

  /** Stops the replica: nothing it said so far is taken back, nothing more is said. */
  halt(reason: (ConsensusEffect & { kind: 'halt' })['reason'], dump: object): void {
    this.state.isHalted = true
    this.perform({ kind: 'halt', reason, dump })
  }
}
