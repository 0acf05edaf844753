/**
 * R14: smooth weighted round-robin by view. Every validator leads in proportion to its stake, its turns spread
 * evenly. Who takes part in it is decided in leader-election.ts.
 */
import type { ValidatorIndex, View } from '../types/primitives.ts'
import { asValidatorIndex } from '../types/primitives.ts'
import type { Electorate } from './validator-set.ts'

/**
 * Turns in one cycle at the most. Stakes whose exact cycle is longer are apportioned to this many turns by
 * largest remainder: with 256 validators a turn is then worth at most 1/16 of an even share.
 */
const CYCLE_TURNS_MAX = 4_096n

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b)
}

/** Turns per cycle of each validator; zero only for stakes below half a turn. */
function turnsOf(stakes: readonly bigint[]): bigint[] {
  const divisor = stakes.reduce(gcd, 0n)
  const total = stakes.reduce((sum, stake) => sum + stake, 0n)
  if (total / divisor <= CYCLE_TURNS_MAX) return stakes.map((stake) => stake / divisor)
  const turns = stakes.map((stake) => (stake * CYCLE_TURNS_MAX) / total)
  const left = CYCLE_TURNS_MAX - turns.reduce((sum, turn) => sum + turn, 0n)
  const byRemainder = stakes
    .map((stake, i) => ({ i, remainder: (stake * CYCLE_TURNS_MAX) % total }))
    .sort((a, b) => (a.remainder === b.remainder ? a.i - b.i : a.remainder > b.remainder ? -1 : 1))
  for (const { i } of byRemainder.slice(0, Number(left))) turns[i] = (turns[i] ?? 0n) + 1n
  return turns
}

/** Who leads which view, by stake alone. */
export class LeaderSchedule {
  readonly #cycle: readonly ValidatorIndex[]

  /** @param without validators that get no turn; not all of them */
  constructor(electorate: Electorate, without: ReadonlySet<ValidatorIndex> = new Set()) {
    const stakes = electorate.set.validators.map(({ stake }, i) =>
      without.has(asValidatorIndex(i)) ? 0n : stake,
    )
    const turns = turnsOf(stakes)
    const total = turns.reduce((sum, turn) => sum + turn, 0n)
    const credit = turns.map(() => 0n)
    const cycle: ValidatorIndex[] = []
    for (let slot = 0n; slot < total; slot++) {
      let best = 0
      for (let i = 0; i < turns.length; i++) {
        credit[i] = (credit[i] ?? 0n) + (turns[i] ?? 0n)
        if ((credit[i] ?? 0n) > (credit[best] ?? 0n)) best = i
      }
      credit[best] = (credit[best] ?? 0n) - total
      cycle.push(asValidatorIndex(best))
    }
    this.#cycle = cycle
  }

  /** Leader of a view. */
  leaderOf(view: View): ValidatorIndex {
    return this.#cycle[view % this.#cycle.length] ?? asValidatorIndex(0)
  }
}
