/** What a safety log holds, read without opening it for writing. */
import { type FileSystem, nodeFileSystem } from './file-system.ts'
import type { Frame } from './safety-frame.ts'
import { damagedSafetyRecord } from './safety-refusals.ts'
import { readSegment, SEGMENT_BYTES_MAX, type SegmentContents } from './safety-segment.ts'

/** The state that was persisted is the snapshot with the records applied to it in order. */
export interface SafetyReplay {
  readonly snapshot: Uint8Array | null
  readonly records: readonly Uint8Array[]
}

/**
 * Reads the file of a log; null when there is none.
 * @throws StorageError E_SAFETY_RECORD_CORRUPT, E_SAFETY_RECORD_SCHEMA
 */
export async function readSafetyLog(
  path: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<SegmentContents | null> {
  const bytes = await fileSystem.readFile(path, SEGMENT_BYTES_MAX)
  return bytes === null ? null : readSegment(path, bytes)
}

/** The payloads of a log's frames. A snapshot stands first or nowhere. */
export function replayOf(path: string, frames: readonly Frame[]): SafetyReplay {
  const [first, ...rest] = frames
  if (rest.some((frame) => frame.kind === 'snapshot')) {
    throw damagedSafetyRecord(path, 'a snapshot stands behind other records')
  }
  const snapshot = first?.kind === 'snapshot' ? first.payloads[0] : undefined
  return {
    snapshot: snapshot ?? null,
    records: (snapshot === undefined ? frames : rest).flatMap((frame) => frame.payloads),
  }
}
