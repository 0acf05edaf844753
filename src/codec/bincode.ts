/**
 * bincode 1.3 as Rust's `bincode::serialize` writes it (spec/stoq.md 2.1): fixed-width little-endian integers,
 * u64 lengths, no padding. The reader bounds every length by the bytes that are left and allows trailing
 * bytes, as the original does. Deliberately not a schema language: the few records on this wire are written out.
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import { bytesToUtf8, setUtf8, utf8Length } from './utf8.ts'

const U64_MAX = 2n ** 64n - 1n
const TWO_32 = 2 ** 32

/** Appends values to a growing buffer. Every method returns the writer. */
export class BincodeWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  /** @param bytes to begin in, of which nobody else makes use until {@link finish}; another piece when they are full */
  constructor(bytes: Uint8Array = new Uint8Array(512)) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  #reserve(count: number): number {
    const at = this.#length
    const needed = at + count
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#length = needed
    return at
  }

  u8(value: number): this {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
    return this
  }

  u32(value: number): this {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, true)
    return this
  }

  /** `value` in 0 to 2^64 − 1. */
  u64(value: bigint): this {
    const at = this.#reserve(8)
    this.#view.setBigUint64(at, value, true)
    return this
  }

  f64(value: number): this {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value, true)
    return this
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0)
  }

  /** Length of a sequence or a map, or of what follows. */
  length(value: number): this {
    const at = this.#reserve(8)
    this.#view.setUint32(at, value % TWO_32, true)
    this.#view.setUint32(at + 4, Math.floor(value / TWO_32), true)
    return this
  }

  /** Bytes as they are, as in `[u8; N]`. */
  raw(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  /** `Vec<u8>` or `Bytes`: length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.length(bytes.length).raw(bytes)
  }

  /** `String`: length in bytes, then UTF-8. */
  text(value: string): this {
    const size = utf8Length(value)
    const at = this.length(size).#reserve(size)
    setUtf8(this.#bytes, value, at)
    return this
  }

  /** `Vec<T>`: count, then the items. */
  list<T>(items: readonly T[], write: (writer: this, item: T) => void): this {
    this.length(items.length)
    for (const item of items) write(this, item)
    return this
  }

  /** `Option<T>`: one byte, then the value if there is one. */
  option<T>(value: T | null, write: (writer: this, value: T) => void): this {
    this.bool(value !== null)
    if (value !== null) write(this, value)
    return this
  }

  /**
   * `Duration` or `SystemTime` as serde reads and re-writes them: nanoseconds above 10⁹ are carried into the
   * seconds. A carry past u64 cannot come from Rust, which refuses it; it is written as it was given.
   */
  secondsNanos(value: { readonly secs: bigint; readonly nanos: number }): this {
    if (value.nanos < 1e9) return this.u64(value.secs).u32(value.nanos)
    const secs = value.secs + BigInt(Math.floor(value.nanos / 1e9))
    if (secs > U64_MAX) return this.u64(value.secs).u32(value.nanos)
    return this.u64(secs).u32(value.nanos % 1e9)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}

/** Thrown inside {@link readBincode} and turned into a refusal there; never leaves this file otherwise. */
class BincodeError extends Error {}

/** Reads values from a buffer. Methods throw inside {@link readBincode}, which is the only way to get one. */
export class BincodeReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  #take(count: number, what: string): number {
    if (count > this.remaining) {
      throw new BincodeError(`${what} needs ${count} bytes at offset ${this.#at}, ${this.remaining} are left`)
    }
    const at = this.#at
    this.#at += count
    return at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1, 'u8'))
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4, 'u32'), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8, 'u64'), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8, 'f64'), true)
  }

  bool(): boolean {
    const value = this.u8()
    if (value > 1) throw new BincodeError(`a bool is 0 or 1, not ${value}`)
    return value === 1
  }

  /** A length or count: at most `max`, and at most what is left divided by the least an item takes. */
  length(what: string, max: number, itemBytesMin: number): number {
    const value = this.u64()
    const limit = Math.min(max, Math.floor(this.remaining / itemBytesMin))
    if (value > BigInt(limit)) throw new BincodeError(`${what} is ${value} long, the limit is ${limit}`)
    return Number(value)
  }

  /** Exactly `count` bytes, as a view of the input. */
  raw(count: number): Uint8Array {
    const at = this.#take(count, 'byte array')
    return this.#bytes.subarray(at, at + count)
  }

  /** `Vec<u8>` of at most `max` bytes, as a view of the input. */
  bytes(max: number): Uint8Array {
    return this.raw(this.length('byte string', max, 1))
  }

  /** `String` of at most `maxBytes` bytes. Invalid UTF-8 is refused. */
  text(maxBytes: number): string {
    const value = bytesToUtf8(this.bytes(maxBytes))
    if (value === null) throw new BincodeError('a string is not valid UTF-8')
    return value
  }

  /** `Vec<T>` or map entries: at most `max` items of at least `itemBytesMin` bytes each. */
  list<T>(max: number, itemBytesMin: number, read: (reader: this) => T): T[] {
    const count = this.length('sequence', max, itemBytesMin)
    return Array.from({ length: count }, () => read(this))
  }

  option<T>(read: (reader: this) => T): T | null {
    return this.bool() ? read(this) : null
  }
}

/**
 * Runs `read` over `bytes`. What the bytes lack is a refusal; bytes left over at the end are allowed, as
 * `bincode::deserialize` allows them.
 */
export function readBincode<T>(
  bytes: Uint8Array,
  read: (reader: BincodeReader) => T,
): Result<T, 'malformed'> {
  try {
    return ok(read(new BincodeReader(bytes)))
  } catch (error) {
    if (error instanceof BincodeError) return refuse('malformed', error.message)
    throw error
  }
}
