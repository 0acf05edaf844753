/** The mempool: bounds, order, identity, expiry, and that nothing disappears without a word. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Mempool, type MempoolLimits } from '../../../src/mempool/mempool.ts'
import { asMonotonicMs, type RequestKey } from '../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import { certificateTransaction, numberedTransaction } from '../ledger/fixtures.ts'

const LIMITS: MempoolLimits = {
  countMax: 6,
  bytesMax: 100_000,
  countPerSourceMax: 3,
  bytesPerSourceMax: 50_000,
  timeToLiveMs: 1_000,
}
const transactions = Array.from({ length: 8 }, (_, n) => numberedTransaction(n))
const size = transactions[0]?.bytes.length ?? 0
const [first, second, third, fourth] = transactions as [
  HashedTransaction,
  HashedTransaction,
  HashedTransaction,
  HashedTransaction,
]
const everything = { bytesMax: 1e9, countMax: 1e9, exclude: () => false }

let now = 0
let final: Set<RequestKey>
let expired: HashedTransaction[]
let changes: boolean[]

function mempool(limits: Partial<MempoolLimits> = {}): Mempool {
  const pool = new Mempool(
    { ...LIMITS, ...limits },
    {
      now: () => asMonotonicMs(now),
      isFinal: (key) => final.has(key),
      refusal: () => null,
      expired: (transactions) => expired.push(...transactions),
    },
  )
  pool.onChange((hasTransactions) => changes.push(hasTransactions))
  return pool
}

beforeEach(() => {
  now = 0
  final = new Set()
  expired = []
  changes = []
})

describe('admission', () => {
  it('takes a transaction once, whoever brings it', () => {
    const pool = mempool()
    expect(pool.admit(first, 'a')).toEqual({ ok: true, value: 'added' })
    expect(pool.admit(first, 'b')).toEqual({ ok: true, value: 'known' })
    expect(pool.admit(numberedTransaction(0), null)).toEqual({ ok: true, value: 'known' })
    expect([pool.size, pool.bytes]).toEqual([1, first.bytes.length])
    expect(pool.has(first.requestKey)).toBe(true)
    expect(pool.has(second.requestKey)).toBe(false)
  })

  it('refuses what has its verdict', () => {
    final.add(first.requestKey)
    expect(mempool().admit(first, 'a')).toMatchObject({ ok: false, code: 'already-final' })
  })

  it.each([
    ['number', { countPerSourceMax: 2 }],
    ['bytes', { bytesPerSourceMax: 2 * size + 1 }],
  ])('keeps each source within its %s', (_, limits) => {
    const pool = mempool(limits)
    pool.admit(first, 'a')
    pool.admit(second, 'a')
    expect(pool.admit(third, 'a')).toMatchObject({ ok: false, code: 'source-budget' })
    expect(pool.admit(third, 'b')).toMatchObject({ ok: true })
    expect(pool.admit(fourth, null)).toMatchObject({ ok: true })
    pool.remove([first])
    expect(pool.admit(first, 'a')).toEqual({ ok: true, value: 'added' })
  })

  it.each([
    ['number', { countMax: 2 }],
    ['bytes', { bytesMax: 2 * size + 1 }],
  ])('keeps all within its %s, own clients too, and evicts nothing for a newcomer', (_, limits) => {
    const pool = mempool(limits)
    pool.admit(first, 'a')
    pool.admit(second, 'b')
    expect(pool.admit(third, null)).toMatchObject({ ok: false, code: 'full' })
    expect(pool.select(everything)).toEqual([first, second])
    expect(expired).toEqual([])
  })

  it('refuses what no budget could ever hold', () => {
    expect(mempool({ bytesPerSourceMax: size - 1 }).admit(first, null)).toMatchObject({ code: 'too-large' })
  })

  it('keeps two requests with one nonce of one node: both callers are owed a verdict', () => {
    const pool = mempool()
    const a = certificateTransaction({ top: { requestId: 'a' } })
    const b = certificateTransaction({ top: { requestId: 'b' } })
    pool.admit(a, 'x')
    pool.admit(b, 'x')
    expect(pool.select(everything)).toEqual([a, b])
  })
})

describe('selection', () => {
  it('is first in, first out, within bytes and number, without what is in a block', () => {
    const pool = mempool()
    for (const [n, transaction] of transactions.slice(0, 5).entries()) pool.admit(transaction, `s${n}`)
    expect(pool.select(everything)).toEqual(transactions.slice(0, 5))
    expect(pool.select({ ...everything, countMax: 2 })).toEqual([first, second])
    expect(pool.select({ ...everything, bytesMax: 3 * size })).toEqual([first, second, third])
    expect(
      pool.select({
        ...everything,
        countMax: 2,
        exclude: ({ requestKey }) => requestKey === first.requestKey,
      }),
    ).toEqual([second, third])
    expect(pool.select({ ...everything, countMax: 0 })).toEqual([])
    expect(pool.size).toBe(5)
  })

  it('passes over what does not fit and keeps its place in line', () => {
    const large = certificateTransaction({
      top: { requestId: 'large' },
      work: { workChallenges: ['x'.repeat(5_000)] },
    })
    const pool = mempool()
    pool.admit(large, null)
    pool.admit(second, null)
    expect(pool.select({ ...everything, bytesMax: size + 100 })).toEqual([second])
    expect(pool.select(everything)[0]).toBe(large)
  })
})

describe('leaving', () => {
  it('frees everything that a final transaction held', () => {
    const pool = mempool()
    pool.admit(first, 'a')
    pool.admit(second, 'a')
    pool.remove([first, third])
    expect(pool.select(everything)).toEqual([second])
    pool.remove([second, second])
    expect([pool.size, pool.bytes]).toEqual([0, 0])
  })

  it('reports what waited too long, once, oldest first', () => {
    const pool = mempool()
    pool.admit(first, 'a')
    now = 400
    pool.admit(second, 'a')
    pool.admit(third, 'b')
    now = 999
    pool.expire()
    expect(expired).toEqual([])
    now = 1_000
    pool.expire()
    pool.expire()
    expect(expired).toEqual([first])
    now = 1_400
    pool.expire()
    expect(expired).toEqual([first, second, third])
    expect([pool.size, pool.bytes]).toEqual([0, 0])
  })

  it('makes room by expiry before it refuses', () => {
    const pool = mempool({ countMax: 1 })
    pool.admit(first, 'a')
    now = 1_000
    expect(pool.admit(second, 'b')).toEqual({ ok: true, value: 'added' })
    expect(expired).toEqual([first])
  })
})

describe('the listener', () => {
  it('hears when the mempool begins and ceases to be empty, and nothing else', () => {
    const pool = mempool()
    pool.remove([first])
    expect(changes).toEqual([])
    pool.admit(first, 'a')
    pool.admit(second, 'a')
    expect(changes).toEqual([true])
    pool.remove([first])
    expect(changes).toEqual([true])
    now = 1_000
    pool.expire()
    expect(changes).toEqual([true, false])
  })

  it('can stop listening', () => {
    const pool = mempool()
    const heard: boolean[] = []
    const stop = pool.onChange((hasTransactions) => heard.push(hasTransactions))
    stop()
    pool.admit(first, 'a')
    expect(heard).toEqual([])
  })
})
