/**
 * Whether a staking, operator, operation or evidence transaction may wait for a block: the next one could hold it, judged on the final
 * state. No rule of the chain.
 */
import { accountId } from '../../codec/genesis.ts'
import { unreachable } from '../../types/assert.ts'
import type { Refusal } from '../../types/errors.ts'
import type { AccountTransaction, HashedTransaction, OperationTransaction } from '../../types/transaction.ts'
import type { ChainRules } from '../chain-rules.ts'
import { checkOperation } from '../operations/check-operation.ts'
import type { OperationRefusal } from '../operations/operation-refusals.ts'
import { checkOperator } from '../operators/check-operator.ts'
import type { OperatorRefusal } from '../operators/operator-refusals.ts'
import { SHIELDED_WRONG_ALWAYS, type ShieldedRefusal } from '../shielded/shielded-refusals.ts'
import type { StateReader } from '../state-reader.ts'
import { rulesUnder } from '../validation-policy.ts'
import { rejoinRefusal } from '../verdicts/rejoin.ts'
import { checkEvidence } from './check-evidence.ts'
import { checkStaking } from './check-staking.ts'
import type { ChainMoment } from './evidence-window.ts'
import type { EvidenceRefusal, StakingRefusal } from './staking-refusals.ts'

export type AdmissionRefusal = StakingRefusal | EvidenceRefusal | OperatorRefusal | OperationRefusal

/** What waits without a verdict of its own. */
export type AdmittedTransaction = HashedTransaction<AccountTransaction | OperationTransaction>

/**
 * @param state the final one
 * @param next the block after the last final one, as far as it is known: its height, and the time of the last
 * @returns why it cannot be in a block soon; null when it can
 */
export function admissionRefusal(
  { transaction, requestKey }: AdmittedTransaction,
  state: Pick<StateReader, 'staking' | 'voting'>,
  next: ChainMoment,
  rules: ChainRules,
): Refusal<AdmissionRefusal> | null {
  const { staking, voting } = state
  switch (transaction.kind) {
    case 'staking': {
      // One whose turn has not come does not wait here: what no leader can put into a block would keep all of
      // them busy with views in which nothing is proposed.
      const outcome = checkStaking(transaction, staking, next.height, rules)
      if (!outcome.ok) return outcome
      if (transaction.operation.kind !== 'rejoin') return null
      const account = accountId(transaction.publicKey)
      return rejoinRefusal(voting.trust.get(account), account, next.height, rules.parameters)
    }
    case 'operator': {
      const outcome = checkOperator(transaction, staking, next.height, rulesUnder(rules, voting.operations))
      return outcome.ok ? null : outcome
    }
    case 'operation': {
      const outcome = checkOperation(transaction, requestKey, { staking, voting, height: next.height, rules })
      return outcome.ok ? null : outcome
    }
    case 'evidence': {
      const outcome = checkEvidence(transaction.evidence, staking, next, rules)
      return outcome.ok ? null : outcome
    }
    default:
      return unreachable(transaction)
  }
}

/**
 * The same for one that was admitted before, without the signatures, which have not changed: what has become
 * impossible since.
 */
export function reviewRefusal(
  transaction: AdmittedTransaction,
  state: Pick<StateReader, 'staking' | 'voting'>,
  next: ChainMoment,
  rules: ChainRules,
): Refusal<AdmissionRefusal> | null {
  return admissionRefusal(transaction, state, next, { ...rules, verifySignature: () => true })
}

/** Refusals that no state could have prevented: whoever sent such a transaction has checked nothing. */
const PROVEN_WRONG: ReadonlySet<string> = new Set<AdmissionRefusal | ShieldedRefusal>([
  ...SHIELDED_WRONG_ALWAYS,
  'staking-amount',
  'staking-signature',
  'staking-key-proof',
  'operator-signature',
  'operator-possession',
  'operator-name',
  'operator-aliases',
  'operator-space',
  'operator-key',
  'operation-signature',
  'operation-size',
  'operation-key',
  'evidence-same-content',
  'evidence-order',
  'evidence-height',
  'evidence-commits',
  'evidence-signature',
  'evidence-equivocation',
])

/** Whether a refusal is the sender's fault, on whatever state it was. */
export function isProvenWrong(code: string): boolean {
  return PROVEN_WRONG.has(code)
}
