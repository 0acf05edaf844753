/**
 * Lists of hashes that only grow, many entries to a row. A row is named by the position of its last entry: the row of
 * an entry is then the first one whose name is not below it, wherever the rows before it end.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { setHex } from '../codec/hex.ts'
import { decodeHeight, heightRange, nullifierRunKey, verdictRunKey } from './buckets.ts'
import type { DatabaseView, WriteOperation } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

/** The lists that are kept so. */
export type RunBucket = 'nullifierRuns' | 'verdictRuns'

const ENTRY_BYTES = 32
/** Rows that are read at a time; one has the entries of a block. */
const ROWS_AT_A_TIME = 64
const KEYS = { nullifierRuns: nullifierRunKey, verdictRuns: verdictRunKey } as const

/**
 * The row of entries that follow on a list; none when there are none.
 * @param entries 32 bytes each, in hex
 * @param first position of the first one
 */
export function runOperations(
  bucket: RunBucket,
  entries: readonly string[],
  first: number,
): WriteOperation[] {
  if (entries.length === 0) return []
  const value = new Uint8Array(ENTRY_BYTES * entries.length)
  for (const [i, entry] of entries.entries()) setHex(value, entry, ENTRY_BYTES * i)
  return [{ type: 'put', key: KEYS[bucket](first + entries.length - 1), value }]
}

/**
 * Entries from one position to another, both included, in slices; the event loop turns between two.
 * @throws StorageError E_DB_CORRUPT when entries are missing in the middle
 */
export async function* readRuns(
  view: DatabaseView,
  bucket: RunBucket,
  { from, to, perSlice }: { readonly from: number; readonly to: number; readonly perSlice: number },
): AsyncGenerator<readonly Uint8Array[]> {
  let next = from
  let slice: Uint8Array[] = []
  // A row may end beyond the last one that is asked for.
  const range = heightRange(bucket, from, Number.MAX_SAFE_INTEGER - 1)
  for await (const rows of view.scan(range, ROWS_AT_A_TIME)) {
    for (const [key, value] of rows) {
      const first = decodeHeight(key) - Math.floor(value.length / ENTRY_BYTES) + 1
      if (first > next && next <= to) {
        throw damagedDatabase(view.path, `entry ${next} of ${bucket} is missing`)
      }
      const end = Math.min(to, decodeHeight(key))
      for (; next <= end; next++) {
        const at = ENTRY_BYTES * (next - first)
        slice.push(value.subarray(at, at + ENTRY_BYTES))
        if (slice.length < perSlice) continue
        yield slice
        slice = []
        await turn()
      }
    }
    if (next > to) break
  }
  if (slice.length > 0) yield slice
}
