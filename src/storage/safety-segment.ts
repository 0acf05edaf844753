/**
 * One file of the safety log: a header block that says whose record it is, then frames, then the zeros it was
 * made with, so that a later fdatasync touches no metadata. Makes, reads and extends the file; decides nothing
 * about when.
 */
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { fromHex, toHex } from '../codec/hex.ts'
import { assert } from '../types/assert.ts'
import type { GenesisHash, ValidatorId } from '../types/primitives.ts'
import { type FileSystem, type WritableFile, writeFully } from './file-system.ts'
import type { SafetyLogBinding } from './safety-binding.ts'
import {
  alignUp,
  encodeFrame,
  FRAME_ALIGNMENT,
  type Frame,
  hasFrameFrom,
  isZero,
  readFrame,
} from './safety-frame.ts'
import { damagedSafetyRecord } from './safety-refusals.ts'
import { STORAGE_EXIT, StorageError } from './storage-error.ts'

/** A segment with all it holds. */
export interface SegmentContents {
  readonly binding: SafetyLogBinding
  readonly generation: number
  readonly frames: readonly Frame[]
  /** Whether bytes of a frame that was never durable follow the last one. */
  readonly isTorn: boolean
}

const MAGIC = 'HMSAFETY'
/** Of the frames and of the records in them (codec/safety-record.ts). */
const VERSION = 2
const SALT_BYTES = 16
const HEADER_BYTES = 8 + 4 + SALT_BYTES + 8 + 8 + 32 + 32 + 4

/** Zeros between two syncs: about a millisecond of disk. */
const LAYOUT_BYTES = 512 * 1024

/** What is refused before it is read into memory. */
export const SEGMENT_BYTES_MAX = 1024 * 1024 * 1024

function encodeHeader(
  salt: Uint8Array,
  of: { binding: SafetyLogBinding; generation: number; bytesMade: number },
): Uint8Array {
  const bytes = new Uint8Array(FRAME_ALIGNMENT)
  const view = new DataView(bytes.buffer)
  bytes.set(new TextEncoder().encode(MAGIC), 0)
  view.setUint32(8, VERSION, true)
  bytes.set(salt, 12)
  view.setBigUint64(28, BigInt(of.generation), true)
  view.setBigUint64(36, BigInt(of.bytesMade), true)
  bytes.set(fromHex(of.binding.validatorId), 44)
  bytes.set(fromHex(of.binding.genesisHash), 76)
  view.setUint32(HEADER_BYTES - 4, crc32(bytes.subarray(0, HEADER_BYTES - 4)), true)
  return bytes
}

/**
 * Reads a segment.
 * @throws StorageError E_SAFETY_RECORD_CORRUPT, E_SAFETY_RECORD_SCHEMA
 */
export function readSegment(path: string, bytes: Uint8Array): SegmentContents {
  const damaged = (why: string) => damagedSafetyRecord(path, why)
  if (bytes.length < FRAME_ALIGNMENT) throw damaged(`it has ${bytes.length} bytes, less than its header`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC) throw damaged('it is not a safety record')
  if (view.getUint32(HEADER_BYTES - 4, true) !== crc32(bytes.subarray(0, HEADER_BYTES - 4))) {
    throw damaged('its header does not match its checksum')
  }
  const version = view.getUint32(8, true)
  if (version !== VERSION) {
    throw new StorageError(
      'E_SAFETY_RECORD_SCHEMA',
      `${path} has format ${version}, this program reads format ${VERSION}`,
      {
        fix: 'run the version of hypermesh that wrote it',
        exitCode: STORAGE_EXIT.data,
      },
    )
  }
  const salt = bytes.slice(12, 12 + SALT_BYTES)
  const bytesMade = Number(view.getBigUint64(36, true))
  if (bytes.length < bytesMade) throw damaged(`it has ${bytes.length} bytes and was made with ${bytesMade}`)

  const frames: Frame[] = []
  let at = FRAME_ALIGNMENT
  let isTorn = false
  while (at < bytes.length) {
    const found = readFrame(bytes, at, salt)
    if (found.state === 'damaged') throw damaged(`at byte ${at}, ${found.why}`)
    if (found.state !== 'frame') {
      // Only the last frame can be torn: each is durable before the next is written.
      if (hasFrameFrom(bytes, at + FRAME_ALIGNMENT, salt)) {
        throw damaged(`at byte ${at}, a frame is missing and others follow`)
      }
      isTorn = !isZero(bytes, at, bytes.length)
      break
    }
    const expected = (frames.at(-1)?.sequence ?? found.frame.sequence - 1) + 1
    if (found.frame.sequence !== expected) {
      throw damaged(`at byte ${at}, frame ${found.frame.sequence} stands where ${expected} belongs`)
    }
    frames.push(found.frame)
    at = found.end
  }
  return {
    binding: {
      validatorId: toHex(bytes.subarray(44, 76)) as ValidatorId,
      genesisHash: toHex(bytes.subarray(76, 108)) as GenesisHash,
    },
    generation: Number(view.getBigUint64(28, true)),
    frames,
    isTorn,
  }
}

/** Told how long the disk took to make frames durable, in seconds. */
export type SyncListener = (seconds: number) => void

/** A segment open for appending. Every method rejects with whatever the file system threw. */
export class SafetySegment {
  readonly generation: number
  readonly #file: WritableFile
  readonly #salt: Uint8Array
  readonly #growBytes: number
  readonly #onSync: SyncListener | undefined
  #capacity: number
  #position = FRAME_ALIGNMENT

  private constructor(
    file: WritableFile,
    of: {
      salt: Uint8Array
      generation: number
      capacity: number
      growBytes: number
      onSync: SyncListener | undefined
    },
  ) {
    this.#file = file
    this.#salt = of.salt
    this.generation = of.generation
    this.#capacity = of.capacity
    this.#growBytes = of.growBytes
    this.#onSync = of.onSync
  }

  /** Makes a segment of zeros behind a header, durable except for its name. Replaces a leftover at `path`. */
  static async create(
    fileSystem: FileSystem,
    path: string,
    of: {
      binding: SafetyLogBinding
      generation: number
      segmentBytes: number
      onSync?: SyncListener | undefined
    },
  ): Promise<SafetySegment> {
    const capacity = Math.max(alignUp(of.segmentBytes), 2 * FRAME_ALIGNMENT)
    const salt = randomBytes(SALT_BYTES)
    await fileSystem.remove(path)
    const file = await fileSystem.createFile(path)
    await writeFully(file, encodeHeader(salt, { ...of, bytesMade: capacity }), 0)
    await layOut(file, FRAME_ALIGNMENT, capacity)
    return new SafetySegment(file, {
      salt,
      generation: of.generation,
      capacity,
      growBytes: capacity,
      onSync: of.onSync,
    })
  }

  /** Bytes taken by header and frames. */
  get bytesUsed(): number {
    return this.#position
  }

  /** Writes frames behind the last ones; they are durable after {@link datasync}. */
  async write(frames: readonly Frame[]): Promise<void> {
    const encoded = frames.map((frame) => encodeFrame(this.#salt, frame))
    const length = encoded.reduce((sum, bytes) => sum + bytes.length, 0)
    await this.#makeRoom(length)
    const only = encoded.length === 1 ? encoded[0] : undefined
    await writeFully(this.#file, only ?? Buffer.concat(encoded), this.#position)
    this.#position += length
  }

  async datasync(): Promise<void> {
    const startedAt = performance.now()
    await this.#file.datasync()
    this.#onSync?.((performance.now() - startedAt) / 1_000)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #makeRoom(length: number): Promise<void> {
    if (this.#position + length <= this.#capacity) return
    const grown = alignUp(Math.max(this.#growBytes, length))
    assert(this.#capacity + grown <= SEGMENT_BYTES_MAX, 'a safety log that nobody compacts')
    await layOut(this.#file, this.#capacity, this.#capacity + grown)
    this.#capacity += grown
  }
}

/**
 * Writes zeros and makes them durable with all that stands before them, a piece at a time: the next vote waits
 * behind one piece on its way to the disk, not behind all.
 */
async function layOut(file: WritableFile, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += LAYOUT_BYTES) {
    await writeFully(file, new Uint8Array(Math.min(LAYOUT_BYTES, to - at)), at)
    await file.sync()
  }
}
