/** The twins' small cases: a number of each that CI can afford; `npm run sim -- --twins VIEWS` runs more of them. */
import { describe, expect, it } from 'vitest'
import { enumerateTwins } from './twins.ts'

/** Simulated in real time on a loaded machine; a test waits for its cases, never for this. */
const TIMEOUT_MS = 300_000

describe('twins', { timeout: TIMEOUT_MS }, () => {
  it.each([
    [1, 100, 26],
    [2, 60, 510],
    [4, 40, null],
    [6, 30, null],
  ])('of %i views harm nobody, in up to %i cases', async (views, casesMax, distinctCases) => {
    const { violations, cases, distinct } = await enumerateTwins({ views, casesMax })
    expect(violations).toEqual([])
    if (distinctCases !== null) expect(distinct).toBe(distinctCases)
    expect(cases).toBeGreaterThanOrEqual(Math.min(casesMax, distinct) - 1)
  })
})
