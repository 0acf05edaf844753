/**
 * Canonical bytes of accounts and of the rest of the staking state: rows of the database, parts of a snapshot, and
 * leaves under the state root. Strict both ways: whatever decodes re-encodes to the same bytes.
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import type { Operator } from '../types/operator.ts'
import type { AccountId, Height, UnixMs, ValidatorId } from '../types/primitives.ts'
import {
  ACCOUNTS_MAX,
  type Account,
  EPOCH_ENDS_MAX,
  type EpochEnd,
  PREVIOUS_KEYS_MAX,
  type PreviousKey,
  type Slash,
  type StakingState,
  UNBONDINGS_MAX,
  type Unbonding,
} from '../types/staking.ts'
import { PUBLIC_KEY_BYTES, validatorListSchema } from './genesis.ts'
import { SLASHES_MAX, VALIDATORS_MAX } from './limits.ts'
import { operatorSchema, sortedOperators } from './operator.ts'
import {
  bytesFixed,
  counter,
  decode,
  encode,
  flag,
  hexBytes,
  listOf,
  nullable,
  optionalCounter,
  record,
  type Schema,
  u64,
} from './schema.ts'

export const accountSchema: Schema<Account> = record<Account>({
  id: hexBytes<AccountId>(32),
  balance: u64,
  sequence: counter(),
  bonded: u64,
  unbonding: listOf(
    record<Unbonding>({ amount: u64, matureHeight: counter(), matureTime: optionalCounter<UnixMs>() }),
    UNBONDINGS_MAX,
  ),
  validatorKey: nullable(bytesFixed(PUBLIC_KEY_BYTES)),
  previousKeys: listOf(
    record<PreviousKey>({ id: hexBytes<ValidatorId>(32), lastEpoch: counter() }),
    PREVIOUS_KEYS_MAX,
  ),
  isJoined: flag,
  tombstonedAt: optionalCounter<Height>(),
})

export const slashListSchema = listOf(
  record<Slash>({
    account: hexBytes<AccountId>(32),
    height: counter(),
    time: counter(),
    stake: u64,
    burnt: u64,
  }),
  SLASHES_MAX,
)

export const epochEndListSchema = listOf(
  record<EpochEnd>({ epoch: counter(), time: counter() }),
  EPOCH_ENDS_MAX,
)

/** A staking state without its accounts and operators, which are rows of their own. */
export type StakingRest = Omit<StakingState, 'accounts' | 'operators'>

const stakingRestSchema = record<StakingRest>({
  epoch: counter(),
  validators: validatorListSchema,
  slashes: slashListSchema,
  epochEnds: epochEndListSchema,
  burnt: u64,
})

interface StakingParts {
  readonly rest: StakingRest
  readonly accounts: readonly Account[]
  readonly operators: readonly Operator[]
}

const stakingSchema = record<StakingParts>({
  rest: stakingRestSchema,
  accounts: listOf(accountSchema, ACCOUNTS_MAX),
  operators: listOf(operatorSchema, ACCOUNTS_MAX),
})

/** Variable parts at their longest. */
const ACCOUNT_BYTES_MAX = 4_096
const REST_BYTES_MAX = VALIDATORS_MAX * 2_000 + SLASHES_MAX * 64 + EPOCH_ENDS_MAX * 16 + 256

export function encodeAccount(account: Account): Uint8Array {
  return encode(accountSchema, account)
}

export function decodeAccount(bytes: Uint8Array): Result<Account, 'malformed'> {
  return decode(accountSchema, bytes, ACCOUNT_BYTES_MAX)
}

export function encodeStakingRest(state: StakingRest): Uint8Array {
  return encode(stakingRestSchema, state)
}

export function decodeStakingRest(bytes: Uint8Array): Result<StakingRest, 'malformed'> {
  return decode(stakingRestSchema, bytes, REST_BYTES_MAX)
}

/** The whole state, accounts and operators in order of their ids. */
export function encodeStakingState(state: StakingState): Uint8Array {
  return encode(stakingSchema, {
    rest: state,
    accounts: sortedAccounts(state.accounts),
    operators: sortedOperators(state.operators),
  })
}

/** Reads what {@link encodeStakingState} wrote; accounts or operators out of order are refused. */
export function decodeStakingState(bytes: Uint8Array): Result<StakingState, 'malformed'> {
  const raw = decode(stakingSchema, bytes, REST_BYTES_MAX + ACCOUNTS_MAX * ACCOUNT_BYTES_MAX)
  if (!raw.ok) return raw
  const { rest, accounts, operators } = raw.value
  for (const [i, { id }] of accounts.entries()) {
    if (i > 0 && id <= (accounts[i - 1]?.id ?? ''))
      return refuse('malformed', `account ${id} is out of order`)
  }
  for (const [i, { account }] of operators.entries()) {
    if (i > 0 && account <= (operators[i - 1]?.account ?? ''))
      return refuse('malformed', `the operator of account ${account} is out of order`)
  }
  return ok({
    ...rest,
    accounts: new Map(accounts.map((account) => [account.id, account])),
    operators: new Map(operators.map((operator) => [operator.account, operator])),
  })
}

/** Accounts in order of their ids. */
export function sortedAccounts(accounts: ReadonlyMap<AccountId, Account>): Account[] {
  return [...accounts.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}
