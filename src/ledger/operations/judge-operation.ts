/**
 * The rules of critical operations: a pure function of the operation and the state, equal on every validator. What breaks
 * one is found invalid by all, whatever their operators say.
 */
import { unreachable } from '../../types/assert.ts'
import type { NetworkOperation, OperationsState, TrustScoreModification } from '../../types/operations.ts'
import type { AccountId, RequestKey } from '../../types/primitives.ts'
import type { StakingState } from '../../types/staking.ts'
import type { RuleFailure, VerdictRecord } from '../../types/verdict.ts'
import type { ValidatorTrust } from '../../types/voting.ts'
import type { ChainRules } from '../chain-rules.ts'
import { isProvenEquivocation } from '../staking/check-evidence.ts'
import { idOfKey, ownerOfKey } from '../staking/validator-keys.ts'
import { currentPolicy } from '../validation-policy.ts'
import { seatsOf } from '../verdicts/electors.ts'
import { isWithinExclusionCap, TRUST_TO_RETURN } from '../verdicts/trust.ts'
import { policyFault } from './check-policy.ts'
import { withConfiguration } from './configuration-keys.ts'
import { standardOf } from './routing.ts'

/** What an operation is judged against. */
export interface OperationContext {
  readonly staking: StakingState
  readonly trust: ReadonlyMap<AccountId, ValidatorTrust>
  readonly operations: OperationsState
  /** With the policy that is in force. */
  readonly rules: ChainRules
  readonly verdict: (requestKey: RequestKey) => VerdictRecord | null
}

/** Every rule that an operation breaks; empty when it may have its effect. */
export function judgeOperation(
  operation: NetworkOperation,
  context: OperationContext,
): readonly RuleFailure[] {
  const reason = faultOf(operation, context)
  return reason === null ? [] : [{ subject: 'request', reason }]
}

function faultOf(operation: NetworkOperation, context: OperationContext): string | null {
  // Escalated: its place in the space is kept for it.
  if (standardOf(operation) !== null) return null
  switch (operation.kind) {
    case 'network-configuration': {
      const { key, value } = operation
      const policy = withConfiguration(currentPolicy(context.rules), key, value)
      return policy === null ? `no value of a key "${key}": "${value}"` : policyFault(policy)
    }
    case 'security-policy-update':
      return policyFault(operation.policy)
    case 'trust-score-modification':
      return trustFault(operation, context)
    case 'node-admission':
      return admissionFault(operation.account, context)
    case 'node-exclusion': {
      const { account, evidence } = operation
      const fault = exclusionFault(account, context)
      if (fault !== null || evidence === null) return fault
      const owner = ownerOfKey(idOfKey(evidence.publicKey), context.staking.accounts)
      if (owner?.account.id !== account) return `the evidence is not about a key of account ${account}`
      return isProvenEquivocation(evidence, context.rules)
        ? null
        : 'the evidence does not prove an equivocation'
    }
    // Operators decide; its decision is all its effect.
    case 'other':
      return null
    case 'service-deployment':
    case 'resource-allocation':
    case 'maintenance-task':
    case 'performance-optimization':
      return null
    default:
      return unreachable(operation)
  }
}

/** spec/commit-reveal.md 5.6: down, or back to what it was before a verdict that is overturned, never above 700,000. */
function trustFault(
  { account, ppm, overturned }: TrustScoreModification,
  { trust, operations, verdict }: OperationContext,
): string | null {
  const before = trust.get(account)
  if (before === undefined) return `no validator of account ${account} was ever trusted`
  if (overturned === null) {
    return ppm < before.ppm ? null : `${ppm} is not below the trust of ${before.ppm}, and no verdict is named`
  }
  const record = verdict(overturned)
  if (record === null) return `there is no verdict on ${overturned}`
  const loss = operations.losses.findLast((of) => of.account === account && of.height === record.height)
  if (loss === undefined) return `account ${account} lost no trust by the verdict on ${overturned}`
  const most = Math.min(TRUST_TO_RETURN, loss.ppm)
  if (ppm > most)
    return `${ppm} is above ${most}: trust before the verdict was ${loss.ppm}, and ${TRUST_TO_RETURN} is the most`
  return ppm > before.ppm ? null : `${ppm} restores nothing: the trust is ${before.ppm}`
}

function admissionFault(account: AccountId, { staking, trust }: OperationContext): string | null {
  if (trust.get(account)?.status !== 'excluded') return `account ${account} is not excluded`
  const tombstonedAt = staking.accounts.get(account)?.tombstonedAt ?? null
  return tombstonedAt === null ? null : `account ${account} was punished at height ${tombstonedAt}`
}

function exclusionFault(account: AccountId, { staking, trust }: OperationContext): string | null {
  const seats = seatsOf(staking)
  if (!seats.some((seat) => seat.account === account)) return `account ${account} has no validator in the set`
  if (trust.get(account)?.status === 'excluded') return `account ${account} is excluded already`
  return isWithinExclusionCap(account, trust, seats)
    ? null
    : 'more than a third of the stake would be without weight'
}
