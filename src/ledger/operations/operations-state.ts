/** The state of operations from one step of a block to the next: what opens, what verdicts mean, what a period's end does. */
import { operationHash } from '../../codec/operations.ts'
import { unreachable } from '../../types/assert.ts'
import {
  DECIDED_OPERATIONS_MAX,
  type DecidedOperation,
  type OpenOperation,
  type OperationOutcome,
  type OperationsState,
  TRUST_LOSSES_MAX,
  type TrustLoss,
} from '../../types/operations.ts'
import type { AccountId, Height } from '../../types/primitives.ts'
import type { VerdictStatus } from '../../types/verdict.ts'
import type { OpenRequest, ValidatorTrust } from '../../types/voting.ts'
import { requestIdHash } from '../request-identity.ts'
import { currentPolicy, rulesUnder, wholePolicy } from '../validation-policy.ts'
import { excluded } from '../verdicts/trust.ts'
import { withConfiguration } from './configuration-keys.ts'
import { judgeOperation, type OperationContext } from './judge-operation.ts'
import { standardOf } from './routing.ts'
import { resolved, withoutOld } from './standard-space.ts'

/** Operations that one block puts to the vote: a validator that starts again finds out what it had said about them. */
export const OPENED_PER_BLOCK_MAX = 4

/** Whether an operation is to be put to the vote in a block of this height. */
export function hasDue({ open }: OperationsState, height: Height): boolean {
  return open.some((of) => isDue(of, height))
}

const isDue = ({ stage, opensAt }: OpenOperation, height: Height): boolean =>
  stage === 'waiting' && opensAt <= height

/**
 * Puts what is due to the vote, in order of proposal.
 * @param room requests that the block's batch can still take
 */
export function openDue(
  operations: OperationsState,
  height: Height,
  room: number,
): { readonly operations: OperationsState; readonly due: readonly OpenOperation[] } {
  const due = operations.open.filter((of) => isDue(of, height)).slice(0, Math.min(OPENED_PER_BLOCK_MAX, room))
  if (due.length === 0) return { operations, due }
  const open = operations.open.map((of) => (due.includes(of) ? { ...of, stage: 'voting' as const } : of))
  return { operations: { ...operations, open }, due }
}

/** An operation as a batch has it. */
export function requestOfOperation({ id, operation }: OpenOperation): OpenRequest {
  return {
    requestKey: id,
    requestIdHash: requestIdHash(id),
    kind: 'operation',
    proofHash: operationHash(operation),
    nullifiers: [],
    sequence: null,
  }
}

/** What verdicts of a block mean for the operations that they are on. */
export function decided(
  operations: OperationsState,
  verdicts: readonly { readonly id: OpenOperation['id']; readonly status: VerdictStatus }[],
  height: Height,
): OperationsState {
  let after = operations
  for (const { id, status } of verdicts) {
    const of = after.open.find((open) => open.id === id)
    if (of !== undefined) after = decideOne(after, of, status, height)
  }
  return after
}

function decideOne(
  operations: OperationsState,
  of: OpenOperation,
  status: VerdictStatus,
  height: Height,
): OperationsState {
  const isApproved = status === 'valid'
  const isStandard = standardOf(of.operation) !== null
  const standard = isStandard ? resolved(operations.standard, of.id, isApproved, height) : operations.standard
  if (isApproved && !isStandard) {
    const open = operations.open.map((other) =>
      other === of ? { ...other, stage: 'approved' as const } : other,
    )
    return { ...operations, standard, open }
  }
  const open = operations.open.filter((other) => other !== of)
  return withDecided({ ...operations, standard, open }, [endOf(of, outcomeOf(status), height)])
}

function outcomeOf(status: VerdictStatus): OperationOutcome {
  switch (status) {
    case 'valid':
      return 'approved'
    case 'invalid':
      return 'rejected'
    case 'expired':
      return 'timeout'
    default:
      return unreachable(status)
  }
}

function endOf(
  { id, proposer, operation }: OpenOperation,
  outcome: OperationOutcome,
  height: Height,
): DecidedOperation {
  return { id, proposer, kind: operation.kind, route: 'full-bft', outcome, height }
}

/** The state with the ends of operations remembered; the oldest go. */
export function withDecided(operations: OperationsState, ends: readonly DecidedOperation[]): OperationsState {
  return { ...operations, decided: [...operations.decided, ...ends].slice(-DECIDED_OPERATIONS_MAX) }
}

/** The state with losses of trust remembered; the oldest go. */
export function withLosses(operations: OperationsState, losses: readonly TrustLoss[]): OperationsState {
  if (losses.length === 0) return operations
  return { ...operations, losses: [...operations.losses, ...losses].slice(-TRUST_LOSSES_MAX) }
}

/** What every block does at its end: escalations that are too late are forgotten. */
export function afterBlock(operations: OperationsState, height: Height): OperationsState {
  const standard = withoutOld(operations.standard, height)
  return standard === operations.standard ? operations : { ...operations, standard }
}

/** What the end of a period is to operations: everything but the operations themselves. */
export interface PeriodEnd extends Omit<OperationContext, 'operations' | 'trust'> {
  readonly height: Height
  readonly nextPeriod: number
}

/**
 * Gives what is approved its effect, in order of proposal; each is judged once more, by what the ones before it left.
 * @param trust of every account, after the period; changed in place
 */
export function takeEffect(
  operations: OperationsState,
  trust: Map<AccountId, ValidatorTrust>,
  end: PeriodEnd,
): OperationsState {
  const approved = operations.open.filter(({ stage }) => stage === 'approved')
  if (approved.length === 0) return operations
  let after: OperationsState = {
    ...operations,
    open: operations.open.filter(({ stage }) => stage !== 'approved'),
  }
  for (const of of approved) {
    const rules = rulesUnder(end.rules, after)
    const isPossible = judgeOperation(of.operation, { ...end, rules, trust, operations: after }).length === 0
    if (isPossible) after = effectOf(of, after, trust, { ...end, rules })
    after = withDecided(after, [endOf(of, isPossible ? 'approved' : 'void', end.height)])
  }
  return after
}

function effectOf(
  { operation }: OpenOperation,
  operations: OperationsState,
  trust: Map<AccountId, ValidatorTrust>,
  { rules, nextPeriod }: PeriodEnd,
): OperationsState {
  switch (operation.kind) {
    case 'network-configuration': {
      const policy = withConfiguration(currentPolicy(rules), operation.key, operation.value)
      return policy === null ? operations : { ...operations, policy: wholePolicy(policy) }
    }
    case 'security-policy-update':
      return { ...operations, policy: operation.policy }
    case 'trust-score-modification':
      changeTrust(trust, operation.account, (of) => ({ ...of, ppm: operation.ppm }))
      return operations
    case 'node-admission':
      changeTrust(trust, operation.account, (of) => ({
        ...of,
        status: 'probation',
        untilPeriod: 0,
        cleanStreak: 0,
      }))
      return operations
    case 'node-exclusion':
      changeTrust(trust, operation.account, (of) => excluded(of, nextPeriod))
      return operations
    case 'other':
    case 'service-deployment':
    case 'resource-allocation':
    case 'maintenance-task':
    case 'performance-optimization':
      return operations
    default:
      return unreachable(operation)
  }
}

function changeTrust(
  trust: Map<AccountId, ValidatorTrust>,
  account: AccountId,
  change: (of: ValidatorTrust) => ValidatorTrust,
): void {
  const of = trust.get(account)
  if (of !== undefined) trust.set(account, change(of))
}
