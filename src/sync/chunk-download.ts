/**
 * Fetches the chunks of a snapshot from several peers at once. Every chunk is checked by its hash as it comes, and
 * what came stays over a restart. A peer that sends something else is left alone.
 */
import type { Logger } from '../types/logger.ts'
import type { Hex32 } from '../types/primitives.ts'
import type { ChunkReference } from '../types/snapshot.ts'
import { PeerTurns } from './peer-turns.ts'
import type { IncomingChunks, SnapshotFetcher } from './snapshot-ports.ts'

/** Chunks under way at once; each is about 1 MiB. */
const PARALLEL = 4
/** A peer that sent wrong bytes. */
const LIAR_PAUSE_MS = 600_000

export interface ChunkDownloadOptions {
  readonly fetcher: Pick<SnapshotFetcher, 'chunk'>
  readonly incoming: IncomingChunks
  /** Who says to have the snapshot. */
  readonly peers: readonly string[]
  readonly now: () => number
  readonly logger: Logger
  readonly isStopped: () => boolean
  readonly onChunk: () => void
}

/** Fetches what is not there yet. @returns whether all is there now */
export async function downloadChunks(
  chunks: readonly ChunkReference[],
  options: ChunkDownloadOptions,
): Promise<boolean> {
  const { fetcher, incoming, now, logger, isStopped, onChunk } = options
  const present = await incoming.prepare(chunks)
  const waiting = distinct(chunks).filter(({ sha256 }) => !present.has(sha256))
  const turns = new PeerTurns({ peers: () => options.peers, now, logger })
  const worker = async (): Promise<void> => {
    for (let chunk = waiting.shift(); chunk !== undefined && !isStopped(); chunk = waiting.shift()) {
      const peer = turns.next()
      if (peer === null) {
        waiting.push(chunk)
        return
      }
      const answer = await fetcher.chunk(peer, chunk.sha256)
      if (answer.ok && (await incoming.put(chunk, answer.value))) {
        onChunk()
        continue
      }
      waiting.push(chunk)
      if (answer.ok) turns.pause(peer, 'a chunk is not what its hash says', LIAR_PAUSE_MS)
      else turns.pause(peer, answer.code)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return waiting.length === 0 && !isStopped()
}

/** Equal chunks are fetched once. */
function distinct(chunks: readonly ChunkReference[]): ChunkReference[] {
  const byHash = new Map<Hex32, ChunkReference>(chunks.map((chunk) => [chunk.sha256, chunk]))
  return [...byHash.values()]
}
