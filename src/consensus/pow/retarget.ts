/**
 * The next block's target, a pure function of the blocks before it, and the two bounds on its time. Weighted
 * towards recent blocks (LWMA), recomputed at every block, and bounded over the window.
 */
import { assert } from '../../types/assert.ts'
import { bitsOfTarget, targetOfBits } from '../../types/compact-target.ts'
import type { MiningParameters } from '../../types/pow.ts'
import type { UnixMs } from '../../types/primitives.ts'

/** What later blocks need to know of one. */
export interface Mark {
  readonly timestamp: UnixMs
  /** Null for the block that the mined chain begins on. */
  readonly bits: number | null
}

/** As Bitcoin: the median of so many timestamps, the block's own predecessor included. */
export const MEDIAN_BLOCKS = 11

/** A single time between two blocks counts at most this many intervals, whatever the timestamps say. */
const SOLVE_INTERVALS_MAX = 6n
/** The target is at most this many times easier or harder than it was one window ago. */
const WINDOW_FACTOR = 4n

/** How many blocks back {@link nextBits} and {@link medianTimePast} look. */
export function trailLength({ retargetWindow }: MiningParameters): number {
  return Math.max(retargetWindow + 1, MEDIAN_BLOCKS)
}

/**
 * Compact target of the block after the last of the trail.
 * @param trail of consecutive blocks, oldest first, as many as there are up to {@link trailLength}. Where the
 *   chain is shorter than the window, blocks of the initial target and exactly the wanted interval are assumed
 */
export function nextBits(trail: readonly Mark[], mining: MiningParameters): number {
  const { retargetWindow, targetIntervalMs } = mining
  const interval = BigInt(targetIntervalMs)
  const initial = knownTarget(mining.initialBits)
  const marks = trail.slice(-(retargetWindow + 1))
  const assumed = retargetWindow - (marks.length - 1)
  let targets = 0n
  let weightedMs = 0n
  let oldest = initial
  for (let slot = 1; slot <= retargetWindow; slot++) {
    const mark = marks[slot - assumed]
    const before = marks[slot - assumed - 1]
    const isAssumed = slot <= assumed || mark === undefined || before === undefined || mark.bits === null
    const target = isAssumed ? initial : knownTarget(mark.bits)
    const solvedMs = isAssumed ? interval : clamp(BigInt(mark.timestamp - before.timestamp), interval)
    if (slot === 1) oldest = target
    targets += target
    weightedMs += BigInt(slot) * solvedMs
  }
  const window = BigInt(retargetWindow)
  const weights = (window * (window + 1n)) / 2n
  const wanted = (targets * weightedMs) / (window * weights * interval)
  const limit = knownTarget(mining.limitBits)
  const bounded = within(wanted, oldest / WINDOW_FACTOR, oldest * WINDOW_FACTOR)
  return bitsOfTarget(within(bounded, 1n, limit))
}

/** The median of the last eleven timestamps (the upper one of an even number): a block's own must be above it. */
export function medianTimePast(trail: readonly Mark[]): UnixMs {
  const times = trail.slice(-MEDIAN_BLOCKS).map(({ timestamp }) => timestamp)
  times.sort((a, b) => a - b)
  const median = times[times.length >> 1]
  assert(median !== undefined, 'a trail has at least the block that the chain begins on')
  return median
}

/** The target of bits that have been checked before. */
export function knownTarget(bits: number): bigint {
  const target = targetOfBits(bits)
  assert(target.ok, `bits ${bits} were taken in unchecked`)
  return target.value
}

function clamp(solvedMs: bigint, interval: bigint): bigint {
  return within(solvedMs, 1n, SOLVE_INTERVALS_MAX * interval)
}

function within(value: bigint, least: bigint, most: bigint): bigint {
  return value < least ? least : value > most ? most : value
}
