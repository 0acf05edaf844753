/** What an equivocation costs: at least 5 %, and three times the share of the stake that fell in the same window. */
import type { ChainParameters } from '../../types/genesis.ts'
import type { Account, Slash, StakingState } from '../../types/staking.ts'
import { type ChainMoment, isWindowOver } from './evidence-window.ts'

const MILLION = 1_000_000n
/** 5 %, in parts per million. */
const LEAST_PPM = 50_000n
/** One that fails alone loses little; a third that fails together, as an attack does, loses all. */
const CORRELATION = 3n

const dividedUp = (a: bigint, b: bigint): bigint => (a + b - 1n) / b

/** Parts per million, rounded up, that are burnt when `slashed` of `total` stake has fallen in the window. */
export function penaltyPpm(slashed: bigint, total: bigint): bigint {
  const correlated = dividedUp(CORRELATION * slashed * MILLION, total)
  const least = correlated < LEAST_PPM ? LEAST_PPM : correlated
  return least > MILLION ? MILLION : least
}

/** Everything that an account is liable with. */
export function liableStake({ bonded, unbonding }: Account): bigint {
  return unbonding.reduce((sum, { amount }) => sum + amount, bonded)
}

/** An account after its punishment, and the record of it. */
export function punish(
  account: Account,
  state: Pick<StakingState, 'slashes' | 'validators'>,
  now: ChainMoment,
  parameters: ChainParameters,
): { readonly account: Account; readonly slash: Slash } {
  const stake = liableStake(account)
  const slashed = state.slashes
    .filter((slash) => !isWindowOver(slash, now, parameters))
    .reduce((sum, slash) => sum + slash.stake, stake)
  const total = state.validators.reduce((sum, validator) => sum + validator.stake, 0n)
  const ppm = penaltyPpm(slashed, total)
  const remaining = (amount: bigint): bigint => amount - dividedUp(amount * ppm, MILLION)
  const after: Account = {
    ...account,
    bonded: remaining(account.bonded),
    unbonding: account.unbonding.map((entry) => ({ ...entry, amount: remaining(entry.amount) })),
    isJoined: false,
    tombstonedAt: now.height,
  }
  const burnt = stake - liableStake(after)
  return { account: after, slash: { account: account.id, height: now.height, time: now.time, stake, burnt } }
}
