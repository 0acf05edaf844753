/**
 * Lists that only grow, many entries to a row. A row is named by the position of its last entry: the row of an entry is
 * then the first one whose name is not below it, wherever the rows before it end. Rows in order are never mixed with
 * others when LevelDB rewrites its tables, as rows under hashes are, and whoever reads a list reads the disk in order.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { assert } from '../types/assert.ts'
import { decodeHeight, heightRange, nullifierRunKey, verdictRunKey } from './buckets.ts'
import type { DatabaseView, WriteOperation } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

/** The lists that are kept so: nullifiers, 32 bytes each; canonical bytes of verdict records. */
export type RunBucket = 'nullifierRuns' | 'verdictRuns'

/** Rows that are read at a time; one has the entries of a block. */
const ROWS_AT_A_TIME = 64
const KEYS = { nullifierRuns: nullifierRunKey, verdictRuns: verdictRunKey } as const
const OFFSET_BYTES = 4

/**
 * The row of entries that follow on a list; none when there are none.
 * @param first position of the first one
 */
export function runOperations(
  bucket: RunBucket,
  entries: readonly Uint8Array[],
  first: number,
): WriteOperation[] {
  if (entries.length === 0) return []
  return [{ type: 'put', key: KEYS[bucket](first + entries.length - 1), value: packed(entries) }]
}

/** Where each entry ends, u32 little endian, behind their number; then the entries. */
function packed(entries: readonly Uint8Array[]): Uint8Array {
  const head = OFFSET_BYTES * (1 + entries.length)
  const bytes = new Uint8Array(entries.reduce((sum, { length }) => sum + length, head))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, entries.length, true)
  let end = head
  for (const [i, entry] of entries.entries()) {
    bytes.set(entry, end)
    end += entry.length
    view.setUint32(OFFSET_BYTES * (1 + i), end, true)
  }
  return bytes
}

/** A row of entries. */
export class Run {
  readonly count: number
  readonly #bytes: Uint8Array
  readonly #view: DataView

  /** @param bytes as {@link runOperations} writes them; the database has checked that they are */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.count = this.#view.getUint32(0, true)
  }

  /** An entry; it shares the row's memory. */
  at(index: number): Uint8Array {
    assert(index >= 0 && index < this.count, `entry ${index} of ${this.count}`)
    const start = index === 0 ? OFFSET_BYTES * (1 + this.count) : this.#end(index - 1)
    return this.#bytes.subarray(start, this.#end(index))
  }

  #end(index: number): number {
    return this.#view.getUint32(OFFSET_BYTES * (1 + index), true)
  }
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
      const run = new Run(value)
      const first = decodeHeight(key) - run.count + 1
      if (first > next && next <= to) {
        throw damagedDatabase(view.path, `entry ${next} of ${bucket} is missing`)
      }
      const end = Math.min(to, decodeHeight(key))
      for (; next <= end; next++) {
        slice.push(run.at(next - first))
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
