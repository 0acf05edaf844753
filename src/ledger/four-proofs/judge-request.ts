/** All that the network asks of one request: the rules of its level and of the levels before. */
import type { UnixMs } from '../../types/primitives.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'
import type { RuleFailure } from '../../types/verdict.ts'
import type { RequestIdentity } from '../request-identity.ts'
import type { StateReader } from '../state-reader.ts'
import { currentPolicy, requiredLevel } from '../validation-policy.ts'
import { type AttestedRules, checkAttested } from './attested.ts'
import { checkFourProofs, type JudgedState } from './check-four-proofs.ts'
import { checkRegistered } from './registered.ts'
import { barredRequester } from './requester.ts'

/** The order in which failures are told. */
const ORDER: readonly RuleFailure['subject'][] = ['space', 'stake', 'work', 'time', 'request', 'requester']

/**
 * Judges one request. A pure function, equal on every validator. What a Valid one spends is in request-spending.ts.
 * @param identity of the same transaction
 * @param state before the transaction: nullifiers and sequences with the earlier verdicts of its block, operators as
 *   before the block, trust likewise, recent blocks up to the block's parent
 * @param blockTime of the block that orders it
 * @returns every rule that failed; empty exactly when Valid
 */
export function judgeRequest(
  transaction: ValidationTransaction,
  identity: RequestIdentity,
  state: JudgedState & Pick<StateReader, 'accumulators' | 'staking' | 'voting'>,
  blockTime: UnixMs,
  rules: AttestedRules,
): readonly RuleFailure[] {
  const policy = currentPolicy(rules)
  const declared = checkFourProofs(transaction, identity, state, blockTime, policy)
  const barred = barredRequester(transaction, state)
  if (barred !== null) declared.push({ subject: 'requester', reason: barred })
  const level = requiredLevel(transaction, policy)
  if (level === 'declared') return declared
  const failures = [...declared]
  const operator = checkRegistered(transaction, state.staking.operators, failures)
  if (level === 'attested') checkAttested(transaction, operator, state, rules, failures)
  return ORDER.flatMap((subject) => failures.filter((failure) => failure.subject === subject))
}
