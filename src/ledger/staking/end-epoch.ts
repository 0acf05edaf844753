/**
 * What the last block of an epoch does besides its transactions (R13): decides the next set, starts the delays of
 * the epoch's withdrawals, frees what is mature, and forgets what no evidence can reach any more, and
 * the names of operators that are long retired.
 */
import { VALIDATORS_MAX } from '../../codec/limits.ts'
import type { ChainParameters } from '../../types/genesis.ts'
import type { Operators } from '../../types/operator.ts'
import { type AccountId, asEpoch, asUnixMs } from '../../types/primitives.ts'
import { type Account, EPOCH_ENDS_MAX, type StakingState, type Unbonding } from '../../types/staking.ts'
import type { Validator } from '../../types/validator-set.ts'
import { type ChainMoment, isEpochExpired, isWindowOver } from './evidence-window.ts'
import { idOfKey, ownerOfKey } from './validator-keys.ts'

/**
 * @param state after the block's transactions
 * @param end the block
 */
export function endEpoch(state: StakingState, end: ChainMoment, parameters: ChainParameters): StakingState {
  const epoch = asEpoch(state.epoch + 1)
  const epochEnds = [...state.epochEnds, { epoch: state.epoch, time: end.time }]
    .filter((past) => !isEpochExpired(past.epoch, { epoch, epochEnds: [past] }, end, parameters))
    .slice(-EPOCH_ENDS_MAX)
  const accounts = new Map<AccountId, Account>()
  for (const [id, account] of state.accounts) {
    const settled = settle(account, end, parameters)
    const previousKeys = settled.previousKeys.filter(
      ({ lastEpoch }) => !isEpochExpired(lastEpoch, { epoch, epochEnds }, end, parameters),
    )
    const isSame = previousKeys.length === settled.previousKeys.length
    accounts.set(id, isSame ? settled : { ...settled, previousKeys })
  }
  return {
    epoch,
    // Who a validator of the old set is, its former keys tell: they are looked up before any is forgotten.
    validators: nextValidators(state, parameters.minimumValidatorStake),
    accounts,
    operators: withoutForgotten(state.operators, end),
    slashes: state.slashes.filter((slash) => !isWindowOver(slash, end, parameters)),
    epochEnds,
    burnt: state.burnt,
  }
}

/** Starts the delays that have not begun and frees what is mature; the same account when there is neither. */
function settle(account: Account, end: ChainMoment, { unbondingMs }: ChainParameters): Account {
  if (account.unbonding.length === 0) return account
  let freed = 0n
  const unbonding: Unbonding[] = []
  for (const entry of account.unbonding) {
    const matureTime = entry.matureTime ?? asUnixMs(end.time + unbondingMs)
    if (end.height >= entry.matureHeight && end.time >= matureTime) freed += entry.amount
    else unbonding.push({ ...entry, matureTime })
  }
  return { ...account, balance: account.balance + freed, unbonding }
}

/** The set of the next epoch; the old one when nobody qualifies, for a chain without validators would be no chain. */
export function nextValidators(
  state: Pick<StakingState, 'accounts' | 'validators'>,
  minimumStake: bigint,
): readonly Validator[] {
  const members = [...state.accounts.values()]
    .filter(
      ({ isJoined, tombstonedAt, bonded, validatorKey }) =>
        isJoined && tombstonedAt === null && bonded >= minimumStake && validatorKey !== null,
    )
    .sort((a, b) => (a.bonded === b.bonded ? (a.id < b.id ? -1 : 1) : a.bonded > b.bonded ? -1 : 1))
    .slice(0, VALIDATORS_MAX)
  if (members.length === 0) return state.validators
  const places = new Map<AccountId, number>()
  for (const [i, { id }] of state.validators.entries()) {
    const owner = ownerOfKey(id, state.accounts)
    if (owner !== null) places.set(owner.account.id, i)
  }
  const placeOf = ({ id }: Account): number => places.get(id) ?? state.validators.length
  const next = members
    .sort((a, b) => placeOf(a) - placeOf(b) || (a.id < b.id ? -1 : 1))
    .flatMap(({ validatorKey, bonded }) =>
      validatorKey === null
        ? []
        : [{ id: idOfKey(validatorKey), publicKey: validatorKey, stake: bonded } satisfies Validator],
    )
  return isSameSet(next, state.validators) ? state.validators : next
}

function isSameSet(a: readonly Validator[], b: readonly Validator[]): boolean {
  return a.length === b.length && a.every(({ id, stake }, i) => id === b[i]?.id && stake === b[i]?.stake)
}

/** Retired operators whose names were kept for long enough are gone. The very registry when there are none. */
function withoutForgotten(operators: Operators, { height }: ChainMoment): Operators {
  const kept = [...operators].filter(
    ([, { retirement }]) => retirement === null || height < retirement.reservedUntil,
  )
  return kept.length === operators.size ? operators : new Map(kept)
}
