/**
 * Sealed frames to plain bytes, one direction, from chunks cut anywhere. A frame that lies whole in a chunk
 * is opened in place; only one that spans chunks is copied together. After the first refusal or the end
 * frame it opens nothing more.
 */

import { createDecipheriv } from 'node:crypto'
import { Uint8ArrayList } from 'uint8arraylist'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import {
  FRAME_BODY_BYTES_MAX,
  FRAME_BODY_BYTES_MIN,
  FRAME_HEADER_BYTES,
  FRAME_KINDS,
  FRAME_TAG_BYTES,
  FrameKeys,
} from './frame-format.ts'
import type { FrameRefusalCode } from './refusal.ts'

/** What one chunk gave. */
export interface Opened {
  /** Plain bytes, possibly none. */
  readonly data: Uint8ArrayList
  /** Set when the authenticated end frame has arrived, now or earlier. */
  readonly ended: boolean
  /** Set when a frame behind `data` was refused; the stream is over. */
  readonly refusal?: Refusal<FrameRefusalCode>
}

export class FrameOpener {
  readonly #keys: FrameKeys
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES)
  #headerFilled = 0
  #body: Buffer | undefined
  #bodyFilled = 0
  #ended = false
  #refusal: Refusal<FrameRefusalCode> | undefined

  /** @param secret traffic secret of this direction, 32 bytes */
  constructor(secret: Uint8Array, framesPerKeyMax?: number) {
    this.#keys = new FrameKeys(secret, framesPerKeyMax)
  }

  /** True between frames; false while part of one is held. */
  get betweenFrames(): boolean {
    return this.#headerFilled === 0
  }

  /** Takes the next bytes of the stream; whole good frames are opened even when a bad one follows. */
  open(chunk: Uint8Array | Uint8ArrayList): Opened {
    const data = new Uint8ArrayList()
    if (this.#refusal === undefined) {
      for (const part of chunk instanceof Uint8Array ? [chunk] : chunk) {
        const taken = this.#take(part, data)
        if (!taken.ok) {
          this.#refusal = taken
          break
        }
      }
    }
    const opened = { data, ended: this.#ended }
    return this.#refusal === undefined ? opened : { ...opened, refusal: this.#refusal }
  }

  #take(part: Uint8Array, data: Uint8ArrayList): Result<undefined, FrameRefusalCode> {
    let at = 0
    while (at < part.byteLength) {
      if (this.#ended) return refuse('frame-after-end', `${part.byteLength - at} bytes behind the end frame`)
      if (this.#headerFilled < FRAME_HEADER_BYTES) {
        const piece = part.subarray(at, at + FRAME_HEADER_BYTES - this.#headerFilled)
        this.#header.set(piece, this.#headerFilled)
        this.#headerFilled += piece.byteLength
        at += piece.byteLength
        if (this.#headerFilled < FRAME_HEADER_BYTES) break
      }
      const bodyBytes = this.#header.readUInt32BE(0)
      if (bodyBytes < FRAME_BODY_BYTES_MIN || bodyBytes > FRAME_BODY_BYTES_MAX) {
        return refuse('frame-length', `a frame of ${bodyBytes} bytes`)
      }
      let body: Uint8Array
      if (this.#body === undefined && part.byteLength - at >= bodyBytes) {
        body = part.subarray(at, at + bodyBytes)
        at += bodyBytes
      } else {
        this.#body ??= Buffer.allocUnsafe(bodyBytes)
        const piece = part.subarray(at, at + bodyBytes - this.#bodyFilled)
        this.#body.set(piece, this.#bodyFilled)
        this.#bodyFilled += piece.byteLength
        at += piece.byteLength
        if (this.#bodyFilled < bodyBytes) continue
        body = this.#body
      }
      this.#headerFilled = 0
      this.#body = undefined
      this.#bodyFilled = 0
      const opened = this.#openFrame(body, data)
      if (!opened.ok) return opened
    }
    return ok(undefined)
  }

  #openFrame(body: Uint8Array, data: Uint8ArrayList): Result<undefined, FrameRefusalCode> {
    const tagAt = body.byteLength - FRAME_TAG_BYTES
    const decipher = createDecipheriv('aes-256-gcm', this.#keys.key, this.#keys.nonce, {
      authTagLength: FRAME_TAG_BYTES,
    })
    decipher.setAAD(this.#header)
    decipher.setAuthTag(body.subarray(tagAt))
    const plaintext = decipher.update(body.subarray(0, tagAt))
    try {
      decipher.final()
    } catch {
      return refuse('frame-altered', 'a frame does not open')
    }
    this.#keys.advance()
    if (plaintext[0] === FRAME_KINDS.data && plaintext.byteLength > 1) {
      data.append(plaintext.subarray(1))
      return ok(undefined)
    }
    if (plaintext[0] === FRAME_KINDS.end && plaintext.byteLength === 1) {
      this.#ended = true
      return ok(undefined)
    }
    return refuse('frame-kind', `kind ${plaintext[0]} with ${plaintext.byteLength - 1} bytes`)
  }
}
