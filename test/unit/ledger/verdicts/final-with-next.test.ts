/** Which blocks nobody waits for, through the life of a batch and beside it. */
import { describe, expect, it } from 'vitest'
import { hashTransaction } from '../../../../src/codec/transaction.ts'
import { isFinalWithNext } from '../../../../src/ledger/verdicts/final-with-next.ts'
import { asHeight } from '../../../../src/types/primitives.ts'
import type { HashedTransaction, Transaction } from '../../../../src/types/transaction.ts'
import type { VerdictRecord } from '../../../../src/types/verdict.ts'
import type { OpenBatch } from '../../../../src/types/voting.ts'
import { numberedTransaction } from '../fixtures.ts'
import { batchWith, electorsWith, votingOf } from './fixtures.ts'

const BALLOTS = hashTransaction({ kind: 'ballots', commits: [], openings: [] })
/** Of a kind; nothing else is looked at. */
const of = (kind: Transaction['kind']): HashedTransaction =>
  ({ ...BALLOTS, transaction: { kind } }) as unknown as HashedTransaction
const VERDICT = {} as VerdictRecord
const at = (height: number, more: Partial<OpenBatch> = {}) =>
  batchWith({ height: asHeight(height), openedAt: asHeight(height), ...more })
const closed = (height: number, closedAt: number) => at(height, { closedAt: asHeight(closedAt) })

function waits(
  height: number,
  batches: readonly OpenBatch[],
  transactions: readonly HashedTransaction[] = [],
  verdicts: readonly VerdictRecord[] = [],
): boolean {
  const header = { height: asHeight(height) } as Parameters<typeof isFinalWithNext>[0]['header']
  const voting = votingOf(electorsWith(1, 1, 1, 1), [...batches])
  return isFinalWithNext({ header, transactions }, { verdicts, voting })
}

describe('a block is final with the next', () => {
  it('when it brings the first requests, and no later one', () => {
    expect(waits(10, [at(10)], [numberedTransaction(1)])).toBe(true)
    expect(waits(11, [closed(10, 11)], [BALLOTS])).toBe(false)
    expect(waits(12, [closed(10, 11)])).toBe(false)
    expect(waits(12, [], [BALLOTS], [VERDICT])).toBe(false)
  })

  it('never twice in a row, however long ballots are missing', () => {
    const batch = [10, 11, 12, 13].map((height) => waits(height, [at(10)]))
    expect(batch).toEqual([true, false, false, false])
    const openings = [14, 15, 16, 17].map((height) => waits(height, [closed(10, 14)]))
    expect(openings).toEqual([false, false, false, false])
  })

  it('not when another batch is waited for', () => {
    expect(waits(12, [closed(10, 11), at(12)], [numberedTransaction(1)])).toBe(false)
    expect(waits(11, [at(10), at(11)], [numberedTransaction(1)])).toBe(false)
    expect(waits(12, [closed(10, 11), closed(11, 12)], [BALLOTS])).toBe(false)
    expect(waits(12, [at(12)], [numberedTransaction(1), BALLOTS], [VERDICT])).toBe(false)
  })

  it('not when a batch is tried again: what closed the attempt before is in the same block', () => {
    expect(waits(14, [at(10, { round: 1, openedAt: asHeight(14) })])).toBe(false)
  })

  it('not without a batch: then no next block is sure to come', () => {
    expect(waits(10, [])).toBe(false)
  })

  it.each<Transaction['kind']>(['staking', 'evidence', 'commit-pair', 'operator', 'operation'])(
    'not with a transaction of kind %s, for somebody waits for it',
    (kind) => {
      expect(waits(10, [at(10)], [numberedTransaction(1), of(kind)])).toBe(false)
    },
  )
})
