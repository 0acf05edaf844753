/**
 * The state after a block as the chunks of a snapshot, read from a view of the database while blocks go on being
 * written. Chunks that an earlier snapshot has are named and not read again: the state's lists only grow.
 */
import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { ChunkWriter } from '../codec/snapshot.ts'
import type { Hex32 } from '../types/primitives.ts'
import type { ChunkReference, SnapshotPart } from '../types/snapshot.ts'
import type { ChainTip } from './chain-opening.ts'
import type { DatabaseView } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'
import { STATE_PARTS, type StatePart } from './state-parts.ts'

/** A chunk of a snapshot in the making. `bytes` is null for one that the earlier snapshot has. */
export interface ExportedChunk {
  readonly reference: ChunkReference
  readonly bytes: Uint8Array | null
}

/** So many slices are read one after the other: some 20 ms of work. From then on there is a pause after each. */
export const PROMPT_SLICES = 32
/** After so many pauses the state is so large that its snapshot must get done before the next one is due. */
export const PAUSES_MAX = 256

/** SHA-256 of a chunk: its name. */
export function chunkHash(bytes: Uint8Array): Hex32 {
  return createHash('sha256').update(bytes).digest('hex') as Hex32
}

/**
 * All chunks in order.
 * @param earlier chunks of an earlier snapshot of the same chain; none: everything is read
 * @param pause waited for after slices from {@link PROMPT_SLICES} on, {@link PAUSES_MAX} times: nobody waits for the snapshot
 * @throws StorageError E_DB_CORRUPT when a part is not as long as its accumulator says
 */
export async function* exportChunks(
  view: DatabaseView,
  tip: ChainTip,
  earlier: readonly ChunkReference[],
  pause: () => Promise<unknown> = turn,
): AsyncGenerator<ExportedChunk> {
  let slices = 0
  const read = (): Promise<unknown> | null => {
    slices += 1
    return slices > PROMPT_SLICES && slices <= PROMPT_SLICES + PAUSES_MAX ? pause() : null
  }
  for (const part of STATE_PARTS) {
    const reused = fullChunksOf(part.part, earlier)
    for (const reference of reused) yield { reference, bytes: null }
    const last = reused.at(-1)
    yield* newChunks(view, tip, part, last === undefined ? 0 : last.first + last.count, read)
  }
}

/** Parts that only grow: all their chunks but the last are full, and stay as they are. */
const GROWING_PARTS: ReadonlySet<SnapshotPart> = new Set(['nullifiers', 'shielded-entries', 'verdicts'])

function fullChunksOf(part: SnapshotPart, earlier: readonly ChunkReference[]): readonly ChunkReference[] {
  return GROWING_PARTS.has(part) ? earlier.filter((chunk) => chunk.part === part).slice(0, -1) : []
}

async function* newChunks(
  view: DatabaseView,
  tip: ChainTip,
  { part, size, entries }: StatePart,
  from: number,
  read: () => Promise<unknown> | null,
): AsyncGenerator<ExportedChunk> {
  const writer = new ChunkWriter()
  let first = from
  const take = (): ExportedChunk => {
    const { count } = writer
    const bytes = writer.take()
    const reference = { part, first, count, bytes: bytes.length, sha256: chunkHash(bytes) }
    first += count
    return { reference, bytes }
  }
  for await (const slice of entries(view, tip, from)) {
    for (const entry of slice) {
      if (!writer.hasRoomFor(entry)) yield take()
      writer.add(entry)
    }
    await read()
  }
  if (writer.count > 0) yield take()
  if (first !== size(tip)) throw damagedDatabase(view.path, `the state has ${first} of ${size(tip)} ${part}`)
}
