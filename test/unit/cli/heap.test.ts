/** How far heaps grow: as far as they may, not alike, and without a loss of what was compiled before. */
import { cachedDataVersionTag, getHeapStatistics } from 'node:v8'
import { afterEach, describe, expect, it } from 'vitest'
import { letHeapGrow, letHeapGrowApart, ownGrowth } from '../../../src/cli/heap.ts'

describe('the growth of a heap', () => {
  afterEach(letHeapGrow)

  it('is between three and five times of what was alive, evenly', () => {
    expect([0, 0.25, 0.5, 0.999_999].map(ownGrowth)).toEqual([200, 250, 300, 400])
  })

  it('leaves the limit of the heap as it was', () => {
    const before = getHeapStatistics().heap_size_limit
    letHeapGrow()
    letHeapGrowApart()
    expect(getHeapStatistics().heap_size_limit).toBe(before)
  })

  it('is what compiled code is bound to, so the same again when it is written', () => {
    letHeapGrow()
    const loaded = cachedDataVersionTag()
    const own = new Set<number>()
    for (let i = 0; i < 8; i++) {
      letHeapGrowApart()
      own.add(cachedDataVersionTag())
    }
    expect(own.size).toBeGreaterThan(1)
    letHeapGrow()
    expect(cachedDataVersionTag()).toBe(loaded)
  })
})
