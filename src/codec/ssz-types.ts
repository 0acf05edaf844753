/**
 * SSZ types whose values are ours: hex, text, checked counters, names, flags. The library's types with their own values
 * would need a second object for each, only to be taken apart again. What is read is read by the library's rules; whenever
 * a fast path is not sure, the library itself reads, and it has the words for what is wrong.
 */
import {
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListCompositeType,
  UintNumberType,
} from '@chainsafe/ssz'
import { COUNTER_MAX } from '../types/primitives.ts'
import { fromHex, setHex, toHex } from './hex.ts'
import { bytesToUtf8, setUtf8, utf8Length, utf8ToBytes } from './utf8.ts'

/** Thrown inside a decode and turned into a refusal at its edge; never leaves this layer. */
export class DecodeError extends Error {}

/** Bytes with a view of them, as the library passes them on. */
export interface Views {
  readonly uint8Array: Uint8Array
  readonly dataView: DataView
}

/** What the library asks of a type; names are its own. */
// biome-ignore-start lint/suspicious/noExplicitAny: values of a type are only known to its schema
export interface Ssz {
  /** Null when the length varies. */
  readonly fixedSize: number | null
  defaultValue(): any
  serialize(value: any): Uint8Array
  deserialize(bytes: Uint8Array, options?: { readonly reuseBytes?: boolean }): any
  hashTreeRoot(value: any): Uint8Array
  hashTreeRootInto(value: any, output: Uint8Array, offset: number): void
  value_serializedSize(value: any): number
  value_serializeToBytes(output: Views, offset: number, value: any): number
  value_deserializeFromBytes(data: Views, start: number, end: number, reuseBytes?: boolean): any
}

type SszClass<Arguments extends readonly unknown[]> = new (...from: Arguments) => Ssz

const ByteVector = ByteVectorType as unknown as SszClass<[length: number]>
export const ByteList = ByteListType as unknown as SszClass<[limit: number]>
const UintNumber = UintNumberType as unknown as SszClass<[byteLength: number]>
export const Container = ContainerType as unknown as SszClass<[fields: Readonly<Record<string, Ssz>>]>
export const List = ListCompositeType as unknown as SszClass<[item: Ssz, limit: number]>
// biome-ignore-end lint/suspicious/noExplicitAny: see above

/** Bytes of a leaf of a Merkle tree. */
export const CHUNK_BYTES = 32

/** Exactly so many bytes, as hex. */
export class HexType extends ByteVector {
  readonly #length: number

  constructor(length: number) {
    super(length)
    this.#length = length
  }

  override defaultValue(): string {
    return '00'.repeat(this.#length)
  }

  override value_serializeToBytes({ uint8Array }: Views, offset: number, value: string): number {
    setHex(uint8Array, value, offset)
    return offset + (value.length >> 1)
  }

  override value_deserializeFromBytes(data: Views, start: number, end: number): string {
    if (end - start !== this.#length) return toHex(super.value_deserializeFromBytes(data, start, end))
    return toHex(data.uint8Array.subarray(start, end))
  }

  override hashTreeRootInto(value: string, output: Uint8Array, offset: number): void {
    if (value.length !== 2 * CHUNK_BYTES) super.hashTreeRootInto(fromHex(value), output, offset)
    else setHex(output, value, offset)
  }
}

/** UTF-8 text of at most so many bytes. Invalid UTF-8 is refused, not replaced. */
export class TextType extends ByteList {
  readonly #limitBytes: number

  constructor(limitBytes: number) {
    super(limitBytes)
    this.#limitBytes = limitBytes
  }

  override defaultValue(): string {
    return ''
  }

  override value_serializedSize(value: string): number {
    return utf8Length(value)
  }

  override value_serializeToBytes({ uint8Array }: Views, offset: number, value: string): number {
    return setUtf8(uint8Array, value, offset)
  }

  override value_deserializeFromBytes(data: Views, start: number, end: number): string {
    if (start === end) return ''
    const bytes =
      end - start > this.#limitBytes
        ? super.value_deserializeFromBytes(data, start, end)
        : data.uint8Array.subarray(start, end)
    const text = bytesToUtf8(bytes)
    if (text === null) throw new DecodeError('text is not valid UTF-8')
    return text
  }

  override hashTreeRootInto(value: string, output: Uint8Array, offset: number): void {
    super.hashTreeRootInto(utf8ToBytes(value), output, offset)
  }
}

/** An unsigned integer of one, two, four or eight bytes. */
export class UintType extends UintNumber {
  readonly #max: number

  constructor(byteLength: 1 | 2 | 4 | 8) {
    super(byteLength)
    this.#max = Math.min(256 ** byteLength - 1, Number.MAX_SAFE_INTEGER)
  }

  override hashTreeRootInto(value: unknown, output: Uint8Array, offset: number): void {
    let rest = value as number
    if (!(rest >= 0 && rest <= this.#max)) {
      super.hashTreeRootInto(value, output, offset)
      return
    }
    output.fill(0, offset, offset + CHUNK_BYTES)
    for (let at = offset; rest > 0; at++) {
      output[at] = rest % 256
      rest = Math.floor(rest / 256)
    }
  }
}

/** Eight bytes that hold a counter of at most {@link COUNTER_MAX}. */
export class CounterType extends UintType {
  constructor() {
    super(8)
  }

  override value_deserializeFromBytes(data: Views, start: number, end: number): number {
    const value: number = super.value_deserializeFromBytes(data, start, end)
    if (value > COUNTER_MAX) throw new DecodeError(`counter ${value} is above ${COUNTER_MAX}`)
    return value
  }
}

/** One of a closed list of names, as its position in one byte. */
export class NameType extends UintType {
  readonly #names: readonly string[]

  constructor(names: readonly string[]) {
    super(1)
    this.#names = names
  }

  override defaultValue(): string | undefined {
    return this.#names[0]
  }

  override value_serializeToBytes(output: Views, offset: number, value: string): number {
    return super.value_serializeToBytes(output, offset, this.#names.indexOf(value))
  }

  override value_deserializeFromBytes(data: Views, start: number, end: number): string {
    const position: number = super.value_deserializeFromBytes(data, start, end)
    const name = this.#names[position]
    if (name === undefined) throw new DecodeError(`variant ${position} of ${this.#names.length}`)
    return name
  }

  override hashTreeRootInto(value: string, output: Uint8Array, offset: number): void {
    super.hashTreeRootInto(this.#names.indexOf(value), output, offset)
  }
}

/** True or false, as one byte that is 1 or 0. */
export class FlagType extends UintType {
  constructor() {
    super(1)
  }

  override defaultValue(): boolean {
    return false
  }

  override value_serializeToBytes(output: Views, offset: number, value: boolean): number {
    return super.value_serializeToBytes(output, offset, value ? 1 : 0)
  }

  override value_deserializeFromBytes(data: Views, start: number, end: number): boolean {
    const byte: number = super.value_deserializeFromBytes(data, start, end)
    if (byte > 1) throw new DecodeError(`a flag is 0 or 1, not ${byte}`)
    return byte === 1
  }

  override hashTreeRootInto(value: boolean, output: Uint8Array, offset: number): void {
    super.hashTreeRootInto(value ? 1 : 0, output, offset)
  }
}
