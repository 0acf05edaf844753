/**
 * The safety log (rule S0, src/consensus/README.md): what a key has signed, on disk before anybody sees it.
 * Append-only, opaque payloads, one write and one fdatasync per flush. It does not know what the payloads mean,
 * and it takes no lock: open the database of the same data directory first, its lock covers both.
 */
import { dirname } from 'node:path'
import { assert } from '../types/assert.ts'
import { type FileSystem, nodeFileSystem } from './file-system.ts'
import type { SafetyLogBinding } from './safety-binding.ts'
import { FRAME_BODY_BYTES_MAX, type Frame, payloadBytes } from './safety-frame.ts'
import {
  existingSafetyRecord,
  failedSafetyWrite,
  missingSafetyRecord,
  refuseForeignSafetyRecord,
  safetyRecordUnreachable,
} from './safety-refusals.ts'
import { readSafetyLog, replayOf, type SafetyReplay } from './safety-replay.ts'
import { SafetySegment, SEGMENT_BYTES_MAX, type SyncListener } from './safety-segment.ts'
import { StorageError } from './storage-error.ts'

export type { SafetyLogBinding } from './safety-binding.ts'
export type { SafetyReplay } from './safety-replay.ts'

export interface SafetyLogOptions {
  readonly path: string
  readonly binding: SafetyLogBinding
  /** Called once, when a write or sync has failed: the process must stop, nothing more may be signed. */
  readonly onFatal: (error: StorageError) => void
  readonly onSync?: SyncListener
  readonly fileSystem?: FileSystem
  /** Bytes that are laid out in advance; the log asks for compaction when three quarters of them are used. */
  readonly segmentBytes?: number
}

/** Eight mebibytes: some 400 views of four validators, 5 to 20 ms to lay out. */
export const SAFETY_SEGMENT_BYTES = 8 * 1024 * 1024

interface Queued {
  /** Position among all payloads that were ever appended to this object. */
  readonly index: number
  readonly payload: Uint8Array
}

interface Waiter {
  readonly index: number
  readonly resolve: () => void
  readonly reject: (error: StorageError) => void
}

interface Compaction {
  readonly snapshot: Uint8Array
  /** Every payload up to this index is inside the snapshot. */
  readonly covers: number
  /** Payloads behind the snapshot that went to the old segment while the new one was laid out. */
  readonly carried: Uint8Array[]
  segment: SafetySegment | null
  readonly done: PromiseWithResolvers<void>
}

export class SafetyLog {
  readonly #options: SafetyLogOptions
  readonly #fileSystem: FileSystem
  #segment: SafetySegment
  #sequence: number
  /** What compaction could not get rid of; it does not count towards the next one. */
  #snapshotBytes = 0
  #queue: Queued[] = []
  #waiters: Waiter[] = []
  #appended = 0
  #durable = 0
  #compaction: Compaction | null = null
  #pump: Promise<void> | null = null
  #refusal: StorageError | null = null
  #isClosed = false

  private constructor(options: SafetyLogOptions, segment: SafetySegment, sequence: number) {
    this.#options = options
    this.#fileSystem = options.fileSystem ?? nodeFileSystem
    this.#segment = segment
    this.#sequence = sequence
  }

  /**
   * Makes the log of a key that has no log here. Resolves when it is durable, with the snapshot or not at all.
   * @param snapshot what the key has signed elsewhere; null for a key that has never signed
   * @throws StorageError E_SAFETY_RECORD_EXISTS, E_SAFETY_IO
   */
  static async create(options: SafetyLogOptions, snapshot: Uint8Array | null = null): Promise<SafetyLog> {
    const fileSystem = options.fileSystem ?? nodeFileSystem
    return await guarded(options.path, async () => {
      if ((await fileSystem.readFile(options.path, SEGMENT_BYTES_MAX)) !== null) {
        throw existingSafetyRecord(options.path)
      }
      const frames: Frame[] =
        snapshot === null ? [] : [{ kind: 'snapshot', sequence: 0, payloads: [snapshot.slice()] }]
      const segment = await replaceSegment(fileSystem, options, { generation: 0, frames })
      // The directories above may be as new as the log: a name is durable with the directory that holds it.
      const directory = dirname(dirname(options.path))
      await fileSystem.syncDirectory(directory)
      await fileSystem.syncDirectory(dirname(directory))
      const log = new SafetyLog(options, segment, frames.length)
      log.#snapshotBytes = snapshot?.length ?? 0
      return log
    })
  }

  /**
   * Opens the log of a key and replays it. What is read is first written to a new segment: bytes that a
   * crashed process left in the page cache, or that a failed fsync silently dropped, are durable (or refused)
   * before anything is decided on them, and a torn tail is gone.
   * @throws StorageError E_SAFETY_RECORD_MISSING, E_SAFETY_RECORD_FOREIGN, E_SAFETY_RECORD_CORRUPT,
   *   E_SAFETY_RECORD_SCHEMA, E_SAFETY_IO
   */
  static async open(options: SafetyLogOptions): Promise<{ log: SafetyLog; replay: SafetyReplay }> {
    const fileSystem = options.fileSystem ?? nodeFileSystem
    return await guarded(options.path, async () => {
      const contents = await readSafetyLog(options.path, fileSystem)
      if (contents === null) throw missingSafetyRecord(options.path)
      refuseForeignSafetyRecord(options.path, contents.binding, options.binding)
      const { frames } = contents
      const replay = replayOf(options.path, frames)
      const segment = await replaceSegment(fileSystem, options, {
        generation: contents.generation + 1,
        frames,
      })
      const log = new SafetyLog(options, segment, (frames.at(-1)?.sequence ?? -1) + 1)
      log.#snapshotBytes = replay.snapshot?.length ?? 0
      return { log, replay }
    })
  }

  /** Bytes of the current segment that are taken. */
  get bytesUsed(): number {
    return this.#segment.bytesUsed
  }

  /** Whether the caller should hand over a snapshot soon. */
  get wantsCompaction(): boolean {
    // A quarter is left for what comes while the next segment is laid out.
    const enough = (this.#options.segmentBytes ?? SAFETY_SEGMENT_BYTES) * 0.75
    return this.#compaction === null && this.#segment.bytesUsed - this.#snapshotBytes > enough
  }

  /**
   * Queues a payload for the next {@link flush}. The bytes are copied.
   * @throws StorageError when the log has failed or is closed
   */
  append(payload: Uint8Array): void {
    const refusal = this.#refuseUse()
    if (refusal !== null) throw refusal
    assert(payloadBytes(payload) <= FRAME_BODY_BYTES_MAX, `a safety record of ${payload.length} bytes`)
    this.#appended++
    this.#queue.push({ index: this.#appended, payload: payload.slice() })
  }

  /**
   * Resolves when everything appended so far is durable. While one write runs, further flushes collect and
   * share the next.
   * @throws StorageError E_SAFETY_WRITE: the log is dead and `onFatal` has been called
   */
  flush(): Promise<void> {
    const refusal = this.#refuseUse()
    if (refusal !== null) return Promise.reject(refusal)
    if (this.#durable === this.#appended) return Promise.resolve()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiters.push({ index: this.#appended, resolve, reject })
    this.#wake()
    return promise
  }

  /**
   * Replaces everything appended so far, flushed or not, by one snapshot that stands for it. Appending and
   * flushing go on meanwhile. Resolves when the new segment is in place; a crash before leaves the old one.
   * @throws StorageError E_SAFETY_WRITE
   */
  compact(snapshot: Uint8Array): Promise<void> {
    const refusal = this.#refuseUse()
    if (refusal !== null) return Promise.reject(refusal)
    assert(this.#compaction === null, 'one compaction at a time')
    assert(payloadBytes(snapshot) <= FRAME_BODY_BYTES_MAX, `a safety snapshot of ${snapshot.length} bytes`)
    const compaction: Compaction = {
      snapshot: snapshot.slice(),
      covers: this.#appended,
      carried: [],
      segment: null,
      done: Promise.withResolvers<void>(),
    }
    this.#compaction = compaction
    void this.#prepare(compaction)
    return compaction.done.promise
  }

  /** Makes what is queued durable, then closes the file. Every later call rejects. */
  async close(): Promise<void> {
    const flushed = this.#refusal === null ? this.flush() : null
    this.#isClosed = true
    try {
      await flushed
      await this.#compaction?.done.promise
      await this.#pump
    } finally {
      this.#refusal ??= new StorageError('E_SAFETY_CLOSED', `${this.#options.path} is closed`)
      await guarded(this.#options.path, () => this.#segment.close())
    }
  }

  #refuseUse(): StorageError | null {
    if (this.#refusal !== null || !this.#isClosed) return this.#refusal
    return new StorageError('E_SAFETY_CLOSED', `${this.#options.path} is closed`)
  }

  async #prepare(compaction: Compaction): Promise<void> {
    try {
      compaction.segment = await SafetySegment.create(this.#fileSystem, nextPath(this.#options.path), {
        binding: this.#options.binding,
        generation: this.#segment.generation + 1,
        segmentBytes: (this.#options.segmentBytes ?? SAFETY_SEGMENT_BYTES) + compaction.snapshot.length,
        onSync: this.#options.onSync,
      })
      this.#wake()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Starts the one writer unless it runs. A microtask later, so that one turn of the loop shares a write. */
  #wake(): void {
    this.#pump ??= Promise.resolve()
      .then(() => this.#run())
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#pump = null
        if (this.#refusal === null && this.#hasWork()) this.#wake()
      })
  }

  #hasWork(): boolean {
    return this.#waiters.length > 0 || this.#compaction?.segment != null
  }

  async #run(): Promise<void> {
    while (this.#refusal === null && this.#hasWork()) {
      const compaction = this.#compaction
      if (compaction?.segment != null) await this.#switchTo(compaction, compaction.segment)
      else await this.#writeQueue()
    }
  }

  async #writeQueue(): Promise<void> {
    const taken = this.#takeQueue()
    const last = taken.at(-1)
    assert(last !== undefined, 'a waiter waits for a queued payload')
    const payloads = taken.map(({ payload }) => payload)
    await this.#segment.write([this.#nextFrame('records', payloads)])
    await this.#segment.datasync()
    const compaction = this.#compaction
    if (compaction !== null) {
      for (const { index, payload } of taken) if (index > compaction.covers) compaction.carried.push(payload)
    }
    this.#markDurable(last.index)
  }

  /** As many queued payloads as one frame holds. */
  #takeQueue(): Queued[] {
    let bytes = 0
    let count = 0
    for (const { payload } of this.#queue) {
      bytes += payloadBytes(payload)
      if (bytes > FRAME_BODY_BYTES_MAX) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  async #switchTo(compaction: Compaction, segment: SafetySegment): Promise<void> {
    const { path } = this.#options
    const frames = [this.#nextFrame('snapshot', [compaction.snapshot])]
    for (const payload of compaction.carried) frames.push(this.#nextFrame('records', [payload]))
    await segment.write(frames)
    await segment.datasync()
    await this.#fileSystem.rename(nextPath(path), path)
    await this.#fileSystem.syncDirectory(dirname(path))
    const old = this.#segment
    this.#segment = segment
    this.#snapshotBytes = compaction.snapshot.length
    this.#compaction = null
    this.#queue = this.#queue.filter(({ index }) => index > compaction.covers)
    this.#markDurable(Math.max(this.#durable, compaction.covers))
    compaction.done.resolve()
    await old.close()
  }

  #nextFrame(kind: Frame['kind'], payloads: readonly Uint8Array[]): Frame {
    return { kind, sequence: this.#sequence++, payloads }
  }

  #markDurable(index: number): void {
    this.#durable = index
    const waiting = this.#waiters
    this.#waiters = waiting.filter((waiter) => waiter.index > index)
    for (const waiter of waiting) if (waiter.index <= index) waiter.resolve()
  }

  #fail(cause: unknown): void {
    if (this.#refusal !== null) return
    const error = failedSafetyWrite(this.#options.path, cause)
    this.#refusal = error
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
    this.#compaction?.done.reject(error)
    this.#options.onFatal(error)
  }
}

function nextPath(path: string): string {
  return `${path}.next`
}

/** Writes a whole new segment beside the log and puts it in its place: the old one, or the new one, never half. */
async function replaceSegment(
  fileSystem: FileSystem,
  options: SafetyLogOptions,
  of: { generation: number; frames: readonly Frame[] },
): Promise<SafetySegment> {
  const { path, binding, segmentBytes = SAFETY_SEGMENT_BYTES } = options
  const next = nextPath(path)
  const segment = await SafetySegment.create(fileSystem, next, {
    binding,
    generation: of.generation,
    segmentBytes,
    onSync: options.onSync,
  })
  if (of.frames.length > 0) {
    await segment.write(of.frames)
    await segment.datasync()
  }
  await fileSystem.rename(next, path)
  await fileSystem.syncDirectory(dirname(path))
  return segment
}

async function guarded<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw error instanceof StorageError ? error : safetyRecordUnreachable(path, error)
  }
}
