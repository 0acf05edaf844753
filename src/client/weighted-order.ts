/** The order in which to ask, as RFC 2782 wants it: the lowest priority first, and within one by weighted chance. */
import type { Random } from './clock.ts'

/** What has a rank. */
export interface Ranked {
  readonly priority: number
  readonly weight: number
}

/**
 * All items, in an order drawn anew each time: within a priority the chance of being first is an item's share of the
 * weight. Items of weight 0 come after the others, unless all of a priority have it: then all are equal.
 * @param weightOf in place of the item's own weight
 */
export function weightedOrder<T extends Ranked>(
  items: readonly T[],
  random: Random,
  weightOf: (item: T) => number = ({ weight }) => weight,
): T[] {
  const priorities = [...new Set(items.map(({ priority }) => priority))].sort((a, b) => a - b)
  return priorities.flatMap((priority) =>
    drawAll(
      items.filter((item) => item.priority === priority),
      random,
      weightOf,
    ),
  )
}

function drawAll<T>(items: readonly T[], random: Random, weightOf: (item: T) => number): T[] {
  const left = items.map((item) => ({ item, weight: Math.max(0, weightOf(item)) }))
  const drawn: T[] = []
  while (left.length > 0) {
    const sum = left.reduce((total, { weight }) => total + weight, 0)
    const at = sum > 0 ? drawByWeight(left, random() * sum) : Math.floor(random() * left.length)
    drawn.push(...left.splice(at, 1).map(({ item }) => item))
  }
  return drawn
}

/** The first entry at which the running sum is above the point. */
function drawByWeight(entries: readonly { readonly weight: number }[], point: number): number {
  let sum = 0
  let last = 0
  for (const [i, { weight }] of entries.entries()) {
    sum += weight
    if (weight > 0) last = i
    if (sum > point) return i
  }
  // Rounding: the sum of doubles may end a little below what it was drawn from.
  return last
}
