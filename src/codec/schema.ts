/**
 * Schemas: one declaration per type gives its canonical bytes (SSZ) both ways and its Merkle root.
 * A schema is an SSZ type plus the mapping between its raw value and ours (hex hashes, checked
 * counters, UTF-8 text). Decoding is strict: whatever decodes re-encodes to the same bytes.
 */
import { ByteListType, ByteVectorType, ListCompositeType, UintBigintType, UnionType } from '@chainsafe/ssz'
import { ok, type Result, refuse } from '../types/errors.ts'
import { PackedType, type Packing } from './packed-type.ts'
import { NullableType, RecordType } from './ssz-record.ts'
import {
  CounterType,
  DecodeError,
  FlagType,
  HexType,
  NameType,
  type Ssz,
  TextType,
  UintType,
} from './ssz-types.ts'

export { DecodeError } from './ssz-types.ts'

/** How values of `T` become canonical bytes. `Raw` is the value of the SSZ type: mostly our own. */
export interface Schema<T> {
  readonly ssz: Ssz
  readonly toRaw: (value: T) => unknown
  /** Throws {@link DecodeError} when the raw value is outside what `T` allows. */
  // biome-ignore lint/suspicious/noExplicitAny: the SSZ library's value types are not worth a second type parameter
  readonly fromRaw: (raw: any) => T
}

/** Canonical bytes of a value. */
export function encode<T>(schema: Schema<T>, value: T): Uint8Array {
  return schema.ssz.serialize(schema.toRaw(value))
}

/**
 * Reads canonical bytes.
 * @param bytesMax refuses longer input before looking at it
 * @param reuseBytes byte strings in the value are views of `bytes`, not copies
 */
export function decode<T>(
  schema: Schema<T>,
  bytes: Uint8Array,
  bytesMax: number,
  reuseBytes = false,
): Result<T, 'malformed'> {
  if (bytes.length > bytesMax) {
    return refuse('malformed', `${bytes.length} bytes, the limit is ${bytesMax}`)
  }
  try {
    return ok(schema.fromRaw(schema.ssz.deserialize(bytes, { reuseBytes })))
  } catch (error) {
    return refuse('malformed', whyUnreadable(error))
  }
}

/** The library reads beyond a value that was cut short, and what is thrown then is the runtime's. */
function whyUnreadable(error: unknown): string {
  if (error instanceof RangeError || error instanceof TypeError) return 'the bytes end before the value does'
  const text = error instanceof Error ? error.message : String(error)
  const kind = /^Invalid selector (\d+)/.exec(text)?.[1]
  return kind === undefined ? text : `no kind has the number ${kind}`
}

/** SSZ hash tree root, 32 bytes. */
export function hashTreeRoot<T>(schema: Schema<T>, value: T): Uint8Array {
  return schema.ssz.hashTreeRoot(schema.toRaw(value))
}

const identity = <T>(value: T): T => value

/** Of a type whose values are ours. */
function own<T>(ssz: Ssz): Schema<T> {
  return { ssz, toRaw: identity, fromRaw: identity }
}

/** Whether values need not be turned into others, so that whatever is made of them need not either. */
function isOwn<T>({ toRaw, fromRaw }: Schema<T>): boolean {
  return toRaw === identity && fromRaw === identity
}

/** A type of the library whose values are ours as they are. */
function library<T>(type: unknown): Schema<T> {
  return own(type as Ssz)
}

/** u8, u16 or u32. */
export function uint(byteLength: 1 | 2 | 4): Schema<number> {
  return own(new UintType(byteLength))
}

/** Eight bytes holding a counter of at most `COUNTER_MAX`: view, height, epoch or time. */
export function counter<T extends number>(): Schema<T> {
  return own(new CounterType())
}

/** Two bytes holding a small branded index. */
export function index<T extends number>(): Schema<T> {
  return own(new UintType(2))
}

/** Full-range u64. */
export const u64: Schema<bigint> = library(new UintBigintType(8))

/** IEEE 754 double, eight bytes little endian. NaN is refused: it has many encodings. */
export const f64: Schema<number> = {
  ssz: library<Uint8Array>(new ByteVectorType(8)).ssz,
  toRaw: (value: number) => new Uint8Array(new Float64Array([value]).buffer),
  fromRaw: (raw: Uint8Array) => {
    const value = new DataView(raw.buffer, raw.byteOffset, 8).getFloat64(0, true)
    if (Number.isNaN(value)) throw new DecodeError('not a number')
    return value
  },
}

/** Exactly `length` bytes, as hex in memory. */
export function hexBytes<T extends string>(length: number): Schema<T> {
  return own(new HexType(length))
}

/** Exactly `length` bytes. */
export function bytesFixed(length: number): Schema<Uint8Array> {
  return library(new ByteVectorType(length))
}

/** At most `limit` bytes. */
export function bytesUpTo(limit: number): Schema<Uint8Array> {
  return library(new ByteListType(limit))
}

/** What at most `limitBytes` bytes stand for. */
export function packed<T>(limitBytes: number, packing: Packing<T>): Schema<T> {
  return own(new PackedType(limitBytes, packing))
}

/** UTF-8 text of at most `limitBytes` bytes. Invalid UTF-8 is refused, not replaced. */
export function text(limitBytes: number): Schema<string> {
  return own(new TextType(limitBytes))
}

/** One of a closed list of names, stored as its position in one byte. */
export function oneOf<const Names extends readonly string[]>(names: Names): Schema<Names[number]> {
  return own(new NameType(names))
}

/** At most `limit` items in order: records, texts or byte strings, not numbers. */
export function listOf<T>(item: Schema<T>, limit: number): Schema<readonly T[]> {
  const list = library<readonly T[]>(new ListCompositeType(item.ssz as never, limit))
  if (isOwn(item)) return list
  return {
    ssz: list.ssz,
    toRaw: (value: readonly T[]) => value.map(item.toRaw),
    fromRaw: (raw: unknown[]) => raw.map(item.fromRaw),
  }
}

/** A value or null, as a list of at most one. */
export function nullable<T>(item: Schema<T>): Schema<T | null> {
  const ssz = new NullableType(item.ssz)
  if (isOwn(item)) return own(ssz)
  return {
    ssz,
    toRaw: (value: T | null) => (value === null ? null : item.toRaw(value)),
    fromRaw: (raw: unknown) => (raw === null ? null : item.fromRaw(raw)),
  }
}

/** An SSZ container; the order of the fields is the order of the bytes. */
export function record<T extends object>(fields: { readonly [K in keyof T]-?: Schema<T[K]> }): Schema<T> {
  const rows = Object.entries(fields) as [string, Schema<unknown>][]
  const ssz = new RecordType(Object.fromEntries(rows.map(([name, field]) => [name, field.ssz])))
  const foreign = rows.filter(([, field]) => !isOwn(field))
  if (foreign.length === 0) return own(ssz)
  return {
    ssz,
    toRaw: (value: T) => {
      const raw = { ...value } as Record<string, unknown>
      for (const [name, field] of foreign) raw[name] = field.toRaw(raw[name])
      return raw
    },
    fromRaw: (raw: Readonly<Record<string, unknown>>) => {
      const value = { ...raw }
      for (const [name, field] of foreign) value[name] = field.fromRaw(raw[name])
      return value as T
    },
  }
}

/** A closed union told apart by `kind`: one selector byte, then the variant. Several kinds may share a schema. */
export function variants<T extends { readonly kind: string }>(
  table: readonly { readonly kinds: readonly T['kind'][]; readonly schema: Schema<T> }[],
): Schema<T> {
  const selectors = new Map(
    table.flatMap(({ kinds }, selector) => kinds.map((kind) => [kind, selector] as const)),
  )
  return {
    ssz: library(new UnionType(table.map((row) => row.schema.ssz) as never)).ssz,
    toRaw: (value: T) => {
      const selector = selectors.get(value.kind)
      const row = selector === undefined ? undefined : table[selector]
      if (row === undefined) throw new DecodeError(`no variant for kind ${value.kind}`)
      return { selector, value: row.schema.toRaw(value) }
    },
    fromRaw: (raw: { selector: number; value: unknown }) => {
      const row = table[raw.selector]
      if (row === undefined) throw new DecodeError(`selector ${raw.selector} of ${table.length}`)
      return row.schema.fromRaw(raw.value)
    },
  }
}

/** A schema for a record that carries a constant `kind` which is not in the bytes. */
export function tagged<T extends { readonly kind: string }>(
  kind: T['kind'],
  body: Schema<Omit<T, 'kind'>>,
): Schema<T> {
  if (isOwn(body) && body.ssz instanceof RecordType) return own(new RecordType(body.ssz.fieldTypes, kind))
  return {
    ssz: body.ssz,
    toRaw: (value: T) => body.toRaw(value),
    fromRaw: (raw) => ({ kind, ...body.fromRaw(raw) }) as T,
  }
}

/** One byte, 0 or 1. */
export const flag: Schema<boolean> = own(new FlagType())

/** A counter or null. */
export function optionalCounter<T extends number>(): Schema<T | null> {
  const list = nullable(record<{ value: T }>({ value: counter<T>() }))
  return {
    ssz: list.ssz,
    toRaw: (value) => list.toRaw(value === null ? null : { value }),
    fromRaw: (raw) => list.fromRaw(raw)?.value ?? null,
  }
}

/** A record that is its `kind` alone. An SSZ container cannot be empty: it carries one byte that is 0. */
export function bare<K extends string>(kind: K): Schema<{ readonly kind: K }> {
  const byte = record<{ nothing: 'nothing' }>({ nothing: oneOf(['nothing']) as Schema<'nothing'> })
  return {
    ssz: byte.ssz,
    toRaw: () => byte.toRaw({ nothing: 'nothing' }),
    fromRaw: (raw) => {
      byte.fromRaw(raw)
      return { kind }
    },
  }
}
