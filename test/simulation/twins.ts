/**
 * The twins' small cases, one by one (after "Twins: BFT systems made robust"): four validators of which one runs
 * twice with one key, and for every view who leads it and how the five processes are cut in two. A message of a
 * view is heard where its receiver is on its sender's side in that view; behind the last chosen view all is well.
 * Cases that differ by names only (the honest ones among themselves, one twin for the other) are one case.
 */
import { LeaderSchedule } from '../../src/consensus/leader-schedule.ts'
import { asValidatorIndex } from '../../src/types/primitives.ts'
import { Cluster } from './cluster.ts'

/** Of one view. */
interface Chosen {
  /** 0 is the validator that runs twice. */
  readonly leader: number
  /** Bit i: process i is on the other side than process 0. Processes: v0, v1, v2, v3, v0'. */
  readonly sides: number
}

export interface TwinsOptions {
  readonly views: number
  /** Cases to run: when there are more, this many spread evenly over all. */
  readonly casesMax: number
}

export interface TwinsResult {
  readonly views: number
  /** Cases that are different, and those of them that were run. */
  readonly distinct: number
  readonly cases: number
  readonly violations: readonly string[]
}

const PROCESSES = 5
const VALIDATORS = 4
/** Process 0 is on side 0: half of all assignments. */
const SIDES = 2 ** (PROCESSES - 1)
const CHOICES = VALIDATORS * SIDES
const BLOCKS_AFTER = 2
/** A view that cannot be left is left for good after this. */
const CHOSEN_VIEWS_MS = 2_000
const LIVENESS_MS = 20_000
const VIOLATIONS_MAX = 20
/** Above this many cases they are not all looked at for symmetry: a sample is taken first. */
const ENUMERATED_MAX = 300_000

/** Which process plays whose part: the honest ones in any order, the twins in either. */
const RENAMINGS: readonly (readonly number[])[] = permutations([1, 2, 3]).flatMap(([a = 1, b = 2, c = 3]) => [
  [0, a, b, c, 4],
  [4, a, b, c, 0],
])

/** Runs the cases; stops at twenty violations. */
export async function enumerateTwins({ views, casesMax }: TwinsOptions): Promise<TwinsResult> {
  const numbers = distinctCases(views, casesMax)
  const step = Math.max(1, numbers.length / casesMax)
  const violations: string[] = []
  let cases = 0
  for (let i = 0; i < numbers.length && violations.length < VIOLATIONS_MAX; i += step) {
    const number = numbers[Math.floor(i)] ?? 0
    for (const violation of await runTwins(choicesOf(number, views))) {
      violations.push(`case ${number} of ${views} views: ${violation}`)
    }
    cases++
  }
  return { views, distinct: numbers.length, cases, violations }
}

/** One case. */
async function runTwins(chosen: readonly Chosen[]): Promise<readonly string[]> {
  const { leaderOf } = LeaderSchedule.prototype
  const sides = chosen.map((choice) => choice.sides)
  LeaderSchedule.prototype.leaderOf = function (view) {
    const choice = chosen[view - 1]
    return choice === undefined ? leaderOf.call(this, view) : asValidatorIndex(choice.leader)
  }
  try {
    const order = ['v0', 'v1', 'v2', 'v3', "v0'"]
    const sideOf = (name: string, view: number): number => ((sides[view - 1] ?? 0) >> order.indexOf(name)) & 1
    let isOver = false
    const cluster = new Cluster({
      seed: 1,
      stakes: [1n, 1n, 1n, 1n],
      byzantine: new Map([[0, { kind: 'twins' }]]),
      parameters: { viewTimeoutMinMs: 60, viewTimeoutMaxMs: 60 },
      healAtMs: CHOSEN_VIEWS_MS,
      isHeard: (from, to, view) => isOver || sideOf(from.name, view) === sideOf(to.name, view),
    })
    const areThrough = (): boolean =>
      cluster.honest.every((node) => (node.look()?.view ?? 0) > chosen.length) ||
      cluster.violations.length > 0
    await cluster.runUntil(CHOSEN_VIEWS_MS, areThrough)
    isOver = true
    cluster.heal()
    const goal = Math.max(...cluster.honest.map(({ height }) => height)) + BLOCKS_AFTER
    const isLive = await cluster.runFor(
      LIVENESS_MS,
      () => cluster.honest.every(({ height }) => height >= goal) || cluster.violations.length > 0,
    )
    const heights = cluster.honest.map(({ height }) => height)
    return isLive ? cluster.violations : [`I15: heights ${heights} below ${goal}`]
  } finally {
    LeaderSchedule.prototype.leaderOf = leaderOf
  }
}

/** Numbers of the cases that are the least among those they are the same as. */
function distinctCases(views: number, casesMax: number): number[] {
  const total = CHOICES ** views
  const step = total <= ENUMERATED_MAX ? 1 : Math.max(1, Math.floor(total / (casesMax * 12)) | 1)
  const found: number[] = []
  for (let number = 0; number < total; number += step) {
    const chosen = choicesOf(number, views)
    if (RENAMINGS.every((renaming) => numberOf(renamed(chosen, renaming)) >= number)) found.push(number)
  }
  return found
}

function choicesOf(number: number, views: number): Chosen[] {
  const chosen: Chosen[] = []
  let rest = number
  for (let i = 0; i < views; i++) {
    const choice = rest % CHOICES
    // The side of process 0 is fixed, so that no cut is counted twice.
    chosen.push({ leader: choice % VALIDATORS, sides: Math.floor(choice / VALIDATORS) << 1 })
    rest = Math.floor(rest / CHOICES)
  }
  return chosen
}

function numberOf(chosen: readonly Chosen[]): number {
  return chosen.reduceRight((sum, { leader, sides }) => sum * CHOICES + (sides >> 1) * VALIDATORS + leader, 0)
}

function renamed(chosen: readonly Chosen[], renaming: readonly number[]): Chosen[] {
  return chosen.map(({ leader, sides }) => {
    let moved = 0
    for (let i = 0; i < PROCESSES; i++) if ((sides >> i) & 1) moved |= 1 << (renaming[i] ?? i)
    const isTurned = (moved & 1) === 1
    const validator = renaming[leader] ?? leader
    return {
      leader: validator === PROCESSES - 1 ? 0 : validator,
      sides: isTurned ? ~moved & (2 ** PROCESSES - 1) : moved,
    }
  })
}

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]]
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  )
}
