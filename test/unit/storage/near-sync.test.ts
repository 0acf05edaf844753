/** Where a sync is made: here while that is fast, by the thread pool else, and tried again. */
import { describe, expect, it } from 'vitest'
import { NearSync } from '../../../src/storage/near-sync.ts'

/** A disk whose syncs here take so long. */
function disk(tookMs: number) {
  const of = { tookMs, nowMs: 0, here: 0, away: 0 }
  const near = new NearSync({
    here: () => {
      of.here++
      of.nowMs += of.tookMs
    },
    away: async () => void of.away++,
    nowMs: () => of.nowMs,
  })
  const times = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await near.sync()
  }
  return { of, near, times }
}

describe('a sync', () => {
  it('is made here on a fast disk, and done when the call returns', () => {
    const { of, near } = disk(0.2)
    void near.sync()
    expect(of).toMatchObject({ here: 1, away: 0 })
  })

  it('goes to the pool on a slow one, except for one in 64', async () => {
    const { of, times } = disk(20)
    await times(1)
    await times(640)
    expect(of).toMatchObject({ here: 11, away: 630 })
  })

  it('comes back when the disk is fast again, with the first that shows it', async () => {
    const { of, times } = disk(20)
    await times(10)
    of.tookMs = 0.2
    await times(64)
    expect(of.here).toBeGreaterThan(1)
    const { away } = of
    await times(100)
    expect(of.away).toBe(away)
  })

  it('stays here through a single slow one, and leaves when it goes on', async () => {
    const { of, times } = disk(0.2)
    await times(50)
    of.tookMs = 5
    await times(1)
    of.tookMs = 0.2
    await times(10)
    expect(of.away).toBe(0)
    of.tookMs = 5
    await times(20)
    expect(of.away).toBeGreaterThan(10)
  })

  it.each([true, false])('that fails rejects with what the system said (here: %s)', async (isHere) => {
    const fail = (): never => {
      throw new Error('EIO')
    }
    let nowMs = 0
    let isHealthy = !isHere
    const near = new NearSync({
      here: () => {
        nowMs += 20
        if (!isHealthy) fail()
      },
      away: async () => fail(),
      nowMs: () => nowMs,
    })
    if (!isHere) await near.sync()
    isHealthy = false
    await expect(near.sync()).rejects.toThrow('EIO')
  })
})
