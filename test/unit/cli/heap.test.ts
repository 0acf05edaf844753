/** How far heaps grow: as far as they may, and not alike. */
import { getHeapStatistics } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { heapGrowingPercent, letHeapGrow } from '../../../src/cli/heap.ts'

describe('the growth of a heap', () => {
  it('is between three and five times of what was alive, evenly', () => {
    expect([0, 0.25, 0.5, 0.999_999].map(heapGrowingPercent)).toEqual([200, 250, 300, 400])
  })

  it('leaves the limit of the heap as it was', () => {
    const before = getHeapStatistics().heap_size_limit
    letHeapGrow()
    expect(getHeapStatistics().heap_size_limit).toBe(before)
  })
})
