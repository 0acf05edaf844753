/** What the ledger's state consists of, as it is handed between execution, storage and sync. */
import type { HashedBlock } from './block.ts'
import type { QuorumCertificate } from './certificates.ts'
import type { Hex32, Nullifier, StateRoot } from './primitives.ts'
import type { ShieldedEntry, ShieldedState } from './shielded.ts'
import type { StakingState } from './staking.ts'
import type { Judgement, RuleFailure, VerdictRecord } from './verdict.ts'
import type { VerdictVoting } from './voting.ts'

/**
 * An append-only list under an SSZ List[Bytes32, 2^32] root, kept as its frontier: the root of every
 * complete subtree on the right edge. `nodes[level]` is set exactly when bit `level` of `size` is.
 */
export interface Frontier {
  readonly size: number
  readonly nodes: readonly (Hex32 | null)[]
}

/** A node of a Merkle tree that shares what did not change with the tree it was made from. */
export interface HashTree {
  /** 32 bytes. */
  readonly hash: Uint8Array
  /** Null for a leaf. */
  readonly children: readonly [HashTree, HashTree] | null
}

/** The hashes of the last 256 blocks below one, as a ring: that of height h is leaf h modulo 256. */
export interface RecentBlocks {
  /** One above the highest height that is in it; 0 before the first. */
  readonly next: number
  /** Depth 8. */
  readonly tree: HashTree
}

/** The accumulators under the state root. */
export interface StateAccumulators {
  /** The ancestors of the block that the next one builds on. */
  readonly recentBlocks: RecentBlocks
  readonly nullifiers: Frontier
  readonly verdicts: Frontier
  readonly shielded: ShieldedState
}

/** Everything that executing one block adds to the state. */
export interface StateChanges {
  readonly nullifiers: readonly Nullifier[]
  /** Shielded transactions, in the order of the block. */
  readonly shieldedEntries: readonly ShieldedEntry[]
  /** Reached in this block, in their order: of requests that earlier blocks hold, where verdicts are tallied. */
  readonly verdicts: readonly VerdictRecord[]
  /** One per validation transaction, in the order of the block. */
  readonly judgements: readonly Judgement[]
  /** After the block. */
  readonly accumulators: StateAccumulators
  /** After the block; the very object of the state before it when the block changes nothing in it. */
  readonly staking: StakingState
  /** After the block; the very object of the state before it when the block changes nothing in it. */
  readonly voting: VerdictVoting
}

/**
 * Figures of one answer, measured by this node when the verdict became final, and kept so that the same
 * question gets the same answer for ever. Local: not part of the state.
 */
export interface AnswerFigures {
  /** Time that this node took to judge the request, microseconds; 0 when it was not there to. */
  readonly validationTimeUs: bigint
  /** From the request's arrival at this node, or its block's, to finality. */
  readonly consensusLatencyMs: bigint
  /** Verdicts made final per second, over the last ten seconds. */
  readonly throughputPerSecond: number
  /** Consensus bytes this node sent and received for the block, divided by its requests. */
  readonly networkOverheadBytes: bigint
  /** Share of the block size limit that the block used, 0 to 1. */
  readonly networkLoad: number
}

/** A final block with all that is written in its one batch. */
export interface FinalizedBlock {
  readonly block: HashedBlock
  /** After the block. */
  readonly stateRoot: StateRoot
  readonly changes: StateChanges
  /** The pre-commit certificate that made it final: on this block or on a descendant. */
  readonly finality: QuorumCertificate
  /**
   * The blocks from this one's child to the certificate's, when this one ends an epoch and became final through a
   * filler (R13): they are no part of the chain, but without them the certificate proves nothing. Else empty.
   */
  readonly fillers: readonly HashedBlock[]
  /** Same order as `changes.verdicts`. */
  readonly answers: readonly AnswerFigures[]
}

/** A verdict with the figures of its answer. */
export interface StoredVerdict {
  readonly record: VerdictRecord
  /** What this node's own rules found; null when it was not there to judge, as after a snapshot. */
  readonly failures: readonly RuleFailure[] | null
  readonly figures: AnswerFigures
}

/** Root of the whole state over its parts (ledger/state-root.ts), for those who only hold the parts. */
export type StateRootOf = (
  accumulators: StateAccumulators,
  staking: StakingState,
  voting: VerdictVoting,
) => StateRoot
