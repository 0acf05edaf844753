/**
 * Whether a staking transaction is legal on a state, and the accounts after it. Cheap rules first, the signatures
 * last: a leader that packs stale ones makes nobody work.
 */
import { accountId } from '../../codec/genesis.ts'
import { keyChangeSigningPayload, stakingSigningPayload } from '../../codec/signing-payloads.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import type { Height } from '../../types/primitives.ts'
import type { Account, StakingState } from '../../types/staking.ts'
import type {
  OperationTransaction,
  OperatorTransaction,
  StakingTransaction,
} from '../../types/transaction.ts'
import type { ChainRules } from '../chain-rules.ts'
import { applyOperation } from './apply-operation.ts'
import type { StakingRefusal } from './staking-refusals.ts'

/**
 * @param height of the block that would hold it
 * @returns the accounts that change, as they are after the transaction
 */
export function checkStaking(
  transaction: StakingTransaction,
  state: Pick<StakingState, 'accounts' | 'epoch'>,
  height: Height,
  rules: ChainRules,
): Result<readonly Account[], StakingRefusal> {
  const { publicKey, sequence, operation } = transaction
  const id = accountId(publicKey)
  const known = checkPlace(transaction, state.accounts.get(id), height)
  if (!known.ok) return known
  const account = known.value
  const changed = applyOperation(operation, account, publicKey, state, rules.parameters)
  if (!changed.ok) return changed
  const unsigned = checkStakingSignatures(transaction, rules)
  if (unsigned !== null) return unsigned
  return ok(changed.value.map((after) => (after.id === id ? { ...after, sequence } : after)))
}

/** Whether the signatures in it are right: what does not depend on any state. */
export function checkStakingSignatures(
  transaction: StakingTransaction,
  { genesisHash, verifySignature }: Pick<ChainRules, 'genesisHash' | 'verifySignature'>,
): Refusal<StakingRefusal> | null {
  const { publicKey, sequence, operation, signature } = transaction
  const payload = stakingSigningPayload(genesisHash, transaction)
  if (!verifySignature(publicKey, payload, signature, 'staking')) {
    return refuse('staking-signature', 'the signature is not valid under the key in it')
  }
  if (operation.kind !== 'change-key') return null
  const claim = keyChangeSigningPayload(genesisHash, { account: accountId(publicKey), sequence })
  return verifySignature(operation.newPublicKey, claim, operation.proof, 'key-change')
    ? null
    : refuse('staking-key-proof', 'the proof is not valid under the new key')
}

/** Whether it is the turn of a transaction of an account: what holds for every kind of them. */
export function checkPlace(
  { sequence, expiresAtHeight, operation }: StakingTransaction | OperatorTransaction | OperationTransaction,
  account: Account | undefined,
  height: Height,
): Result<Account, StakingRefusal> {
  if ('amount' in operation && operation.amount === 0n)
    return refuse('staking-amount', 'an amount is above 0')
  if (height > expiresAtHeight) {
    return refuse('staking-expired', `it was legal up to height ${expiresAtHeight}, the block has ${height}`)
  }
  return checkSequence(sequence, account)
}

/** Whether it is the turn of a sequence number of an account. */
export function checkSequence(
  sequence: number,
  account: Account | undefined,
): Result<Account, 'staking-unknown-account' | 'staking-sequence' | 'staking-sequence-ahead'> {
  if (account === undefined) return refuse('staking-unknown-account', 'its key has no account')
  const next = account.sequence + 1
  if (sequence < next) {
    return refuse('staking-sequence', `sequence ${sequence} is used up, the next of the account is ${next}`)
  }
  if (sequence > next) {
    return refuse('staking-sequence-ahead', `sequence ${sequence}, the next of the account is ${next}`)
  }
  return ok(account)
}
