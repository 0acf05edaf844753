/**
 * Whether an operator transaction is legal on a state, and the state's changes. Cheap rules first, the signatures
 * last, as for staking (staking/check-staking.ts), whose rules about sequence and expiry are the same.
 */
import { accountId } from '../../codec/genesis.ts'
import { operatorKeySigningPayload, operatorSigningPayload } from '../../codec/signing-payloads.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import type { Operator } from '../../types/operator.ts'
import type { Height } from '../../types/primitives.ts'
import type { Account, StakingState } from '../../types/staking.ts'
import type { OperatorTransaction } from '../../types/transaction.ts'
import type { ChainRules } from '../chain-rules.ts'
import { checkPlace } from '../staking/check-staking.ts'
import type { StakingRefusal } from '../staking/staking-refusals.ts'
import { applyOperatorOperation } from './apply-operator.ts'
import type { OperatorRefusal } from './operator-refusals.ts'

/** What an operator transaction leaves behind. */
export interface OperatorChange {
  readonly account: Account
  readonly operator: Operator
}

/**
 * @param height of the block that would hold it
 * @returns the account and the operator as they are after the transaction
 */
export function checkOperator(
  transaction: OperatorTransaction,
  state: Pick<StakingState, 'accounts' | 'operators' | 'epoch'>,
  height: Height,
  rules: ChainRules,
): Result<OperatorChange, StakingRefusal | OperatorRefusal> {
  const { publicKey, sequence } = transaction
  const known = checkPlace(transaction, state.accounts.get(accountId(publicKey)), height)
  if (!known.ok) return known
  const changed = applyOperatorOperation(transaction.operation, known.value, state, height, rules)
  if (!changed.ok) return changed
  const unsigned = checkOperatorSignatures(transaction, rules)
  if (unsigned !== null) return unsigned
  const { account, operator } = changed.value
  return ok({ account: { ...account, sequence }, operator })
}

/** Whether the signatures in it are right: what does not depend on any state. */
function checkOperatorSignatures(
  transaction: OperatorTransaction,
  { genesisHash, verifySignature }: Pick<ChainRules, 'genesisHash' | 'verifySignature'>,
): Refusal<OperatorRefusal> | null {
  const { publicKey, sequence, operation, signature } = transaction
  const payload = operatorSigningPayload(genesisHash, transaction)
  if (!verifySignature(publicKey, payload, signature, 'operator')) {
    return refuse('operator-signature', 'the signature is not valid under the key in it')
  }
  if (operation.kind === 'retire') return null
  const { record, possession } = operation
  const claim = operatorKeySigningPayload(genesisHash, { account: accountId(publicKey), sequence, record })
  return verifySignature(record.publicKey, claim, possession, 'operator-key', record.keyScheme)
    ? null
    : refuse('operator-possession', "the proof is not valid under the operator's key")
}
