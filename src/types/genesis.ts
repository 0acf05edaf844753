/** Whatever must be equal on all nodes from the start. Its hash is the network's identity. */
import type { ConsensusChoice } from './pow.ts'
import type { UnixMs } from './primitives.ts'
import type { Validator } from './validator-set.ts'

/** Rules of the chain, in milliseconds and bytes. */
export interface ChainParameters {
  /** Without work, a block at least this often. 0: blocks back to back. */
  readonly heartbeatMs: number
  /** Bounds of the view timer (R15). */
  readonly viewTimeoutMinMs: number
  readonly viewTimeoutMaxMs: number
  /** Timer of a view whose leader we have no connection to. */
  readonly unreachableLeaderTimeoutMs: number
  /** A voter refuses a block whose time is this far ahead of its own clock. */
  readonly clockSkewMaxMs: number
  /** Canonical bytes of a block. */
  readonly blockBytesMax: number
  readonly blockTransactionsMax: number
  /**
   * Commit votes are sent for the first block of every interval of this length, by block time (R7). A chain that
   * is slower than this has every block's state certified; 0 certifies every block at any speed.
   */
  readonly certificateIntervalMs: number
}

/** The network's floor for requests, level "declared" (spec/four-proofs.md). The stricter of this and the caller's wins. */
export interface ValidationPolicy {
  readonly minimumStake: bigint
  readonly maxTimeOffsetMs: number
  readonly minimumStorage: bigint
  readonly maximumStorage: bigint
  readonly minimumCompute: bigint
  readonly maximumCompute: bigint
}

export interface Genesis {
  /** Human name, e.g. `dev`; part of the hash. */
  readonly network: string
  readonly time: UnixMs
  readonly parameters: ChainParameters
  readonly policy: ValidationPolicy
  readonly validators: readonly Validator[]
  /** Who orders the blocks; absent: BFT without a fallback. */
  readonly consensus?: ConsensusChoice
}
