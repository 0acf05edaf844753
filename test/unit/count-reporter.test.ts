/** The closing line of a run: what counts as what. */

import { expect, it } from 'vitest'
import { type CountedModule, countLine } from '../support/count-reporter.ts'

function module(state: string, tests: string[]): CountedModule {
  return {
    children: { allTests: () => tests.map((test) => ({ result: () => ({ state: test }) })) },
    state: () => state,
  }
}

it.each<[name: string, modules: CountedModule[], unhandled: number, line: string]>([
  ['nothing', [], 0, '0 passed, 0 failed'],
  ['all well', [module('passed', ['passed', 'passed'])], 0, '2 passed, 0 failed'],
  ['a failed test counts once', [module('failed', ['passed', 'failed'])], 0, '1 passed, 1 failed'],
  [
    'a module that did not load',
    [module('failed', []), module('passed', ['passed'])],
    0,
    '1 passed, 1 failed',
  ],
  ['a hook that threw after its tests', [module('failed', ['passed'])], 0, '1 passed, 1 failed'],
  ['an error outside any test', [module('passed', ['passed'])], 2, '1 passed, 2 failed'],
  [
    'skipped and never started',
    [module('passed', ['passed', 'skipped', 'pending'])],
    0,
    '1 passed, 0 failed, 2 skipped',
  ],
])('%s', (_name, modules, unhandled, line) => {
  expect(countLine(modules, unhandled)).toBe(line)
})
