/**
 * The swarm: every seed is a network of its own with its own faults and adversaries. What is checked is in
 * checker.ts; `node test/simulation/run.ts SEED` repeats a seed that failed.
 */
import { describe, expect, it } from 'vitest'
import { runSeed, TRANSACTIONS } from './swarm.ts'

const SEEDS = 150
const SEEDS_PER_TEST = 15
/** Run twice: the same seed gives the same effects in the same order. */
const SEEDS_TWICE = 10
/** Simulated in real time on a loaded machine; a test waits for its seeds, never for this. */
const TIMEOUT_MS = 120_000

async function failures(from: number, to: number): Promise<string[]> {
  const failed: string[] = []
  for (let seed = from; seed < to; seed++) {
    const { violations } = await runSeed(seed, TRANSACTIONS)
    if (violations.length > 0) {
      failed.push(`seed ${seed} (node test/simulation/run.ts ${seed}): ${violations.slice(0, 3).join('; ')}`)
    }
  }
  return failed
}

describe('the swarm', () => {
  const starts = Array.from({ length: SEEDS / SEEDS_PER_TEST }, (_, i) => i * SEEDS_PER_TEST)
  it.each(starts)(
    `is safe, and live after healing, in ${SEEDS_PER_TEST} seeds from %i`,
    async (from) => {
      expect(await failures(from, from + SEEDS_PER_TEST)).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    `gives the same trace for the same seed, in ${SEEDS_TWICE} seeds`,
    async () => {
      for (let seed = 0; seed < SEEDS_TWICE; seed++) {
        const once = await runSeed(seed, TRANSACTIONS)
        expect(await runSeed(seed, TRANSACTIONS), `seed ${seed}`).toEqual(once)
        expect(once.effects).toBeGreaterThan(100)
      }
    },
    TIMEOUT_MS,
  )

  // Each failed once: what it found is told where it was mended.
  it.each([[515, 'a leader put other transactions under its own header (decodeBlock)']])(
    'keeps seed %i, in which %s',
    async (seed) => {
      expect(await failures(seed, seed + 1)).toEqual([])
    },
  )
})
