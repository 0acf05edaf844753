/**
 * What each operation on an operator does to its account and its row: both as they are after it, or why it is not
 * allowed. Knows nothing of signatures, sequences and expiry (check-operator.ts).
 */
import { unreachable } from '../../types/assert.ts'
import { epochEndHeight } from '../../types/epochs.ts'
import { ok, type Result, refuse } from '../../types/errors.ts'
import type { Operator, OperatorOperation, OperatorRecord } from '../../types/operator.ts'
import { asHeight, type Height } from '../../types/primitives.ts'
import { type Account, type StakingState, UNBONDINGS_MAX } from '../../types/staking.ts'
import type { ChainRules } from '../chain-rules.ts'
import type { StakingRefusal } from '../staking/staking-refusals.ts'
import type { OperatorChange } from './check-operator.ts'
import { checkRecord } from './check-record.ts'
import type { OperatorRefusal } from './operator-refusals.ts'

type Outcome<T> = Result<T, StakingRefusal | OperatorRefusal>
type State = Pick<StakingState, 'operators' | 'epoch'>

/**
 * @param account whose operation it is, as it is before
 * @param height of the block
 */
export function applyOperatorOperation(
  operation: OperatorOperation,
  account: Account,
  state: State,
  height: Height,
  rules: Pick<ChainRules, 'parameters' | 'policy'>,
): Outcome<OperatorChange> {
  const current = state.operators.get(account.id) ?? null
  const active = current?.retirement === null ? current : null
  if (operation.kind !== 'register' && active === null) {
    return refuse('operator-not-registered', `account ${account.id} has no operator`)
  }
  switch (operation.kind) {
    case 'register':
      if (active !== null) {
        return refuse(
          'operator-registered',
          `account ${account.id} has operator ${active.operatorId} already`,
        )
      }
      return put(operation.record, null, account, state, height, rules)
    case 'update':
      return put(operation.record, active, account, state, height, rules)
    case 'retire':
      return retire(active, account, state, height, rules)
    default:
      return unreachable(operation)
  }
}

function put(
  record: OperatorRecord,
  before: Operator | null,
  account: Account,
  state: State,
  height: Height,
  rules: Pick<ChainRules, 'parameters' | 'policy'>,
): Outcome<OperatorChange> {
  if (account.tombstonedAt !== null) {
    return refuse(
      'staking-tombstoned',
      `account ${account.id} was punished at height ${account.tombstonedAt}`,
    )
  }
  if (before !== null && record.operatorId !== before.operatorId) {
    return refuse('operator-id-changed', `the operator is ${before.operatorId}, not ${record.operatorId}`)
  }
  const wrong = checkRecord(record, account.id, state.operators, rules)
  if (wrong !== null) return wrong
  const moved = moveBond(account, before?.bondedStake ?? 0n, record.bondedStake, state, rules)
  if (!moved.ok) return moved
  return ok({
    account: moved.value,
    operator: {
      ...record,
      account: account.id,
      registeredAt: before?.registeredAt ?? height,
      retirement: null,
    },
  })
}

function retire(
  active: Operator | null,
  account: Account,
  state: State,
  height: Height,
  rules: Pick<ChainRules, 'parameters'>,
): Outcome<OperatorChange> {
  if (active === null) return refuse('operator-not-registered', `account ${account.id} has no operator`)
  const moved = moveBond(account, active.bondedStake, 0n, state, rules)
  if (!moved.ok) return moved
  const reservedUntil = maturity(state, rules) ?? asHeight(height + rules.parameters.unbondingBlocks)
  return ok({
    account: moved.value,
    operator: { ...active, bondedStake: 0n, authorityLevel: 0n, retirement: { height, reservedUntil } },
  })
}

/** Where stake that is withdrawn now is free at the earliest; null in an epoch without end. */
function maturity({ epoch }: State, { parameters }: Pick<ChainRules, 'parameters'>): Height | null {
  const end = epochEndHeight(epoch, parameters.epochBlocks)
  return end === null ? null : asHeight(end + parameters.unbondingBlocks)
}

/** More comes from the balance at once; less goes the way of all withdrawn stake, and is liable as long. */
function moveBond(
  account: Account,
  before: bigint,
  after: bigint,
  state: State,
  rules: Pick<ChainRules, 'parameters'>,
): Outcome<Account> {
  const more = after - before
  const matureHeight = maturity(state, rules)
  if (more !== 0n && matureHeight === null) {
    return refuse(
      'staking-epochs',
      'the network has one epoch without end: bonded stake could not be given back',
    )
  }
  if (more > account.balance) {
    return refuse('staking-balance', `${more} is more than the balance of ${account.balance}`)
  }
  if (more >= 0n || matureHeight === null) return ok({ ...account, balance: account.balance - more })
  if (account.unbonding.length >= UNBONDINGS_MAX) {
    return refuse('staking-unbonding-full', `${UNBONDINGS_MAX} withdrawals are under way`)
  }
  const withdrawal = { amount: -more, matureHeight, matureTime: null }
  return ok({ ...account, unbonding: [...account.unbonding, withdrawal] })
}
