/**
 * What each staking operation does to the accounts: the changed accounts out, or why it is not allowed. Knows
 * nothing of signatures, sequences and expiry (check-staking.ts).
 */
import { unreachable } from '../../types/assert.ts'
import { epochEndHeight } from '../../types/epochs.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import type { ChainParameters } from '../../types/genesis.ts'
import { type AccountId, asHeight } from '../../types/primitives.ts'
import {
  ACCOUNTS_MAX,
  type Account,
  NEW_ACCOUNT_AMOUNT_MIN,
  PREVIOUS_KEYS_MAX,
  type StakingState,
  UNBONDINGS_MAX,
} from '../../types/staking.ts'
import type { StakingOperation } from '../../types/transaction.ts'
import { emptyAccount } from './genesis-staking.ts'
import type { StakingRefusal } from './staking-refusals.ts'
import { idOfKey, ownerOfKey } from './validator-keys.ts'

type Outcome = Result<readonly Account[], StakingRefusal>
type State = Pick<StakingState, 'accounts' | 'epoch'>
type Operation<K extends StakingOperation['kind']> = Extract<StakingOperation, { kind: K }>

/**
 * @param account whose operation it is, as it is before
 * @param publicKey of the account: its validator key when it joins without another one
 * @returns the accounts that change, as they are after; the account's sequence is the caller's
 */
export function applyOperation(
  operation: StakingOperation,
  account: Account,
  publicKey: Uint8Array,
  state: State,
  parameters: ChainParameters,
): Outcome {
  if (operation.kind === 'transfer') return transfer(operation, account, state)
  if (operation.kind === 'rejoin') return rejoin(account, parameters)
  if (parameters.epochBlocks === 0) {
    return refuse('staking-epochs', 'the network has one epoch without end, its validator set never changes')
  }
  const isWayOut = operation.kind === 'unbond' || operation.kind === 'leave'
  if (account.tombstonedAt !== null && !isWayOut) {
    return refuse(
      'staking-tombstoned',
      `account ${account.id} was punished at height ${account.tombstonedAt}`,
    )
  }
  switch (operation.kind) {
    case 'bond':
      return bond(operation, account)
    case 'unbond':
      return unbond(operation, account, state, parameters)
    case 'join':
      return join(account, publicKey, state, parameters)
    case 'leave':
      if (!account.isJoined) return refuse('staking-not-joined', `account ${account.id} has not joined`)
      return ok([{ ...account, isJoined: false }])
    case 'change-key':
      return changeKey(operation, account, state)
    default:
      return unreachable(operation)
  }
}

function transfer({ to, amount }: Operation<'transfer'>, account: Account, state: State): Outcome {
  const short = shortOf(amount, account)
  if (short !== null) return short
  if (to === account.id) return refuse('staking-recipient', 'an account cannot pay itself')
  const payee = payeeOf(to, amount, state.accounts)
  if (!payee.ok) return payee
  return ok([
    { ...account, balance: account.balance - amount },
    { ...payee.value, balance: payee.value.balance + amount },
  ])
}

/** The account that an amount is paid to, before it is: a new one where there is none and may be one. */
export function payeeOf(
  to: AccountId,
  amount: bigint,
  accounts: ReadonlyMap<AccountId, Account>,
): Result<Account, 'staking-new-account' | 'staking-accounts-full'> {
  const known = accounts.get(to)
  if (known !== undefined) return ok(known)
  if (amount < NEW_ACCOUNT_AMOUNT_MIN) {
    return refuse(
      'staking-new-account',
      `account ${to} is new: the minimum is ${NEW_ACCOUNT_AMOUNT_MIN}, not ${amount}`,
    )
  }
  return accounts.size >= ACCOUNTS_MAX
    ? refuse('staking-accounts-full', `there are ${ACCOUNTS_MAX} accounts, and ${to} would be new`)
    : ok(emptyAccount(to))
}

function bond({ amount }: Operation<'bond'>, account: Account): Outcome {
  return (
    shortOf(amount, account) ??
    ok([{ ...account, balance: account.balance - amount, bonded: account.bonded + amount }])
  )
}

function unbond(
  { amount }: Operation<'unbond'>,
  account: Account,
  { epoch }: State,
  { epochBlocks, unbondingBlocks }: ChainParameters,
): Outcome {
  if (amount > account.bonded) {
    return refuse('staking-bonded', `${amount} is more than the stake of ${account.bonded}`)
  }
  if (account.unbonding.length >= UNBONDINGS_MAX) {
    return refuse('staking-unbonding-full', `${UNBONDINGS_MAX} withdrawals are under way`)
  }
  // It is a weight until the epoch ends, so that is what the delay is counted from.
  const matureHeight = asHeight((epochEndHeight(epoch, epochBlocks) ?? 0) + unbondingBlocks)
  const unbonding = [...account.unbonding, { amount, matureHeight, matureTime: null }]
  return ok([{ ...account, bonded: account.bonded - amount, unbonding }])
}

function join(account: Account, publicKey: Uint8Array, state: State, parameters: ChainParameters): Outcome {
  if (account.isJoined) return refuse('staking-joined', `account ${account.id} has joined already`)
  const { minimumValidatorStake } = parameters
  if (account.bonded < minimumValidatorStake) {
    return refuse(
      'staking-minimum',
      `the stake of ${account.bonded} is below the minimum of ${minimumValidatorStake}`,
    )
  }
  if (account.validatorKey !== null) return ok([{ ...account, isJoined: true }])
  const taken = takenBy(publicKey, state)
  return taken ?? ok([{ ...account, isJoined: true, validatorKey: publicKey }])
}

/** Nothing of the stake changes: who takes part in verdicts is a matter of trust (verdicts/voting-execution.ts). */
function rejoin(account: Account, { minimumValidatorStake }: ChainParameters): Outcome {
  if (account.tombstonedAt !== null) {
    return refuse(
      'staking-tombstoned',
      `account ${account.id} was punished at height ${account.tombstonedAt}`,
    )
  }
  return account.bonded < minimumValidatorStake
    ? refuse(
        'staking-minimum',
        `the stake of ${account.bonded} is below the minimum of ${minimumValidatorStake}`,
      )
    : ok([account])
}

function changeKey({ newPublicKey }: Operation<'change-key'>, account: Account, state: State): Outcome {
  const taken = takenBy(newPublicKey, state)
  if (taken !== null) return taken
  if (account.validatorKey === null) return ok([{ ...account, validatorKey: newPublicKey }])
  if (account.previousKeys.length >= PREVIOUS_KEYS_MAX) {
    return refuse('staking-key-changes', `${PREVIOUS_KEYS_MAX} former keys still answer for what they signed`)
  }
  const previous = { id: idOfKey(account.validatorKey), lastEpoch: state.epoch }
  return ok([{ ...account, validatorKey: newPublicKey, previousKeys: [...account.previousKeys, previous] }])
}

/** Why an account cannot spend so much; null when it can. */
export function shortOf(amount: bigint, { balance }: Account): Refusal<'staking-balance'> | null {
  return amount > balance
    ? refuse('staking-balance', `${amount} is more than the balance of ${balance}`)
    : null
}

function takenBy(
  publicKey: Uint8Array,
  { accounts }: State,
): ReturnType<typeof refuse<StakingRefusal>> | null {
  const owner = ownerOfKey(idOfKey(publicKey), accounts)
  return owner === null
    ? null
    : refuse<StakingRefusal>(
        'staking-key-taken',
        `the key belongs or belonged to account ${owner.account.id}`,
      )
}
