/** How long to wait before asking again: exponential, with full jitter, so that callers who failed together spread. */
import type { Random } from './clock.ts'

/** Bounds of the wait. */
export interface Backoff {
  /** Upper bound of the first wait. */
  readonly baseMs: number
  /** Upper bound of every wait. */
  readonly maxMs: number
}

export const DEFAULT_BACKOFF: Backoff = { baseMs: 100, maxMs: 5_000 }

/** 2^30 of any base is beyond any maximum, and still exact. */
const DOUBLINGS_MAX = 30

/** Anything from nothing to the bound of this round, evenly. @param round 0 for the first wait */
export function backoffMs(round: number, { baseMs, maxMs }: Backoff, random: Random): number {
  return random() * Math.min(maxMs, baseMs * 2 ** Math.min(round, DOUBLINGS_MAX))
}
