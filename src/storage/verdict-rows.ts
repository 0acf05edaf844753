/** Rows of verdicts as others than the state look them up. */
import { decodeVerdictRow, verdictBytesOfRow } from '../codec/ledger-state.ts'
import type { RequestKey } from '../types/primitives.ts'
import { verdictKey } from './buckets.ts'
import type { Database, DatabaseView } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

/**
 * Canonical bytes of the record; the figures of its answer are this node's own and stay here.
 * @throws StorageError E_DB_CORRUPT when there is no such verdict
 */
export function readVerdictBytes(view: DatabaseView, requestKey: RequestKey): Uint8Array {
  const row = view.get(verdictKey(requestKey))
  const record = row === null ? null : verdictBytesOfRow(row)
  if (record?.ok !== true) throw damagedDatabase(view.path, `the verdict on ${requestKey} is not there`)
  return record.value
}

/** Place of the verdict on a request in the state's list; null when there is no verdict. */
export function readVerdictPosition(
  database: Pick<Database, 'get' | 'path'>,
  requestKey: RequestKey,
): number | null {
  const bytes = database.get(verdictKey(requestKey))
  if (bytes === null) return null
  const row = decodeVerdictRow(bytes)
  if (!row.ok) throw damagedDatabase(database.path, `the verdict on ${requestKey}: ${row.detail}`)
  return row.value.position
}
