/**
 * Transactions as the chain orders them: requests that a client asked the network to judge, what holders of
 * accounts do with their stake and their operators, operations, shielded transactions, and proofs of a validator's equivocation. A closed union, so that a new kind is a
 * compile error wherever it is not handled.
 */
import type { CastCommit, CastOpening } from './ballots.ts'
import type { CommitPair, Evidence } from './evidence.ts'
import type { OperationAction } from './operations.ts'
import type { OperatorOperation } from './operator.ts'
import type { AccountId, Height, RequestKey, TransactionHash } from './primitives.ts'
import type { ShieldedTransaction } from './shielded.ts'
import type { CertificateValidationRequest, FourProofValidationRequest } from './validation-request.ts'

/** A certificate request to be judged. */
export interface CertificateTransaction {
  readonly kind: 'validate-certificate'
  readonly request: CertificateValidationRequest
}

/** A four-proof set to be judged. */
export interface FourProofTransaction {
  readonly kind: 'validate-proofs'
  readonly request: FourProofValidationRequest
}

/** What gets a verdict. */
export type ValidationTransaction = CertificateTransaction | FourProofTransaction

/** What the holder of an account may do. Amounts are above 0. */
export type StakingOperation =
  | { readonly kind: 'transfer'; readonly to: AccountId; readonly amount: bigint }
  /** Balance becomes stake: a weight from the next epoch on. */
  | { readonly kind: 'bond'; readonly amount: bigint }
  /** Stake becomes balance again, after the delay of the network's parameters. */
  | { readonly kind: 'unbond'; readonly amount: bigint }
  /** Into the validator set from the next epoch on, with the validator key, by default the account's own key. */
  | { readonly kind: 'join' }
  /** Out of it from the next epoch on. */
  | { readonly kind: 'leave' }
  /** One that was excluded from verdicts comes back on probation, when its cool-down is over. */
  | { readonly kind: 'rejoin' }
  /** Another validator key from the next epoch on; `proof` is its signature, context key-change. */
  | { readonly kind: 'change-key'; readonly newPublicKey: Uint8Array; readonly proof: Uint8Array }

/** An operation signed by the key of the account, context staking. */
export interface StakingTransaction {
  readonly kind: 'staking'
  /** ML-DSA-65 key of the account, 1,952 bytes. */
  readonly publicKey: Uint8Array
  /** One above that of the account's last transaction. */
  readonly sequence: number
  /** The last height at which it is legal. */
  readonly expiresAtHeight: Height
  readonly operation: StakingOperation
  readonly signature: Uint8Array
}

/** What a staking transaction's signature is over. */
export type StakingContent = Omit<StakingTransaction, 'kind' | 'signature'>

/** A validator's equivocation, to be punished. Whoever brings it signs nothing: it proves itself. */
export interface EvidenceTransaction {
  readonly kind: 'evidence'
  readonly evidence: Evidence
}

/** Evidence of two commits in one slot: it costs trust, no stake. Needs no signature of its own. */
export interface CommitPairTransaction {
  readonly kind: 'commit-pair'
  readonly pair: CommitPair
}

/**
 * What validators have said in their votes about requests of earlier blocks. The leader makes it out of the votes that
 * it has; at most one in a block, and the first.
 */
export interface BallotsTransaction {
  readonly kind: 'ballots'
  /** In order of slot and voter. */
  readonly commits: readonly CastCommit[]
  /** In order of slot and voter. */
  readonly openings: readonly CastOpening[]
}

/** What an account does with its operator, signed by the key of the account, context operator. */
export interface OperatorTransaction extends Omit<StakingTransaction, 'kind' | 'operation'> {
  readonly kind: 'operator'
  readonly operation: OperatorOperation
}

/** What an operator transaction's signature is over. */
export type OperatorContent = Omit<OperatorTransaction, 'kind' | 'signature'>

/** What a validator does about operations, signed by the key of its account, context operation. */
export interface OperationTransaction extends Omit<StakingTransaction, 'kind' | 'operation'> {
  readonly kind: 'operation'
  readonly operation: OperationAction
}

/** What an operation transaction's signature is over. */
export type OperationContent = Omit<OperationTransaction, 'kind' | 'signature'>

/** What changes accounts, or makes the block illegal. */
export type AccountTransaction = StakingTransaction | EvidenceTransaction | OperatorTransaction

/** Whether a transaction is about accounts. */
export function isAccountTransaction(transaction: Transaction): transaction is AccountTransaction {
  return transaction.kind === 'staking' || transaction.kind === 'evidence' || transaction.kind === 'operator'
}

/** What a block orders. */
export type Transaction =
  | ValidationTransaction
  | AccountTransaction
  | OperationTransaction
  | BallotsTransaction
  | CommitPairTransaction
  | ShieldedTransaction

/** A transaction with what is derived from its canonical bytes, computed once at the edge. */
export interface HashedTransaction<T extends Transaction = Transaction> {
  readonly transaction: T
  readonly bytes: Uint8Array
  readonly hash: TransactionHash
  /**
   * Under which it is known while it waits and afterwards: for a request its id and content, for staking and operators
   * the content with its signature, for evidence the offence, whatever the signatures in it.
   */
  readonly requestKey: RequestKey
}

/** Whether a transaction gets a verdict. */
export function isValidation(hashed: HashedTransaction): hashed is HashedTransaction<ValidationTransaction> {
  const { kind } = hashed.transaction
  return kind === 'validate-certificate' || kind === 'validate-proofs'
}
