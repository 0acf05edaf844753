/**
 * How trust changes: integers, by final blocks only, falling fast and rising slowly (spec/commit-reveal.md 5.5 to
 * 5.7). It decides whose findings weigh in verdicts, and never anything about blocks.
 */
import { unreachable } from '../../types/assert.ts'
import type { BallotSlot } from '../../types/ballots.ts'
import { type AccountId, asHeight, type Height } from '../../types/primitives.ts'
import { TRUST_MAX, type TrustStatus, type ValidatorTrust } from '../../types/voting.ts'
import type { Seat } from './electors.ts'

/** Of a validator of genesis, and of one that comes later. */
export const TRUST_AT_GENESIS = 800_000
export const TRUST_OF_NEWCOMERS = 500_000
/** Below: excluded. At least this: may weigh again. */
export const TRUST_TO_STAY = 500_000
export const TRUST_TO_RETURN = 700_000
/** Clean periods before one in probation weighs. */
export const CLEAN_PERIODS_TO_RETURN = 20

/** Shares of the trust there is, parts per million: what each fault costs. */
const COST = { dissent: 200_000, opinion: 50_000, withheld: 200_000, leak: 500_000, pair: 500_000 } as const
const GAIN_PER_CLEAN_PERIOD = 10_000
const LOSS_PER_ABSENT_PERIOD = 20_000
const DECAY_PER_IDLE_PERIOD = 2_000
/** Agreements that a period must have to be rewarded. */
const AGREEMENTS_FOR_GAIN = 10
const COOL_DOWN_PERIODS = 10
const COOL_DOWN_DOUBLINGS_MAX = 6

/**
 * What a validator did in one slot, when that is accounted for. `opposed`: its operator had another opinion of an operation,
 * which no rule decides.
 */
export type Conduct =
  | 'agreed'
  | 'inconclusive'
  | 'dissented'
  | 'opposed'
  | 'withheld'
  | 'leaked'
  | 'abstained'
  | 'absent'

/** Trust of one who was never seen before. */
export function newTrust(account: AccountId, ppm: number, status: TrustStatus): ValidatorTrust {
  return {
    account,
    ppm,
    status,
    exclusions: 0,
    untilPeriod: 0,
    cleanStreak: 0,
    opportunities: 0,
    agreed: 0,
    dissented: 0,
    withheld: 0,
    absent: 0,
    lastSeen: asHeight(0),
    withheldAt: asHeight(0),
    commitPairs: [],
  }
}

/** T − ⌈T × share⌉, never below 0. */
export function lose(ppm: number, share: number): number {
  return ppm - Math.ceil((ppm * share) / TRUST_MAX)
}

/**
 * Trust after one slot.
 * @param height of the block that accounts for it
 * @param isBlind false in a second attempt, where what others found is known: it can cost trust and earns none
 */
export function afterSlot(
  trust: ValidatorTrust,
  conduct: Conduct,
  height: Height,
  isBlind: boolean,
): ValidatorTrust {
  const taken = { ...trust, opportunities: trust.opportunities + 1 }
  switch (conduct) {
    case 'agreed':
      return isBlind ? { ...taken, agreed: trust.agreed + 1 } : taken
    case 'inconclusive':
      return taken
    case 'dissented':
      return { ...taken, dissented: trust.dissented + 1, ppm: lose(trust.ppm, COST.dissent) }
    case 'opposed':
      return { ...taken, dissented: trust.dissented + 1, ppm: lose(trust.ppm, COST.opinion) }
    case 'leaked':
      return { ...taken, dissented: trust.dissented + 1, ppm: lose(trust.ppm, COST.leak) }
    case 'withheld': {
      const withheld = trust.withheld + 1
      // Nothing of it was seen since it paid for the last one: an outage, and an outage is paid for once.
      if (trust.withheldAt > 0 && trust.lastSeen < trust.withheldAt)
        return { ...taken, absent: trust.absent + 1 }
      return { ...taken, withheld, withheldAt: height, ppm: lose(trust.ppm, COST.withheld) }
    }
    case 'abstained':
    case 'absent':
      return { ...taken, absent: trust.absent + 1 }
    default:
      return unreachable(conduct)
  }
}

/** Trust after two commits in one slot were proven. The period is no clean one. */
export function afterCommitPair(trust: ValidatorTrust, slot: BallotSlot): ValidatorTrust {
  return {
    ...trust,
    ppm: lose(trust.ppm, COST.pair),
    dissented: trust.dissented + 1,
    commitPairs: [...trust.commitPairs, slot],
  }
}

/** Trust after a period, its counters at zero. One who is excluded neither gains nor loses. */
export function afterPeriod(trust: ValidatorTrust): ValidatorTrust {
  const { ppm, cleanStreak, opportunities, agreed, dissented, withheld, absent, status } = trust
  const rested = { ...trust, opportunities: 0, agreed: 0, dissented: 0, withheld: 0, absent: 0 }
  if (status === 'excluded') return rested
  if (absent * 10 > opportunities) {
    return { ...rested, ppm: Math.max(0, ppm - LOSS_PER_ABSENT_PERIOD), cleanStreak: 0 }
  }
  if (dissented + withheld > 0) return { ...rested, cleanStreak: 0 }
  if (agreed >= AGREEMENTS_FOR_GAIN) {
    return { ...rested, ppm: Math.min(TRUST_MAX, ppm + GAIN_PER_CLEAN_PERIOD), cleanStreak: cleanStreak + 1 }
  }
  return ppm > TRUST_TO_RETURN
    ? { ...rested, ppm: Math.max(TRUST_TO_RETURN, ppm - DECAY_PER_IDLE_PERIOD) }
    : rested
}

/**
 * Who is excluded and who weighs again at the end of a period. Never more than a third of the stake is without
 * weight by exclusion: or a minority of liars could become a majority of those who are left.
 * @param trust of every account, after the period; changed in place
 * @param seats of the next period
 */
export function changeStatuses(
  trust: Map<AccountId, ValidatorTrust>,
  seats: readonly Seat[],
  nextPeriod: number,
): void {
  const total = seats.reduce((sum, { validator }) => sum + validator.stake, 0n)
  const stakes = new Map(seats.map(({ account, validator }) => [account, validator.stake]))
  const seated = [...trust.values()].filter(({ account }) => stakes.has(account))
  const stakeOf = ({ account }: ValidatorTrust): bigint => stakes.get(account) ?? 0n
  let weightless = weightlessStake(trust, seats)
  const fallen = seated
    .filter(({ status, ppm }) => status === 'active' && ppm < TRUST_TO_STAY)
    .sort((a, b) => a.ppm - b.ppm || (a.account < b.account ? -1 : 1))
  for (const of of fallen) {
    if (weightless + stakeOf(of) > total / 3n) continue
    weightless += stakeOf(of)
    trust.set(of.account, excluded(of, nextPeriod))
  }
  let returned = 0n
  for (const of of seated.sort((a, b) => (a.account < b.account ? -1 : 1))) {
    if (of.status !== 'probation' || of.ppm < TRUST_TO_RETURN || of.cleanStreak < CLEAN_PERIODS_TO_RETURN)
      continue
    // A tenth of the stake in one period, so that nobody can wait for a moment; one at least, however large it is.
    if (returned > 0n && returned + stakeOf(of) > total / 10n) continue
    returned += stakeOf(of)
    trust.set(of.account, { ...of, status: 'active' })
  }
  for (const { account } of seats) {
    if (!trust.has(account)) trust.set(account, newTrust(account, TRUST_OF_NEWCOMERS, 'probation'))
  }
}

/** Stake of validators that do not weigh. */
function weightlessStake(trust: ReadonlyMap<AccountId, ValidatorTrust>, seats: readonly Seat[]): bigint {
  return seats.reduce((sum, { account, validator }) => {
    const status = trust.get(account)?.status
    return status === undefined || status === 'active' ? sum : sum + validator.stake
  }, 0n)
}

/** Whether a validator could be excluded, and no more than a third of the stake be without weight. */
export function isWithinExclusionCap(
  account: AccountId,
  trust: ReadonlyMap<AccountId, ValidatorTrust>,
  seats: readonly Seat[],
): boolean {
  const total = seats.reduce((sum, { validator }) => sum + validator.stake, 0n)
  const others = seats.filter((seat) => seat.account !== account)
  const own = seats.reduce((sum, seat) => (seat.account === account ? sum + seat.validator.stake : sum), 0n)
  return weightlessStake(trust, others) + own <= total / 3n
}

/** Trust of one that is excluded from the next period on, for longer each time. */
export function excluded(trust: ValidatorTrust, nextPeriod: number): ValidatorTrust {
  const doublings = Math.min(trust.exclusions, COOL_DOWN_DOUBLINGS_MAX)
  return {
    ...trust,
    status: 'excluded',
    exclusions: trust.exclusions + 1,
    untilPeriod: nextPeriod + COOL_DOWN_PERIODS * 2 ** doublings,
    cleanStreak: 0,
  }
}
