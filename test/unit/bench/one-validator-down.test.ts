/** What the bench concludes from a chain's times and views. */

import { expect, it } from 'vitest'
import { phaseOf } from '../../../scripts/bench/one-validator-down.ts'

it('tells gaps apart by whether a view failed in them', () => {
  const blocks = [
    { time: 1_000, view: 10 },
    { time: 1_020, view: 11 },
    { time: 1_300, view: 13 },
    { time: 1_320, view: 14 },
    { time: 1_350, view: 15 },
  ]
  expect(phaseOf(blocks, 2)).toEqual({
    blocks: 4,
    blocksPerSecond: 2,
    intervalMs: { p50: 20, p90: 280, p99: 280, max: 280 },
    failedViewShare: 0.2,
    intervalWithFailedViewMs: { p50: 280, p90: 280, p99: 280, max: 280 },
    gapsAboveTarget: 1,
  })
})

it('has no gaps to tell of when no view failed', () => {
  const blocks = [
    { time: 1_000, view: 10 },
    { time: 1_250, view: 11 },
  ]
  expect(phaseOf(blocks, 1)).toMatchObject({
    failedViewShare: 0,
    intervalWithFailedViewMs: null,
    gapsAboveTarget: 0,
  })
})
