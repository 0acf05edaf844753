/**
 * Frames of the safety log: what one flush writes, as bytes and back. A frame is the unit that a power cut can
 * tear, because the next one is written only after this one is durable. Does no I/O.
 *
 * Layout, little endian, at a multiple of 4,096 so that no write touches a page that holds durable records:
 *
 *     0  u32  'HSF1'
 *     4  u32  kind: 1 snapshot, 2 records
 *     8  u64  sequence: one more than the frame before
 *    16  u32  length of the body
 *    20  u32  payloads in the body
 *    24  u32  CRC-32 of the body
 *    28  u32  CRC-32 of the 28 bytes before
 *    32       body: (u32 length, payload)*
 *     …  u8   0xe5, so that the last byte of a frame is never zero; then zeros to the next multiple
 *
 * Both checksums start from the segment's random salt: bytes of another segment, or bytes that a peer smuggled
 * into a payload, never look like a frame of this one.
 */
import { crc32 } from 'node:zlib'
import { SAFETY_RECORD_BYTES_MAX } from '../codec/safety-record.ts'
import { assert } from '../types/assert.ts'

export const FRAME_ALIGNMENT = 4_096
/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512
const HEADER_BYTES = 32
const MAGIC = 0x31_46_53_48
const END_MARK = 0xe5

/** Body of one frame: the largest safety record there can be, behind its length. */
export const FRAME_BODY_BYTES_MAX = SAFETY_RECORD_BYTES_MAX + 4

const KINDS = { snapshot: 1, records: 2 } as const
export type FrameKind = keyof typeof KINDS

export interface Frame {
  readonly kind: FrameKind
  readonly sequence: number
  readonly payloads: readonly Uint8Array[]
}

/** What is at an offset where a frame is expected. */
export type FrameAt =
  | { readonly state: 'frame'; readonly frame: Frame; readonly end: number }
  /** Zeros: nothing was written here, or the sector with the frame's header never arrived. */
  | { readonly state: 'empty' }
  /** A frame of which a part never reached the disk. */
  | { readonly state: 'torn' }
  /** Everything arrived and something changed afterwards. */
  | { readonly state: 'damaged'; readonly why: string }

/** The next multiple of the alignment. */
export function alignUp(bytes: number): number {
  return Math.ceil(bytes / FRAME_ALIGNMENT) * FRAME_ALIGNMENT
}

/** Bytes that a payload takes in a frame's body. */
export function payloadBytes(payload: Uint8Array): number {
  return 4 + payload.length
}

/** A frame as it goes to disk, padded to the alignment. */
export function encodeFrame(salt: Uint8Array, frame: Frame): Uint8Array {
  const bodyLength = frame.payloads.reduce((sum, payload) => sum + payloadBytes(payload), 0)
  assert(bodyLength <= FRAME_BODY_BYTES_MAX, `a frame of ${bodyLength} bytes`)
  const bytes = new Uint8Array(alignUp(HEADER_BYTES + bodyLength + 1))
  const view = new DataView(bytes.buffer)
  let at = HEADER_BYTES
  for (const payload of frame.payloads) {
    view.setUint32(at, payload.length, true)
    bytes.set(payload, at + 4)
    at += payloadBytes(payload)
  }
  bytes[at] = END_MARK
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, KINDS[frame.kind], true)
  view.setBigUint64(8, BigInt(frame.sequence), true)
  view.setUint32(16, bodyLength, true)
  view.setUint32(20, frame.payloads.length, true)
  const seed = crc32(salt)
  view.setUint32(24, crc32(bytes.subarray(HEADER_BYTES, at), seed), true)
  view.setUint32(28, crc32(bytes.subarray(0, 28), seed), true)
  return bytes
}

interface FrameHeader {
  readonly kind: FrameKind
  readonly sequence: number
  readonly bodyLength: number
  readonly count: number
  readonly bodyCrc: number
}

/** The header at an offset when its checksum holds under this salt. */
function readHeader(bytes: Uint8Array, offset: number, seed: number): FrameHeader | null {
  if (offset + HEADER_BYTES > bytes.length) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_BYTES)
  if (view.getUint32(0, true) !== MAGIC) return null
  if (view.getUint32(28, true) !== crc32(bytes.subarray(offset, offset + 28), seed)) return null
  const kindNumber = view.getUint32(4, true)
  const kind = kindNumber === KINDS.snapshot ? 'snapshot' : kindNumber === KINDS.records ? 'records' : null
  const sequence = Number(view.getBigUint64(8, true))
  if (kind === null || !Number.isSafeInteger(sequence)) return null
  return {
    kind,
    sequence,
    bodyLength: view.getUint32(16, true),
    count: view.getUint32(20, true),
    bodyCrc: view.getUint32(24, true),
  }
}

function splitBody(body: Uint8Array, count: number): Uint8Array[] | null {
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const payloads: Uint8Array[] = []
  let at = 0
  while (payloads.length < count) {
    if (at + 4 > body.length) return null
    const length = view.getUint32(at, true)
    if (at + 4 + length > body.length) return null
    payloads.push(body.slice(at + 4, at + 4 + length))
    at += 4 + length
  }
  return at === body.length ? payloads : null
}

/** Whether no byte from `start` to `end` is set. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  const stop = Math.min(end, bytes.length)
  for (let i = start; i < stop; i++) if (bytes[i] !== 0) return false
  return true
}

/** Whether a sector of the extent is all zeros: the frame was written over zeros, so that sector never arrived. */
function lacksSector(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += SECTOR_BYTES) {
    if (isZero(bytes, at, Math.min(at + SECTOR_BYTES, end))) return true
  }
  return false
}

/**
 * Reads the frame at `offset` of a segment.
 *
 * A torn write leaves sectors as they were (zeros) or cuts the frame off; either way something is missing. When
 * nothing is missing and the checksum is wrong, the frame was durable once and has changed: that is never a
 * torn tail, even at the end of the log.
 */
export function readFrame(bytes: Uint8Array, offset: number, salt: Uint8Array): FrameAt {
  const seed = crc32(salt)
  const header = readHeader(bytes, offset, seed)
  if (header === null) {
    if (isZero(bytes, offset, offset + SECTOR_BYTES)) return { state: 'empty' }
    // Cut off inside the header: then nothing at all follows it.
    if (isZero(bytes, offset + HEADER_BYTES, bytes.length)) return { state: 'torn' }
    return { state: 'damaged', why: 'the header of a frame is damaged' }
  }
  const bodyStart = offset + HEADER_BYTES
  const bodyEnd = bodyStart + header.bodyLength
  if (bodyEnd + 1 > bytes.length) return { state: 'damaged', why: 'a frame reaches past the end of the file' }
  const body = bytes.subarray(bodyStart, bodyEnd)
  if (crc32(body, seed) !== header.bodyCrc) {
    const isCutOff = bytes[bodyEnd] === 0
    if (isCutOff || lacksSector(bytes, offset, bodyEnd + 1)) return { state: 'torn' }
    return { state: 'damaged', why: 'the checksum of a frame does not match its bytes' }
  }
  const payloads = splitBody(body, header.count)
  if (payloads === null) return { state: 'damaged', why: 'the payloads of a frame do not add up' }
  const frame = { kind: header.kind, sequence: header.sequence, payloads }
  return { state: 'frame', frame, end: alignUp(bodyEnd + 1) }
}

/** Whether a header of this segment stands anywhere at or after `offset`. */
export function hasFrameFrom(bytes: Uint8Array, offset: number, salt: Uint8Array): boolean {
  const seed = crc32(salt)
  for (let at = offset; at < bytes.length; at += FRAME_ALIGNMENT) {
    if (readHeader(bytes, at, seed) !== null) return true
  }
  return false
}
