/**
 * What execution needs to look up in the state before a block. Synchronous, because execution is pure and
 * takes no turns; implemented over the database, over a branch overlay, and over a map in tests.
 */
import type { StateAccumulators } from '../types/ledger-state.ts'
import type { Hex32, Nullifier, RequestKey } from '../types/primitives.ts'
import type { StakingState } from '../types/staking.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import type { VerdictVoting } from '../types/voting.ts'

export interface StateReader {
  hasNullifier(nullifier: Nullifier): boolean
  verdict(requestKey: RequestKey): VerdictRecord | null
  /** Key of the request that first used this request id. */
  requestKeyOfId(requestIdHash: Hex32): RequestKey | null
  /** Highest sequence number recorded for a node, 0n when none. */
  lastSequence(nodeIdHash: Hex32): bigint
  readonly accumulators: StateAccumulators
  /** Accounts, stake and the set that decides the next block. */
  readonly staking: StakingState
  /** Requests that wait for verdicts, and trust in validators. */
  readonly voting: VerdictVoting
}
