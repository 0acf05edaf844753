/** The rows of open batches, electors and trust: what a batch of writes holds of a change, and nothing besides. */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/codec/hex.ts'
import {
  encodeBatchProgress,
  encodeElectors,
  encodeOpenRequests,
  encodeTrust,
} from '../../../src/codec/voting.ts'
import { votingOperations } from '../../../src/storage/block-batch.ts'
import { batchKey, batchRequestsKey, META, trustKey } from '../../../src/storage/buckets.ts'
import { asHeight } from '../../../src/types/primitives.ts'
import type { VerdictVoting } from '../../../src/types/voting.ts'
import { accountOf, batchWith, electorsIn, electorsWith, votingOf } from '../ledger/verdicts/fixtures.ts'

const [ONE, TWO, THREE] = [10, 11, 12].map((height) =>
  batchWith({ height: asHeight(height), openedAt: asHeight(height) }),
) as [ReturnType<typeof batchWith>, ReturnType<typeof batchWith>, ReturnType<typeof batchWith>]
const BEFORE = votingOf(electorsWith(1, 1, 1), [ONE, TWO])
const key = (bytes: Uint8Array): string => toHex(bytes)
const rows = (before: VerdictVoting | null, after: VerdictVoting) =>
  votingOperations(before, after).map((operation) => [
    operation.type,
    key(operation.key),
    operation.type === 'put' ? toHex(operation.value) : null,
  ])
const batchRow = (batch: typeof ONE) => [
  'put',
  key(batchKey(batch.height)),
  toHex(encodeBatchProgress(batch)),
]
const requestsRow = ({ height, requests }: typeof ONE) => [
  'put',
  key(batchRequestsKey(height)),
  toHex(encodeOpenRequests(requests)),
]

describe('the rows of a change', () => {
  it('are all of it where there is nothing yet', () => {
    expect(rows(null, BEFORE)).toEqual([
      ['put', key(META.electors), toHex(encodeElectors(BEFORE.electors))],
      batchRow(ONE),
      requestsRow(ONE),
      batchRow(TWO),
      requestsRow(TWO),
      ...[...BEFORE.trust.values()].map((trust) => [
        'put',
        key(trustKey(trust.account)),
        toHex(encodeTrust(trust)),
      ]),
    ])
  })

  it('are none of what is the very object of before', () => {
    expect(rows(BEFORE, BEFORE)).toEqual([])
    expect(rows(BEFORE, { ...BEFORE })).toEqual([])
  })

  it('are the batches that closed, changed or came, and of trust what moved', () => {
    const changed = { ...TWO, closedAt: asHeight(13) }
    const of = BEFORE.trust.get(accountOf(1))
    if (of === undefined) throw new Error('no trust')
    const moved = { ...of, ppm: 640_000 }
    const trust = new Map(BEFORE.trust).set(moved.account, moved)
    expect(rows(BEFORE, { ...BEFORE, batches: [changed, THREE], trust })).toEqual([
      ['del', key(batchKey(ONE.height)), null],
      ['del', key(batchRequestsKey(ONE.height)), null],
      batchRow(changed),
      batchRow(THREE),
      requestsRow(THREE),
      ['put', key(trustKey(moved.account)), toHex(encodeTrust(moved))],
    ])
  })

  it('are the batch anew when another attempt begins at its height', () => {
    const again = { ...ONE, round: 1, openedAt: asHeight(30) }
    expect(rows(BEFORE, { ...BEFORE, batches: [again, TWO] })).toEqual([batchRow(again)])
    const fewer = { ...again, requests: again.requests.slice(1) }
    expect(rows(BEFORE, { ...BEFORE, batches: [fewer, TWO] })).toEqual([batchRow(fewer), requestsRow(fewer)])
  })

  it('are the electors when a period ends', () => {
    const electors = [...BEFORE.electors, electorsIn(1, electorsWith(1))]
    expect(rows(BEFORE, { ...BEFORE, electors })).toEqual([
      ['put', key(META.electors), toHex(encodeElectors(electors))],
    ])
  })
})
