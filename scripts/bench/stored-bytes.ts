/**
 * What a chain takes on the disk, measured so that it does not depend on where LevelDB's log stands: the node has
 * stopped, every live key and value is counted, then the whole is compacted and the tables' size is read.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { blockKey } from '../../src/storage/buckets.ts'
import type { Height } from '../../src/types/primitives.ts'

export interface StoredBytes {
  /** Genesis and all that follow. */
  readonly blocks: number
  /** Keys and values that are live, without the rows that every block overwrites. */
  readonly liveBytesPerBlock: number
  /** The rows that every block overwrites: the tip and its certificate, schema, accumulators. Once, not per block. */
  readonly liveBytesOverwritten: number
  /** Size of LevelDB's tables after everything was compacted. */
  readonly compactedBytesPerBlock: number
}

/** On Node.js `level` is `classic-level`, which has this; its types are those of all platforms. */
interface Compactable {
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>
}

const [BLOCKS] = blockKey(0 as Height)
/** First byte of the keys of the bucket `meta` (storage/buckets.ts). */
const META = 0x01

/** @param folder LevelDB's; nobody has it open. It is compacted. */
export async function storedBytes(folder: string): Promise<StoredBytes> {
  const level = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
  await level.open()
  let blocks = 0
  let live = 0
  let overwritten = 0
  try {
    for await (const [key, value] of level.iterator()) {
      if (key[0] === BLOCKS) blocks++
      if (key[0] === META) overwritten += key.length + value.length
      else live += key.length + value.length
    }
    await (level as unknown as Compactable).compactRange(Uint8Array.of(0x00), Uint8Array.of(0xff))
  } finally {
    await level.close()
  }
  const tables = readdirSync(folder).filter((name) => name.endsWith('.ldb'))
  const tableBytes = tables.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  return {
    blocks,
    liveBytesPerBlock: Math.round(live / blocks),
    liveBytesOverwritten: overwritten,
    compactedBytesPerBlock: Math.round((tableBytes - overwritten) / blocks),
  }
}
