/** When a BFT node mines, what of a mined chain has become final, and what a leader proposes first. */
import { describe, expect, it } from 'vitest'
import { Fallback } from '../../../../src/consensus/pow/fallback.ts'
import { provisionalTransactions, reconcile } from '../../../../src/consensus/pow/provisional-order.ts'
import { ProvisionalPool } from '../../../../src/runtime/pow/provisional-pool.ts'
import type { SealedBlock } from '../../../../src/types/pow.ts'
import { asMonotonicMs, type RequestKey } from '../../../../src/types/primitives.ts'
import type { HashedTransaction } from '../../../../src/types/transaction.ts'
import { numberedTransaction } from '../../ledger/fixtures.ts'
import { mineOn, ROOT } from './harness.ts'

const TRANSACTIONS = [0, 1, 2, 3, 4, 5].map(numberedTransaction)
const pick = (which: string): HashedTransaction[] =>
  [...which].map((digit) => TRANSACTIONS[Number(digit)] as HashedTransaction)
const { sealed } = mineOn(ROOT)
/** Mined blocks with these transactions: `01 2` is two blocks. */
const chainOf = (text: string): SealedBlock[] =>
  text.split(' ').map((which) => ({ ...sealed, block: { ...sealed.block, transactions: pick(which) } }))
const keys = (which: string): RequestKey[] => pick(which).map(({ requestKey }) => requestKey)

describe('the fallback', () => {
  it('mines when nothing was final for the time that genesis says, and no longer than that', () => {
    const fallback = new Fallback(5_000, asMonotonicMs(1_000))
    expect(fallback.decide(asMonotonicMs(1_000))).toEqual({ isMiningWanted: false, askAgainMs: 5_000 })
    expect(fallback.decide(asMonotonicMs(5_999))).toEqual({ isMiningWanted: false, askAgainMs: 1 })
    expect(fallback.decide(asMonotonicMs(6_000))).toEqual({ isMiningWanted: true, askAgainMs: null })
    fallback.finalMoved(asMonotonicMs(7_000))
    expect(fallback.decide(asMonotonicMs(7_000))).toEqual({ isMiningWanted: false, askAgainMs: 5_000 })
  })
})

describe('a mined chain and what became final', () => {
  it.each([
    ['01 2 3', '0123', 3, false],
    ['01 2 3', '012', 2, false],
    ['01 2 3', '01', 1, false],
    ['01 2 3', '0', 0, false],
    ['01 2 3', '', 0, false],
    ['01 2 3', '405123', 3, false],
    ['01 2 3', '45', 0, false],
    ['01 2 3', '013', 1, true],
    ['01 2 3', '10', 0, true],
    ['01 2 3', '0132', 1, true],
    [' 0  1', '0', 3, false],
    [' 0  1', '', 1, false],
    [' 0  1', '01', 4, false],
  ])('%j and %s have %i blocks in common', (chain, final, count, isContradicted) => {
    const blocks = chainOf(chain)
    expect(reconcile(blocks, keys(final))).toEqual({
      finalized: blocks.slice(0, count),
      rest: blocks.slice(count),
      isContradicted,
    })
  })

  it('hands over its transactions in its order', () => {
    expect(provisionalTransactions(chainOf('30 2'))).toEqual(pick('302'))
  })
})

describe('the pool of a leader', () => {
  const select = (
    mined: string,
    pooled: string,
    limits: { count?: number; bytes?: number; final?: string } = {},
  ): string => {
    const { count = 100, bytes = 1e6, final = '' } = limits
    const inner = {
      select: ({ countMax, bytesMax, exclude }: Parameters<ProvisionalPool['select']>[0]) => {
        let left = bytesMax
        return pick(pooled)
          .filter((transaction) => !exclude(transaction))
          .filter((transaction) => {
            left -= transaction.bytes.length
            return left >= 0
          })
          .slice(0, countMax)
      },
      remove: () => {},
    }
    const isFinal = new Set<string>(keys(final))
    const selected = new ProvisionalPool(inner, () => pick(mined)).select({
      countMax: count,
      bytesMax: bytes,
      exclude: ({ requestKey }) => isFinal.has(requestKey),
    })
    return selected
      .map(({ requestKey }) => TRANSACTIONS.findIndex((one) => one.requestKey === requestKey))
      .join('')
  }

  it.each([
    ['', '012', {}, '012'],
    ['21', '012', {}, '210'],
    ['543', '', {}, '543'],
    ['21', '012', { final: '2' }, '10'],
    ['21', '012', { count: 1 }, '2'],
    ['21', '012', { count: 2 }, '21'],
    ['22', '2', {}, '2'],
    ['21', '012', { bytes: 10 }, ''],
    ['21', '012', { bytes: numberedTransaction(2).bytes.length + 10 }, '2'],
  ])('with %s mined and %s waiting gives, within %j, %s', (mined, pooled, limits, expected) => {
    expect(select(mined, pooled, limits)).toBe(expected)
  })
})
