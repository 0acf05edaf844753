/** Verdicts in the database: a row under the request's key that says where the record is, and the row of records. */
import { decodeVerdictRow, type VerdictRow } from '../codec/ledger-state.ts'
import { decodeVerdict } from '../codec/verdict.ts'
import type { RequestKey } from '../types/primitives.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import { verdictKey, verdictRunKey } from './buckets.ts'
import type { Database } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'
import { Run } from './runs.ts'

type Source = Pick<Database, 'get' | 'path'>

/**
 * The row of a verdict; null when there is none on this request.
 * @throws StorageError E_DB_CORRUPT
 */
export function readVerdictRow(database: Source, requestKey: RequestKey): VerdictRow | null {
  const bytes = database.get(verdictKey(requestKey))
  if (bytes === null) return null
  const row = decodeVerdictRow(bytes)
  if (!row.ok) throw damagedDatabase(database.path, `the verdict on ${requestKey}: ${row.detail}`)
  return row.value
}

/**
 * The record of a verdict that has a row.
 * @throws StorageError E_DB_CORRUPT when it is not there, or is another one
 */
export function readVerdictRecord(
  database: Source,
  requestKey: RequestKey,
  { position, lastOfRun }: VerdictRow,
): VerdictRecord {
  const damaged = (why: string) => damagedDatabase(database.path, `the verdict on ${requestKey}: ${why}`)
  const bytes = database.get(verdictRunKey(lastOfRun))
  if (bytes === null) throw damaged(`the records up to ${lastOfRun} are missing`)
  const run = new Run(bytes)
  const index = position - lastOfRun + run.count - 1
  if (index < 0 || index >= run.count)
    throw damaged(`record ${position} is not among those up to ${lastOfRun}`)
  const record = decodeVerdict(run.at(index))
  if (!record.ok) throw damaged(record.detail)
  if (record.value.requestKey !== requestKey) throw damaged(`record ${position} is that of another request`)
  return record.value
}
