/** All that the network asks of one request: the rules of its level and of the levels before, and what it spends. */
import type { Nullifier, UnixMs } from '../../types/primitives.ts'
import type { ValidationTransaction } from '../../types/transaction.ts'
import type { RuleFailure, VerdictRecord } from '../../types/verdict.ts'
import type { RequestIdentity } from '../request-identity.ts'
import type { StateReader } from '../state-reader.ts'
import { currentPolicy, requiredLevel } from '../validation-policy.ts'
import { type AttestedRules, checkAttested } from './attested.ts'
import { checkFourProofs, type JudgedState } from './check-four-proofs.ts'
import { checkRegistered } from './registered.ts'

/** What is found about a request. */
export interface Judgement {
  /** Every rule that failed; empty exactly when Valid. */
  readonly failures: readonly RuleFailure[]
  /** Spent when it is Valid. */
  readonly nullifiers: readonly Nullifier[]
  /** Advances when it is Valid. */
  readonly sequence: VerdictRecord['sequence']
}

/** The order in which failures are told. */
const ORDER: readonly RuleFailure['subject'][] = ['space', 'stake', 'work', 'time', 'request']

/**
 * Judges one request. A pure function, equal on every validator.
 * @param identity of the same transaction
 * @param state before the transaction: nullifiers and sequences with the earlier ones of its block, operators as
 *   before the block, recent blocks up to the block's parent
 * @param blockTime of the block that orders it
 */
export function judgeRequest(
  transaction: ValidationTransaction,
  identity: RequestIdentity,
  state: JudgedState & Pick<StateReader, 'accumulators' | 'staking'>,
  blockTime: UnixMs,
  rules: AttestedRules,
): Judgement {
  const policy = currentPolicy(rules)
  const declared = checkFourProofs(transaction, identity, state, blockTime, policy)
  const own = { nullifiers: [identity.nullifier], sequence: identity.sequence }
  const level = requiredLevel(transaction, policy)
  if (level === 'declared') return { failures: declared, ...own }
  const failures = [...declared]
  const operator = checkRegistered(transaction, state.staking.operators, failures)
  const spending =
    level === 'attested'
      ? checkAttested(transaction, operator, state, rules, failures)
      : { nullifiers: [], sequence: null }
  return {
    failures: ORDER.flatMap((subject) => failures.filter((failure) => failure.subject === subject)),
    nullifiers: [...own.nullifiers, ...spending.nullifiers],
    sequence: own.sequence ?? spending.sequence,
  }
}
