/** What the execution of a block is given, what it gives, and why it may give nothing. */
import type { StateChanges } from '../types/ledger-state.ts'
import type { AccountId, BlockHash, Epoch, Height, Hex32, StateRoot, UnixMs } from '../types/primitives.ts'
import type { ChainRules } from './chain-rules.ts'
import type { NullifierRefusal } from './nullifier-set.ts'
import type { OperationRefusal } from './operations/operation-refusals.ts'
import type { OperatorRefusal } from './operators/operator-refusals.ts'
import type { ShieldedRefusal } from './shielded/shielded-refusals.ts'
import type { EvidenceRefusal, StakingRefusal } from './staking/staking-refusals.ts'
import type { BallotRefusal } from './verdicts/check-ballots.ts'
import type { WaitingRefusal } from './verdicts/waiting-refusal.ts'

/** What transactions are judged against. */
export interface ExecutionContext {
  /** Of the block; below that of its height in a filler. */
  readonly epoch: Epoch
  readonly height: Height
  readonly blockTime: UnixMs
  readonly parentHash: BlockHash
  /** Account that fees and the reward go to; null where nobody proposes: a mined block, whose fees are burnt. */
  readonly proposer: AccountId | null
  readonly rules: ChainRules
}

/** Why no block may hold a transaction at its place. */
export type TransactionRefusal =
  | 'request-repeated-in-block'
  | 'request-already-judged'
  | 'request-open'
  | 'ballots-nobody'
  | WaitingRefusal
  | BallotRefusal
  | StakingRefusal
  | EvidenceRefusal
  | OperatorRefusal
  | OperationRefusal
  | ShieldedRefusal
export type ExecutionRefusal = TransactionRefusal | NullifierRefusal

export interface Execution {
  readonly changes: StateChanges
  /** SHA-384 over the proofs, 96 hex digits. */
  readonly proofCommitment: string
  readonly nullifierRoot: Hex32
  readonly noteCommitmentRoot: Hex32
  /** Of the set that decides the next block. */
  readonly validatorSetRoot: Hex32
  /** After the transactions. */
  readonly stateRoot: StateRoot
}
