import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TRANSACTION_BYTES_MAX } from '../../../src/codec/limits.ts'
import { BATCH_INTERVAL_MS, TransactionBatcher } from '../../../src/network/batcher.ts'
import { BATCH_BYTES_TARGET, BATCH_TRANSACTIONS_MAX, TOPIC_LIMITS } from '../../../src/network/topics.ts'
import {
  asRelayed,
  decodeTransactionBatch,
  encodeTransactionBatch,
} from '../../../src/network/transaction-batch.ts'

const transaction = (size: number, fill = 1): Uint8Array => new Uint8Array(size).fill(fill)

describe('the batcher', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function setUp() {
    const batches: number[][] = []
    const batcher = new TransactionBatcher((batch) => batches.push(batch.map((bytes) => bytes[0] ?? -1)))
    return { batches, batcher }
  }

  it('sends at once what comes after a pause', () => {
    const { batches, batcher } = setUp()
    batcher.add([transaction(10, 1)])
    expect(batches).toEqual([[1]])
    vi.advanceTimersByTime(BATCH_INTERVAL_MS)
    batcher.add([transaction(10, 2)])
    expect(batches).toEqual([[1], [2]])
  })

  it('gathers what comes soon after, in order', () => {
    const { batches, batcher } = setUp()
    for (const fill of [1, 2, 3]) batcher.add([transaction(10, fill)])
    expect(batches).toEqual([[1]])
    vi.advanceTimersByTime(BATCH_INTERVAL_MS - 1)
    batcher.add([transaction(10, 4)])
    expect(batches).toEqual([[1]])
    vi.advanceTimersByTime(1)
    expect(batches).toEqual([[1], [2, 3, 4]])
    vi.advanceTimersByTime(1_000)
    expect(batches).toHaveLength(2)
  })

  it('does not wait when a batch is full, by count or by bytes', () => {
    const { batches, batcher } = setUp()
    batcher.add(Array.from({ length: BATCH_TRANSACTIONS_MAX + 1 }, () => transaction(1)))
    expect(batches.map((batch) => batch.length)).toEqual([BATCH_TRANSACTIONS_MAX])
    batcher.add([transaction(BATCH_BYTES_TARGET)])
    expect(batches.map((batch) => batch.length)).toEqual([BATCH_TRANSACTIONS_MAX, 1])
  })

  it('makes no batch that the topic would refuse', () => {
    const sizes: number[] = []
    const batcher = new TransactionBatcher((batch) => sizes.push(encodeTransactionBatch(batch).byteLength))
    batcher.add([
      transaction(60_000),
      transaction(TRANSACTION_BYTES_MAX),
      transaction(60_000),
      transaction(60_000),
    ])
    batcher.flush()
    expect(Math.max(...sizes)).toBeLessThanOrEqual(TOPIC_LIMITS.transactions.messageBytesMax)
    expect(sizes).toHaveLength(4)
  })

  it('forgets what waits when it is stopped', () => {
    const { batches, batcher } = setUp()
    batcher.add([transaction(1, 1)])
    batcher.add([transaction(1, 2)])
    batcher.stop()
    vi.advanceTimersByTime(1_000)
    expect(batches).toEqual([[1]])
  })
})

describe('a batch of transactions', () => {
  it('comes back as it was', () => {
    const batch = [transaction(1, 1), transaction(300, 2), transaction(TRANSACTION_BYTES_MAX, 3)]
    const decoded = decodeTransactionBatch(encodeTransactionBatch(batch))
    expect(decoded.ok && decoded.value.transactions.map((bytes) => Buffer.from(bytes))).toEqual(
      batch.map((b) => Buffer.from(b)),
    )
  })

  const u32 = (value: number): number[] => [
    value & 255,
    (value >> 8) & 255,
    (value >> 16) & 255,
    value >>> 24,
  ]
  it.each([
    ['nothing', []],
    ['half a length', [1, 0]],
    ['a cut transaction', [...u32(3), 1, 2]],
    ['bytes behind the last one', [...u32(1), 1, 0]],
    ['an empty transaction', u32(0)],
    [
      'a transaction over the bound',
      [...u32(TRANSACTION_BYTES_MAX + 1), ...new Array(TRANSACTION_BYTES_MAX + 1).fill(0)],
    ],
    ['a length that lies', [...u32(0xffffffff), 1]],
    ['too many', Array.from({ length: BATCH_TRANSACTIONS_MAX + 1 }, () => [...u32(1), 7]).flat()],
  ])('with %s is refused', (_name, bytes) => {
    expect(decodeTransactionBatch(Uint8Array.from([0, ...bytes]))).toMatchObject({
      ok: false,
      code: 'malformed',
    })
  })

  it('tells a relay from where it entered the network, and all relays alike', () => {
    const entered = encodeTransactionBatch([transaction(3)])
    const relayed = asRelayed(entered)
    expect(decodeTransactionBatch(entered)).toMatchObject({ ok: true, value: { sender: 'entry' } })
    expect(decodeTransactionBatch(relayed)).toMatchObject({ ok: true, value: { sender: 'relay' } })
    expect(asRelayed(relayed)).toEqual(relayed)
    expect(entered[0]).toBe(0)
    expect(decodeTransactionBatch(Uint8Array.of(2, 1, 0, 0, 0, 7)).ok).toBe(false)
  })
})
