/** Which figures of verdicts meet their targets. */
import { describe, expect, it } from 'vitest'
import { meets } from '../../../scripts/bench/verdicts.ts'

const latencyMs = { p50: 1, p90: 1, p99: 999, max: 1 }
const load = {
  offeredPerSecond: 1_020,
  seconds: 60,
  sent: 61_200,
  valid: 61_200,
  failed: 0,
  answeredPerSecond: 1_000,
  latencyMs,
}
const GOOD = {
  oneInFlight: { ...latencyMs, p50: 100 },
  sustained: [load, load],
  stoqOverheadP50Ms: { health: 0.5, certificate: 1.99 },
  memory: { perRequestMiB: 0.99 },
}

describe('the targets of verdicts', () => {
  it('hold at their edge', () => {
    expect(meets(GOOD)).toEqual({
      oneInFlight: true,
      sustained: [true, true],
      stoqOverhead: true,
      memory: true,
    })
  })

  it('fail beyond it, each for itself', () => {
    expect(meets({ ...GOOD, oneInFlight: { ...latencyMs, p50: 100.01 } }).oneInFlight).toBe(false)
    expect(meets({ ...GOOD, stoqOverheadP50Ms: { health: 2 } }).stoqOverhead).toBe(false)
    expect(meets({ ...GOOD, memory: { perRequestMiB: 1 } }).memory).toBe(false)
    expect(meets({ ...GOOD, memory: { perRequestMiB: Number.NaN } }).memory).toBe(false)
    const slow = { ...load, latencyMs: { ...latencyMs, p99: 1_000 } }
    expect(meets({ ...GOOD, sustained: [slow, load] }).sustained).toEqual([false, true])
    for (const of of [{ failed: 1 }, { answeredPerSecond: 999 }]) {
      expect(meets({ ...GOOD, sustained: [{ ...load, ...of }] }).sustained).toEqual([false])
    }
  })
})
