/**
 * Frames of our own protocols: u32 little endian length, then that many bytes. An empty frame is a sign of
 * life. The reader keeps no more than one unfinished frame and copies every byte a constant number of times.
 */

import type { Uint8ArrayList } from 'uint8arraylist'

/** Bytes of the length prefix. */
export const FRAME_HEADER_BYTES = 4

/** What first is allocated for a frame; it doubles as bytes really arrive. */
const FIRST_ALLOCATION_BYTES = 64 * 1024

/** The empty frame. */
export const EMPTY_FRAME = new Uint8Array(FRAME_HEADER_BYTES)

/** One buffer with all the frames in order. */
export function encodeFrames(messages: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const message of messages) length += FRAME_HEADER_BYTES + message.byteLength
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const message of messages) {
    at = bytes.writeUInt32LE(message.byteLength, at)
    bytes.set(message, at)
    at += message.byteLength
  }
  return bytes
}

/** The frame announces more than is allowed. */
export class FrameTooLong extends Error {
  constructor(length: number, bytesMax: number) {
    super(`a frame of ${length} bytes, the limit is ${bytesMax}`)
  }
}

/** Puts frames together from chunks of any size. */
export class FrameReader {
  readonly #frameBytesMax: number
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  #headerFilled = 0
  #body: Uint8Array | undefined
  #bodyFilled = 0
  #length = 0

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  /** Bytes held for an unfinished frame. */
  get heldBytes(): number {
    return this.#body?.byteLength ?? 0
  }

  /**
   * Takes what has arrived and hands out every frame that is complete. The frames own their bytes.
   *
   * @throws FrameTooLong when a frame announces more than the bound; the stream is of no use after that
   */
  push(data: Uint8Array | Uint8ArrayList, onFrame: (frame: Uint8Array) => void): void {
    if (data instanceof Uint8Array) {
      this.#pushChunk(data, onFrame)
      return
    }
    for (const chunk of data) this.#pushChunk(chunk, onFrame)
  }

  #pushChunk(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    let at = 0
    while (at < chunk.byteLength) {
      if (this.#headerFilled < FRAME_HEADER_BYTES) {
        at += this.#fillHeader(chunk, at)
        if (this.#headerFilled < FRAME_HEADER_BYTES) return
        if (this.#length > 0) continue
      } else {
        at += this.#fillBody(chunk, at)
        if (this.#bodyFilled < this.#length) return
      }
      const frame = this.#body?.subarray(0, this.#length) ?? new Uint8Array(0)
      this.#headerFilled = 0
      this.#body = undefined
      this.#bodyFilled = 0
      onFrame(frame)
    }
  }

  #fillHeader(chunk: Uint8Array, at: number): number {
    const take = Math.min(FRAME_HEADER_BYTES - this.#headerFilled, chunk.byteLength - at)
    this.#header.set(chunk.subarray(at, at + take), this.#headerFilled)
    this.#headerFilled += take
    if (this.#headerFilled === FRAME_HEADER_BYTES) {
      this.#length = new DataView(this.#header.buffer).getUint32(0, true)
      if (this.#length > this.#frameBytesMax) throw new FrameTooLong(this.#length, this.#frameBytesMax)
    }
    return take
  }

  #fillBody(chunk: Uint8Array, at: number): number {
    const take = Math.min(this.#length - this.#bodyFilled, chunk.byteLength - at)
    const needed = this.#bodyFilled + take
    if (this.#body === undefined) {
      this.#body = new Uint8Array(Math.min(this.#length, Math.max(needed, FIRST_ALLOCATION_BYTES)))
    } else if (this.#body.byteLength < needed) {
      const grown = new Uint8Array(Math.min(this.#length, Math.max(needed, 2 * this.#body.byteLength)))
      grown.set(this.#body.subarray(0, this.#bodyFilled))
      this.#body = grown
    }
    this.#body.set(chunk.subarray(at, at + take), this.#bodyFilled)
    this.#bodyFilled = needed
    return take
  }
}
