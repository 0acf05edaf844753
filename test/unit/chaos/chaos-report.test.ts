/** The report of `npm run chaos` fails when something was wrong, and when nothing was done. */

import { describe, expect, it } from 'vitest'
import { reportOf, summaryOf } from '../../support/chaos/report.ts'
import type { Trial } from '../../support/chaos/trial.ts'

const trial = (change: Partial<Trial>): Trial => ({
  name: 'loss',
  fabric: 'relays',
  nodes: 4,
  victims: [],
  appliedMs: 8_000,
  recoveryMs: 900,
  blocksMeanwhile: 9,
  load: 1,
  problems: [],
  ...change,
})
const skipped = (why: string): Trial => trial({ recoveryMs: null, notRun: why })

const network = (problems: string[]) => ({
  validators: 4,
  fabric: 'relays' as const,
  height: 9,
  answered: 9,
  slots: 99,
  problems,
})

describe('a campaign is well', () => {
  it('when every fault that was run recovered, whatever could not be run', () => {
    const summary = summaryOf([trial({}), skipped('no netem')], [network([])])
    expect(summary).toEqual({ isWell: true, run: 1, failed: 0, nowhere: [], recoveryMsMax: 900 })
  })

  it.each([
    ['nothing was run', [skipped('no netem')], [network([])]],
    ['one had a problem', [trial({}), trial({ problems: ['height 3 differs'] })], [network([])]],
    ['one never recovered', [trial({ recoveryMs: null })], [network([])]],
    ['a network was wrong at its end', [trial({})], [network(['two contents'])]],
  ])('not when %s', (_what, trials, networks) => {
    expect(summaryOf(trials, networks).isWell).toBe(false)
  })
})

it('names what was run nowhere, with every reason', () => {
  const trials = [
    trial({}),
    skipped('no netem'),
    { ...skipped('no netem'), name: 'delay' },
    { ...skipped('not asked for'), name: 'delay' },
  ]
  expect(summaryOf(trials, []).nowhere).toEqual([{ name: 'delay', why: ['no netem', 'not asked for'] }])
})

it('joins campaigns behind what it is about', () => {
  const report = reportOf(
    [
      { trials: [trial({})], networks: [network([])] },
      { trials: [trial({ recoveryMs: 21_000, problems: ['late'] })], networks: [] },
    ],
    { seed: 7 },
  )
  expect(report).toMatchObject({ seed: 7, summary: { run: 2, failed: 1, recoveryMsMax: 21_000 } })
  expect(report.trials).toHaveLength(2)
})
