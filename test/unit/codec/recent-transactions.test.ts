/** What is remembered of decoded transactions: the last ones, in bounds. */
import { describe, expect, it } from 'vitest'
import { RecentTransactions } from '../../../src/codec/recent-transactions.ts'
import { decodeTransaction } from '../../../src/codec/transaction.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { numberedTransaction } from '../ledger/fixtures.ts'

const withSize = (n: number, bytes: number): HashedTransaction => ({
  ...numberedTransaction(n),
  hash: n.toString(16).padStart(64, '0') as HashedTransaction['hash'],
  bytes: new Uint8Array(bytes),
})

describe('recent transactions', () => {
  it('are decoded once, and are those of their bytes', () => {
    const one = numberedTransaction(1)
    const first = decodeTransaction(one.bytes)
    expect(first).toEqual({ ok: true, value: one })
    const again = decodeTransaction(one.bytes.slice())
    expect(again.ok && first.ok && again.value === first.value).toBe(true)
    const changed = one.bytes.slice()
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
    const other = decodeTransaction(changed)
    expect(other.ok ? other.value.hash : 'malformed').not.toBe(one.hash)
  })

  it('that are malformed are refused every time', () => {
    const bytes = Uint8Array.of(255, 1, 2, 3)
    expect(decodeTransaction(bytes)).toMatchObject({ ok: false, code: 'malformed' })
    expect(decodeTransaction(bytes)).toMatchObject({ ok: false, code: 'malformed' })
  })

  it('are two mebibytes of canonical bytes at the most', () => {
    const recent = new RecentTransactions()
    for (let n = 0; n < 40; n++) recent.add(withSize(n, 100_000))
    const known = Array.from({ length: 40 }, (_, n) => recent.get(withSize(n, 0).hash) !== undefined)
    expect(known.slice(0, 20)).toEqual(Array(20).fill(false))
    expect(known.at(-1)).toBe(true)
    expect(known.filter(Boolean).length).toBeGreaterThanOrEqual(10)
  })

  it('that are shielded are mostly proof, and count a fifth: a block of them is remembered', () => {
    const recent = new RecentTransactions()
    const shielded = (n: number): HashedTransaction => ({
      ...withSize(n, 90_000),
      transaction: { kind: 'shielded' } as HashedTransaction['transaction'],
    })
    for (let n = 0; n < 300; n++) recent.add(shielded(n))
    const known = Array.from({ length: 300 }, (_, n) => recent.get(shielded(n).hash) !== undefined)
    expect(known.slice(-58)).toEqual(Array(58).fill(true))
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(116)
  })
})
