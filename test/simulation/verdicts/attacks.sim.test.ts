/**
 * The attacks of spec/commit-reveal.md section 8 that take no network, and the model of its table 5.9: on the code as
 * it is nothing comes of them. That each would be seen is shown by the mutants (../mutants.sim.test.ts).
 */
import { describe, expect, it } from 'vitest'
import { ATTACK_MUTANTS } from './attack-mutants.ts'
import { ATTACKS, type AttackName } from './attacks.ts'
import { runModel } from './verdict-model.ts'

/** Simulated on a loaded machine; a test waits for its attack, never for this. */
const TIMEOUT_MS = 120_000
const SEEDS = 12

const isModel = (name: string): boolean => ['model', 'censorship', 'elected'].includes(name)
const told = (Object.keys(ATTACKS) as AttackName[]).filter((name) => !isModel(name))

describe('an attack', { timeout: TIMEOUT_MS }, () => {
  it.each(told)('comes to nothing: %s', async (name) => {
    expect((await ATTACKS[name](1)).violations).toEqual([])
  })

  it('has a mutant that it finds out, whichever it is', () => {
    const found = new Set(ATTACK_MUTANTS.map(({ attack }) => attack))
    expect([...found].sort()).toEqual(Object.keys(ATTACKS).sort())
  })
})

describe('under an abstract network', { timeout: TIMEOUT_MS }, () => {
  it(`no verdict is wrong, copied, stolen or framed in ${SEEDS} seeds, and honest trust stays above its start`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { batches, violations, lowestHonestTrust, ...figures } = runModel(seed)
      expect(violations, `seed ${seed}`).toEqual([])
      expect(figures, `seed ${seed}`).toMatchObject({ wrong: 0, copied: 0, stolen: 0, framed: 0, losses: 0 })
      expect(lowestHonestTrust, `seed ${seed}`).toBeGreaterThanOrEqual(800_000)
      expect(batches, `seed ${seed}`).toBeGreaterThan(150)
    }
  })

  it('leaders that censor as hard as they can cost nobody else anything (T23)', () => {
    for (let seed = 1; seed <= 4; seed++) {
      for (const leaders of ['by stake', 'elected'] as const) {
        expect(runModel(seed, { isCensoring: true, leaders }).violations, `seed ${seed}`).toEqual([])
      }
    }
  })
})
