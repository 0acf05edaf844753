/**
 * The swarm: every seed is a network of its own with its own faults and adversaries; what is checked is in checker.ts
 * and final-checks.ts. `npm run sim -- --seed SEED` repeats a seed that failed.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type LaneSeed, runLane } from './lane/lane.ts'
import type { Outcome } from './swarm.ts'

const SEEDS = 500
/** Run twice: the same seed gives the same effects in the same order. */
const SEEDS_TWICE = 50
/** Run with the sources as they are: what the lanes do not compute twice changes nothing. */
const SEEDS_PLAIN = 6
/** Simulated in real time on a loaded machine; a test waits for its seeds, never for this. */
const TIMEOUT_MS = 900_000

async function outcomesOf(seeds: Iterable<LaneSeed>, isPlain = false): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  await runLane({
    seeds,
    isPlain,
    onOutcome: ({ outcome }) => {
      outcomes.push(outcome)
      return false
    },
  })
  return outcomes
}

function failuresOf(outcomes: readonly Outcome[]): string[] {
  return outcomes
    .filter(({ violations }) => violations.length > 0)
    .map(({ seed, violations }) => `npm run sim -- --seed ${seed}: ${violations.slice(0, 3).join('; ')}`)
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i)

describe('the swarm', { timeout: TIMEOUT_MS }, () => {
  const traces = new Map<number, string>()

  it(`is safe, and live after healing, in ${SEEDS} seeds, and the first ${SEEDS_TWICE} are the same twice`, async () => {
    const startedAt = performance.now()
    const outcomes = await outcomesOf([...range(1, SEEDS), ...range(1, SEEDS_TWICE)])
    const seconds = (performance.now() - startedAt) / 1_000
    const figures = { runs: outcomes.length, seconds, seedsPerSecond: outcomes.length / seconds }
    process.stdout.write(`simulator: ${JSON.stringify(figures)}\n`)
    expect(failuresOf(outcomes)).toEqual([])
    expect(outcomes).toHaveLength(SEEDS + SEEDS_TWICE)
    const differing: number[] = []
    for (const { seed, trace, effects } of outcomes) {
      expect(effects).toBeGreaterThan(100)
      if ((traces.get(seed) ?? trace) !== trace) differing.push(seed)
      traces.set(seed, trace)
    }
    expect(differing).toEqual([])
    // Clients with notes were served: otherwise what is checked of notes shows nothing.
    const sum = (figure: string): number =>
      outcomes.reduce((total, { figures }) => total + (figures?.[figure] ?? 0), 0)
    expect(sum('withNotes')).toBeGreaterThan(30)
    for (const kind of ['transfer', 'mint', 'burn']) expect(sum(kind), kind).toBeGreaterThan(20)
    expect(traces.size).toBe(SEEDS)
  })

  it(`gives the same traces without the accelerations of the lanes, in ${SEEDS_PLAIN} seeds`, async () => {
    const plain = await outcomesOf(range(1, SEEDS_PLAIN), true)
    const fast = await outcomesOf(range(1, SEEDS_PLAIN))
    const bySeed = (outcomes: readonly Outcome[]): Outcome[] => outcomes.toSorted((a, b) => a.seed - b.seed)
    expect(bySeed(plain)).toEqual(bySeed(fast))
    expect(plain).toHaveLength(SEEDS_PLAIN)
  })

  const folder = join(import.meta.dirname, 'seeds')
  const kept = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { seed: number; found: string })

  it.each(kept)('keeps seed $seed, in which $found', async ({ seed }) => {
    expect(failuresOf(await outcomesOf([seed]))).toEqual([])
  })
})
