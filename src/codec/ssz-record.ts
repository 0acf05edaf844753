/** SSZ containers whose values are our records, with a `kind` where they have one, and values that may be null. */
import { CHUNK_BYTES, Container, List, type Ssz, type Views } from './ssz-types.ts'

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
