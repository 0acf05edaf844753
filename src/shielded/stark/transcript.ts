/**
 * Fiat–Shamir: challenges are hashes of everything said before. SHA-256 of a chained state; every item goes in with its
 * label and length.
 */
import { elementBytes } from '../field/element-bytes.ts'
import { P } from '../field/koala-bear.ts'
import type { Quintic } from '../field/quintic.ts'
import { sha256, sha256Tagged } from '../hash/sha256.ts'
import {
  CHUNK_COEFFICIENTS,
  FINAL_COEFFICIENTS,
  FOLD_BITS,
  type ProofShape,
  QUOTIENT_CHUNKS,
} from './parameters.ts'

const START = 'hypermesh/shielded/transcript/v1'
const CHALLENGE = 'hypermesh/shielded/challenge/v1'
/** First byte of the hash that grinding is about; leaves and nodes of Merkle trees have 0 and 1. */
const GRINDING_PREFIX = 2

/** What is absorbed, each under its own tag. */
export type TranscriptLabel =
  | 'parameters'
  | 'air'
  | 'public-inputs'
  | 'binding'
  | 'trace-root'
  | 'quotient-root'
  | 'openings'
  | 'fri-root'
  | 'final-polynomial'
  | 'nonce'

/** The statement that a proof is of: public inputs, and 32 bytes that it vouches for. */
export interface TranscriptStatement {
  readonly elements: ArrayLike<number>
  readonly binding: Uint8Array
}

export class Transcript {
  #state: Uint8Array
  #words: number[] = []
  #blocks = 0

  constructor() {
    this.#state = sha256Tagged(START)
  }

  /** Everything that is fixed before the prover says anything. */
  static of(shape: ProofShape, statement: TranscriptStatement): Transcript {
    const transcript = new Transcript()
    const { blowupBits, queries, grindingBits } = shape.parameters
    const figures = [blowupBits, queries, grindingBits]
    const fixed = [QUOTIENT_CHUNKS, CHUNK_COEFFICIENTS, FOLD_BITS, FINAL_COEFFICIENTS]
    transcript.absorb('parameters', elementBytes([...figures, ...fixed]))
    transcript.absorb('air', shape.air.hash)
    transcript.absorb('public-inputs', elementBytes(statement.elements))
    transcript.absorb('binding', statement.binding)
    return transcript
  }

  absorb(label: TranscriptLabel, bytes: Uint8Array): void {
    this.#state = sha256Tagged(`hypermesh/shielded/${label}/v1`, this.#state, bytes)
    this.#words = []
    this.#blocks = 0
  }

  /** 32 bits of a stream that is the state's. */
  #word(): number {
    let word = this.#words.shift()
    if (word === undefined) {
      const block = sha256Tagged(CHALLENGE, this.#state, elementBytes([this.#blocks++]))
      const numbers = new DataView(block.buffer, block.byteOffset, block.length)
      this.#words = [0, 4, 8, 12, 16, 20, 24, 28].map((o) => numbers.getUint32(o, true))
      word = this.#words.shift() as number
    }
    return word
  }

  #element(): number {
    for (;;) {
      const value = this.#word() & 0x7fffffff
      if (value < P) return value
    }
  }

  /** A challenge, uniform over the extension. */
  challenge(): Quintic {
    return [this.#element(), this.#element(), this.#element(), this.#element(), this.#element()]
  }

  /** Places below 2^bits, as drawn: they may repeat. */
  places(count: number, bits: number): number[] {
    return Array.from({ length: count }, () => this.#word() & (2 ** bits - 1))
  }

  /** Whether the nonce gives a hash that begins with so many zero bits. At most 32. */
  isGround(nonce: number, bits: number): boolean {
    return zeroBits(grindingMessage(this.#state, nonce), bits)
  }

  /** The least nonce that {@link isGround}. */
  grind(bits: number): number {
    const message = grindingMessage(this.#state, 0)
    const numbers = new DataView(message.buffer)
    for (let nonce = 0; ; nonce++) {
      numbers.setUint32(33, nonce, true)
      if (zeroBits(message, bits)) return nonce
    }
  }
}

function grindingMessage(state: Uint8Array, nonce: number): Uint8Array {
  const message = new Uint8Array(37)
  message[0] = GRINDING_PREFIX
  message.set(state, 1)
  new DataView(message.buffer).setUint32(33, nonce, true)
  return message
}

function zeroBits(message: Uint8Array, bits: number): boolean {
  const digest = sha256(message)
  const first = new DataView(digest.buffer, digest.byteOffset, 4).getUint32(0)
  return bits === 0 || first >>> (32 - bits) === 0
}

/** The different places, in rising order: what is opened. */
export function distinctPlaces(places: Iterable<number>): number[] {
  return [...new Set(places)].sort((a, b) => a - b)
}

/** Four bytes of a nonce. */
export function nonceBytes(nonce: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, nonce, true)
  return bytes
}
