/** A verdict is a row of its own and a place in a row of many: both must be there and belong together. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeVerdictRow } from '../../src/codec/ledger-state.ts'
import { verdictOperations } from '../../src/storage/block-batch.ts'
import { verdictKey, verdictRunKey } from '../../src/storage/buckets.ts'
import { Database, type WriteOperation } from '../../src/storage/database.ts'
import { readVerdictRecord, readVerdictRow } from '../../src/storage/verdict-rows.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import { verdictOf } from '../support/fake-network.ts'
import { NETWORK } from '../support/final-chain.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { numberedTransaction } from '../unit/ledger/fixtures.ts'

const STORED = [1, 2, 3, 4, 5].map((n) => verdictOf(numberedTransaction(n)))
const RECORDS = STORED.map(({ record }) => record)
/** Where the list is when their block comes. */
const FIRST = 70
const LAST = FIRST + STORED.length - 1
const [, SECOND] = RECORDS as [VerdictRecord, VerdictRecord]

let database: Database
beforeEach(async () => {
  database = await Database.open({ path: temporaryDirectory(), network: NETWORK })
  await database.write(verdictOperations(STORED, FIRST))
})
afterEach(() => database.close())

function read({ requestKey }: VerdictRecord): VerdictRecord | null {
  const row = readVerdictRow(database, requestKey)
  return row === null ? null : readVerdictRecord(database, requestKey, row)
}

describe('a verdict in the database', () => {
  it('is found by its request, with its figures and its place', () => {
    for (const [i, record] of RECORDS.entries()) {
      expect(read(record)).toEqual(record)
      expect(readVerdictRow(database, record.requestKey)).toEqual({
        figures: STORED[i]?.figures,
        position: FIRST + i,
        lastOfRun: LAST,
      })
    }
    expect(read(verdictOf(numberedTransaction(6)).record)).toBeNull()
  })

  const row = (position: number, lastOfRun = LAST): WriteOperation => ({
    type: 'put',
    key: verdictKey(SECOND.requestKey),
    value: encodeVerdictRow({ figures: verdictOf(numberedTransaction(2)).figures, position, lastOfRun }),
  })
  it.each<[string, WriteOperation, RegExp]>([
    ['the records are not there', { type: 'del', key: verdictRunKey(LAST) }, /up to 74 are missing/],
    ['its place is past the records', row(LAST + 1), /record 75 is not among those up to 74/],
    ['its place is before them', row(FIRST - 1), /record 69 is not among those up to 74/],
    ['another request is there', row(FIRST), /record 70 is that of another request/],
    [
      'its own row is something else',
      { type: 'put', key: verdictKey(SECOND.requestKey), value: Uint8Array.of(1, 2, 3) },
      /the verdict on/,
    ],
  ])('is refused as damaged when %s', async (_, damage, message) => {
    await database.write([damage])
    expect(() => read(SECOND)).toThrow(
      expect.objectContaining({ code: 'E_DB_CORRUPT', message: expect.stringMatching(message) as string }),
    )
  })
})
