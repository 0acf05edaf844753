/** Rows that are remembered: the newest always, and never more than two generations of them. */
import { expect, it } from 'vitest'
import { RecentRows } from '../../../src/storage/recent-rows.ts'

it('keeps what was set lately, forgets the oldest, and what is deleted', () => {
  const rows = new RecentRows<number, string>()
  const COUNT = 40_000
  for (let i = 0; i < COUNT; i++) {
    rows.set(i, `row ${i}`)
    expect(rows.get(i)).toBe(`row ${i}`)
  }
  const kept = Array.from({ length: COUNT }, (_, i) => i).filter((i) => rows.get(i) !== undefined)
  expect(kept.length).toBeGreaterThanOrEqual(8_192)
  expect(kept.length).toBeLessThanOrEqual(2 * 8_192)
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => COUNT - kept.length + i))
  const oldest = kept[0] ?? -1
  rows.set(oldest, 'again')
  expect(rows.get(oldest)).toBe('again')
  for (const key of [oldest, COUNT - 1]) {
    rows.delete(key)
    expect(rows.get(key)).toBeUndefined()
  }
})
