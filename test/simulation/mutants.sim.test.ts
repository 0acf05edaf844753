/**
 * Does the checker check? Code that breaks one rule is found out within a stated number of seeds, and code that
 * breaks none is not. `npm run sim -- --mutants` prints the table, the rules about liveness among it.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ACCELERATIONS } from './lane/accelerations.ts'
import { CHANGES_VARIABLE } from './lane/lane.ts'
import { catchMutant, controlViolations, type MutantResult, mutantLine } from './lane/mutant-lane.ts'
import { changed, changedBy, type SourceChange } from './lane/source-change.ts'
import { MUTANTS, mutantNamed } from './mutants.ts'

const root = join(import.meta.dirname, '../..')
const lane = join(import.meta.dirname, 'lane')
/** Simulated in real time on a loaded machine; a test waits for its seeds, never for this. */
const TIMEOUT_MS = 300_000
const JOBS = 2

const budgeted = MUTANTS.filter(({ budget }) => budget !== null)
const under = new Map<string, Promise<MutantResult>>()

/**
 * A mutant's result; it and the ones behind it run at once, as many as there are jobs. Each has one process: a second
 * one would be started, and end a seed, for a mutant that the first seed finds out.
 */
function resultOf(name: string): Promise<MutantResult> {
  const at = budgeted.findIndex((mutant) => mutant.name === name)
  for (const each of budgeted.slice(at, at + JOBS)) {
    if (under.has(each.name)) continue
    const running = catchMutant(each.name, 1)
    // Told by the test that waits for it.
    running.catch(() => undefined)
    under.set(each.name, running)
  }
  return under.get(name) as Promise<MutantResult>
}

describe('the table of mutants', () => {
  const applied = (changes: readonly SourceChange[]): string[] =>
    [...new Set(changes.map(({ file }) => file))].map((file) =>
      changedBy(readFileSync(join(root, file), 'utf8'), file, changes),
    )

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('fits the code: %s', (_, { changes }) => {
    expect(changes.length).toBeGreaterThan(0)
    // Behind a mutant the accelerations still find their places.
    for (const text of applied([...changes, ...ACCELERATIONS])) expect(text.length).toBeGreaterThan(0)
  })

  it('names every mutant once, and gives every safety rule a budget', () => {
    const names = MUTANTS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, class: kind, budget } of MUTANTS) {
      if (kind === 'safety') expect(budget, name).toBeGreaterThan(0)
    }
    expect(() => mutantNamed('no such rule')).toThrow('no mutant is called')
  })

  it('refuses a change whose text is not there, or there twice', () => {
    const change = { file: 'a.ts', find: 'x', replace: 'y' }
    expect(changed('1 x 2', change)).toBe('1 y 2')
    expect(() => changed('none', change)).toThrow('0 times')
    expect(() => changed('x x', change)).toThrow('2 times')
  })
})

describe('a lane', { timeout: TIMEOUT_MS }, () => {
  it('does not run with a change that came too late, or to what it does not load', () => {
    const change = { file: 'vitest.config.ts', find: 'x', replace: 'y' }
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', join(lane, 'loader.ts'), join(lane, 'worker.ts')],
      { encoding: 'utf8', env: { ...process.env, [CHANGES_VARIABLE]: JSON.stringify([change]) } },
    )
    expect(stderr).toContain('nothing loads vitest.config.ts')
    expect(status).toBe(1)
  })
})

describe('a mutant', { timeout: TIMEOUT_MS }, () => {
  it.each(budgeted.map(({ name, budget }) => [name, budget]))(
    'is found out: %s, in %i seeds',
    async (name) => {
      const result = await resultOf(name as string)
      process.stdout.write(`mutant: ${mutantLine(result)}\n`)
      expect(result.violation).not.toBe(null)
    },
  )

  it('is not seen where there is none', async () => {
    expect(await controlViolations(1, JOBS)).toEqual([])
  })
})
