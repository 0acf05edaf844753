/** Plain bytes to sealed frames, one direction. Synchronous, with one copy in and one out per frame. */

import { createCipheriv } from 'node:crypto'
import { Uint8ArrayList } from 'uint8arraylist'
import {
  FRAME_DATA_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_KINDS,
  FRAME_TAG_BYTES,
  FrameKeys,
} from './frame-format.ts'

/** Where a frame's plaintext is gathered; shared by all sealers, because sealing never awaits. */
const scratch = Buffer.alloc(1 + FRAME_DATA_BYTES_MAX)

export class FrameSealer {
  readonly #keys: FrameKeys

  /** @param secret traffic secret of this direction, 32 bytes */
  constructor(secret: Uint8Array, framesPerKeyMax?: number) {
    this.#keys = new FrameKeys(secret, framesPerKeyMax)
  }

  /** As few frames as hold the data; empty data gives no frame. */
  seal(data: Uint8Array | Uint8ArrayList): Uint8ArrayList {
    const frames = new Uint8ArrayList()
    let filled = 0
    for (const part of data instanceof Uint8Array ? [data] : data) {
      for (let from = 0; from < part.byteLength; ) {
        const piece = part.subarray(from, from + FRAME_DATA_BYTES_MAX - filled)
        scratch.set(piece, 1 + filled)
        filled += piece.byteLength
        from += piece.byteLength
        if (filled === FRAME_DATA_BYTES_MAX) {
          frames.append(this.#sealScratch(FRAME_KINDS.data, filled))
          filled = 0
        }
      }
    }
    if (filled > 0) frames.append(this.#sealScratch(FRAME_KINDS.data, filled))
    return frames
  }

  /** The authenticated last frame of the direction. */
  sealEnd(): Uint8Array {
    return this.#sealScratch(FRAME_KINDS.end, 0)
  }

  #sealScratch(kind: number, dataBytes: number): Uint8Array {
    scratch[0] = kind
    const bodyBytes = 1 + dataBytes + FRAME_TAG_BYTES
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + bodyBytes)
    frame.writeUInt32BE(bodyBytes, 0)
    const cipher = createCipheriv('aes-256-gcm', this.#keys.key, this.#keys.nonce)
    cipher.setAAD(frame.subarray(0, FRAME_HEADER_BYTES))
    frame.set(cipher.update(scratch.subarray(0, 1 + dataBytes)), FRAME_HEADER_BYTES)
    cipher.final()
    frame.set(cipher.getAuthTag(), FRAME_HEADER_BYTES + 1 + dataBytes)
    this.#keys.advance()
    return frame
  }
}
