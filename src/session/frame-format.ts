/**
 * The shape of a sealed frame, and the key that turns with use.
 *
 *   u32 length (big-endian, associated data) · AES-256-GCM of (kind byte · data) · tag 16
 *
 * The nonce is the frame's number under its key, so a frame that is lost, repeated or moved does not open.
 */

import { createSecretKey, type KeyObject } from 'node:crypto'
import { assert } from '../types/assert.ts'
import { frameKey, ratchet } from './key-schedule.ts'

/** First byte inside a frame. */
export const FRAME_KINDS = { data: 0, end: 1 } as const

export const FRAME_HEADER_BYTES = 4
export const FRAME_TAG_BYTES = 16

/**
 * Data in one frame, at most: a whole frame (header, kind, data, tag: 65,519 bytes) is then exactly the
 * largest plaintext of one Noise message, so TCP carries it in one.
 */
export const FRAME_DATA_BYTES_MAX = 65_519 - FRAME_HEADER_BYTES - 1 - FRAME_TAG_BYTES

/** Smallest and largest value of the length field. */
export const FRAME_BODY_BYTES_MIN = 1 + FRAME_TAG_BYTES
export const FRAME_BODY_BYTES_MAX = 1 + FRAME_DATA_BYTES_MAX + FRAME_TAG_BYTES

/**
 * Frames under one key before the ratchet turns. Far below the 2^32 invocations of NIST SP 800-38D §8.3,
 * and below the 2^24 of network.md; a turn costs two HKDFs.
 */
export const FRAMES_PER_KEY_MAX = 1 << 22

/** Key and nonce of one direction: `advance` once per frame. */
export class FrameKeys {
  readonly #framesPerKeyMax: number
  readonly nonce = Buffer.alloc(12)
  #secret: Uint8Array
  #key: KeyObject
  #frames = 0

  /** @param secret traffic secret of the direction, 32 bytes */
  constructor(secret: Uint8Array, framesPerKeyMax: number = FRAMES_PER_KEY_MAX) {
    assert(framesPerKeyMax > 0 && framesPerKeyMax < 1 << 24, `ratchet after ${framesPerKeyMax} frames`)
    this.#framesPerKeyMax = framesPerKeyMax
    this.#secret = secret
    this.#key = createSecretKey(frameKey(secret))
  }

  /** The current key; imported once, which is a third of the cost of a small frame. */
  get key(): KeyObject {
    return this.#key
  }

  /** To the next frame: counts the nonce on, or turns the ratchet and starts it anew. */
  advance(): void {
    this.#frames += 1
    if (this.#frames >= this.#framesPerKeyMax) {
      this.#frames = 0
      this.#secret = ratchet(this.#secret)
      this.#key = createSecretKey(frameKey(this.#secret))
    }
    this.nonce.writeUInt32BE(this.#frames, 8)
  }
}
