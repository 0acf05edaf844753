/**
 * A deterministic stream of field elements and bytes from a key: SHA-256 in counter mode. The randomness itself is the
 * caller's; here it is only stretched.
 */
import { P } from '../field/koala-bear.ts'
import { sha256, taggedPreimage } from './sha256.ts'

const TAG = 'hypermesh/shielded/random/v1'

export class RandomElements {
  readonly #message: Uint8Array
  readonly #counter: DataView
  #block: Uint8Array = new Uint8Array(0)
  #used = 0
  #next = 0

  /** @param key 32 bytes, known to nobody else */
  constructor(key: Uint8Array) {
    this.#message = taggedPreimage(TAG, [key, new Uint8Array(4)])
    this.#counter = new DataView(this.#message.buffer, this.#message.length - 4)
  }

  /** The next four bytes as an unsigned integer. */
  #word(): number {
    if (this.#used === this.#block.length) {
      this.#counter.setUint32(0, this.#next++, true)
      this.#block = sha256(this.#message)
      this.#used = 0
    }
    const o = this.#used
    const block = this.#block
    this.#used += 4
    return (
      ((block[o] as number) |
        ((block[o + 1] as number) << 8) |
        ((block[o + 2] as number) << 16) |
        ((block[o + 3] as number) << 24)) >>>
      0
    )
  }

  /** One element, uniform: 31 bits at a time, those that are none are skipped. */
  element(): number {
    for (;;) {
      const value = this.#word() & 0x7fffffff
      if (value < P) return value
    }
  }

  /** Elements, uniform and independent. */
  elements(count: number): Int32Array {
    const elements = new Int32Array(count)
    for (let i = 0; i < count; i++) elements[i] = this.element()
    return elements
  }

  /** Bytes, a multiple of four. */
  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    const numbers = new DataView(bytes.buffer)
    for (let o = 0; o < count; o += 4) numbers.setUint32(o, this.#word(), true)
    return bytes
  }
}
