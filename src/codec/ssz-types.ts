/**
 * SSZ types whose values are ours: hex, text, checked counters, names, records with a `kind`. The library's types with
 * their own values would need a second object for each, only to be taken apart again. What is read is read by the
 * library's rules; whenever a fast path is not sure, the library itself reads, and it has the words for what is wrong.
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
interface Views {
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
const ByteList = ByteListType as unknown as SszClass<[limit: number]>
const UintNumber = UintNumberType as unknown as SszClass<[byteLength: number]>
const Container = ContainerType as unknown as SszClass<[fields: Readonly<Record<string, Ssz>>]>
const List = ListCompositeType as unknown as SszClass<[item: Ssz, limit: number]>
// biome-ignore-end lint/suspicious/noExplicitAny: see above

const CHUNK_BYTES = 32

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

type Fields = Readonly<Record<string, unknown>>

/** What is done with one field of a record. */
interface FieldAccess {
  readonly size: (value: Fields) => number
  /** @returns where it ends */
  readonly write: (output: Views, offset: number, value: Fields) => number
  readonly read: (
    into: Record<string, unknown>,
    data: Views,
    start: number,
    end: number,
    reuseBytes: boolean | undefined,
  ) => void
}

/** Functions of its own for each field: the engine learns one name and one type for each, and not all for all. */
function fieldAccess(name: string, type: Ssz): FieldAccess {
  return {
    size: (value) => type.value_serializedSize(value[name]),
    write: (output, offset, value) => type.value_serializeToBytes(output, offset, value[name]),
    read: (into, data, start, end, reuseBytes) => {
      into[name] = type.value_deserializeFromBytes(data, start, end, reuseBytes)
    },
  }
}

/** A field of a record, and where it begins in the part of fixed length. */
interface Field extends FieldAccess {
  readonly name: string
  readonly at: number
  readonly fixedSize: number | null
  /** Where the next offset stands, of a field whose length varies; null for the last of them. */
  readonly nextOffsetAt: number | null
}

const OFFSET_BYTES = 4

/** Fields in the order of their bytes; `kind`, where there is one, comes first and is not in the bytes. */
export class RecordType extends Container {
  readonly fieldTypes: Readonly<Record<string, Ssz>>
  readonly #fields: readonly Field[]
  readonly #variable: readonly Field[]
  /** Length of the part that has all offsets and all fields of fixed length. */
  readonly #fixedEnd: number
  /** With all its fields, so that every record has one shape. */
  readonly #template: Fields

  constructor(fieldTypes: Readonly<Record<string, Ssz>>, kind?: string) {
    super(fieldTypes)
    this.fieldTypes = fieldTypes
    let at = 0
    const fields: Field[] = []
    for (const [name, type] of Object.entries(fieldTypes)) {
      const { fixedSize } = type
      fields.push({ name, at, fixedSize, nextOffsetAt: null, ...fieldAccess(name, type) })
      at += fixedSize ?? OFFSET_BYTES
    }
    this.#fixedEnd = at
    this.#fields = fields.map((field, i) => {
      const next = fields.slice(i + 1).find(({ fixedSize }) => fixedSize === null)
      return { ...field, nextOffsetAt: next?.at ?? null }
    })
    this.#variable = this.#fields.filter(({ fixedSize }) => fixedSize === null)
    this.#template = {
      ...(kind === undefined ? {} : { kind }),
      ...Object.fromEntries(fields.map(({ name }) => [name, undefined])),
    }
  }

  override value_serializedSize(value: Fields): number {
    let size = this.#fixedEnd
    for (const field of this.#variable) size += field.size(value)
    return size
  }

  override value_serializeToBytes(output: Views, offset: number, value: Fields): number {
    let end = offset + this.#fixedEnd
    for (const field of this.#fields) {
      const at = offset + field.at
      if (field.fixedSize === null) {
        output.dataView.setUint32(at, end - offset, true)
        end = field.write(output, end, value)
      } else {
        field.write(output, at, value)
      }
    }
    return end
  }

  override value_deserializeFromBytes(data: Views, start: number, end: number, reuseBytes?: boolean): Fields {
    const size = end - start
    const isWhole = this.#variable.length === 0 ? size === this.#fixedEnd : size >= this.#fixedEnd
    if (!isWhole) return this.#byLibrary(data, start, end, reuseBytes)
    const { dataView } = data
    const value: Record<string, unknown> = { ...this.#template }
    let offset = this.#fixedEnd
    for (const field of this.#fields) {
      const at = start + field.at
      if (field.fixedSize !== null) {
        field.read(value, data, at, at + field.fixedSize, reuseBytes)
        continue
      }
      const { nextOffsetAt } = field
      const next = nextOffsetAt === null ? size : dataView.getUint32(start + nextOffsetAt, true)
      if (dataView.getUint32(at, true) !== offset || next < offset || next > size) {
        return this.#byLibrary(data, start, end, reuseBytes)
      }
      field.read(value, data, start + offset, start + next, reuseBytes)
      offset = next
    }
    return value
  }

  #byLibrary(data: Views, start: number, end: number, reuseBytes: boolean | undefined): Fields {
    return { ...this.#template, ...super.value_deserializeFromBytes(data, start, end, reuseBytes) }
  }
}

/** A value or null, as a list of at most one. */
export class NullableType extends List {
  #rootOfNull: Uint8Array | null = null

  constructor(item: Ssz) {
    super(item, 1)
  }

  override defaultValue(): null {
    return null
  }

  override value_serializedSize(value: unknown): number {
    return value === null ? 0 : super.value_serializedSize([value])
  }

  override value_serializeToBytes(output: Views, offset: number, value: unknown): number {
    return value === null ? offset : super.value_serializeToBytes(output, offset, [value])
  }

  override value_deserializeFromBytes(
    data: Views,
    start: number,
    end: number,
    reuseBytes?: boolean,
  ): unknown {
    if (start === end) return null
    const [value = null] = super.value_deserializeFromBytes(data, start, end, reuseBytes)
    return value
  }

  override hashTreeRootInto(value: unknown, output: Uint8Array, offset: number): void {
    if (value !== null) {
      super.hashTreeRootInto([value], output, offset)
      return
    }
    if (this.#rootOfNull === null) {
      const root = new Uint8Array(CHUNK_BYTES)
      super.hashTreeRootInto([], root, 0)
      this.#rootOfNull = root
    }
    output.set(this.#rootOfNull, offset)
  }
}
