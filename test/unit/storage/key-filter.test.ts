/** What says that a key is not there must never say it of one that is. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { KeyFilter } from '../../../src/storage/key-filter.ts'

const keyOf = (i: number): string => createHash('sha256').update(String(i)).digest('hex')
const KEYS = Array.from({ length: 300_000 }, (_, i) => keyOf(i))

describe('a filter of keys', () => {
  it('has every key that was added, over several layers, and hardly any other', () => {
    const filter = new KeyFilter()
    for (const key of KEYS) filter.add(key)
    filter.complete()
    expect(KEYS.every((key) => filter.mayHave(key))).toBe(true)
    const others = Array.from({ length: 20_000 }, (_, i) => keyOf(1_000_000 + i))
    expect(others.filter((key) => filter.mayHave(key)).length).toBeLessThan(200)
  })

  it('may have every key as long as it does not know all', () => {
    const filter = new KeyFilter()
    filter.add(keyOf(1))
    expect(filter.mayHave(keyOf(2))).toBe(true)
    filter.complete()
    expect(filter.mayHave(keyOf(2))).toBe(false)
    expect(filter.mayHave(keyOf(1))).toBe(true)
    filter.add(keyOf(2))
    expect(filter.mayHave(keyOf(2))).toBe(true)
  })

  it('may have every key when there are more than it has room for', () => {
    const filter = new KeyFilter(2 ** 22)
    for (const key of KEYS) filter.add(key)
    filter.complete()
    expect(filter.mayHave(keyOf(-1))).toBe(true)
    expect(filter.mayHave(keyOf(1))).toBe(true)
  })
})
