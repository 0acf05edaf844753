/**
 * Does the checker check? Nodes that break one rule of durability are found out within a few seeds. What is broken
 * is around the replica, never in it: what its disk gives back, and when its words leave.
 */
import { describe, expect, it } from 'vitest'
import { runSeed, TRANSACTIONS } from './swarm.ts'
import type { Mutation } from './world.ts'

const ALL = ['proposal', 'prepare', 'preCommit', 'timeout', 'highQc', 'highTc', 'blocks'] as const
const HARSH = {
  crashChance: 0.008,
  downMaxMs: 60,
  diskMaxMs: 10,
  delayMaxMs: 120,
  drop: 0.1,
  livenessMs: 8_000,
}

/** First violation within so many seeds. */
async function firstViolation(mutation: Mutation, seeds: number): Promise<string | null> {
  for (let seed = 0; seed < seeds; seed++) {
    const powerCutEveryMs = seed % 2 === 1 ? 500 : 0
    const { violations } = await runSeed(seed, TRANSACTIONS, { ...HARSH, powerCutEveryMs, mutation })
    if (violations[0] !== undefined) return violations[0]
  }
  return null
}

describe('a mutant', () => {
  it.each<[string, Mutation, number, RegExp]>([
    ['forgets all it signed', { forgets: ALL }, 5, /^I[346]/],
    ['forgets its proposals', { forgets: ['proposal'] }, 10, /^I[36]/],
    ['forgets its prepare votes', { forgets: ['prepare'] }, 20, /^I[36]/],
    ['forgets its timeouts', { forgets: ['timeout'] }, 20, /^I[67]/],
    ['forgets its lock', { forgets: ['highQc', 'highTc'] }, 20, /^I(6|15)/],
    ['forgets the blocks it voted for', { forgets: ['blocks'] }, 20, /^I15/],
  ])(
    'that %s is found out',
    async (_, mutation, seeds, expected) => {
      expect(await firstViolation(mutation, seeds)).toMatch(expected)
    },
    120_000,
  )

  it('is not seen where there is none', async () => {
    expect(await firstViolation({}, 10)).toBe(null)
  }, 120_000)
})
