/**
 * Schemas: one declaration per type gives its canonical bytes (SSZ) both ways and its Merkle root.
 * A schema is an SSZ type plus the mapping between its raw value and ours (hex hashes, checked
 * counters, UTF-8 text). Decoding is strict: whatever decodes re-encodes to the same bytes.
 */
import {
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListCompositeType,
  type Type,
  UintBigintType,
  UintNumberType,
  UnionType,
} from '@chainsafe/ssz'
import { ok, type Result, refuse } from '../types/errors.ts'
import { COUNTER_MAX } from '../types/primitives.ts'
import { fromHex, toHex } from './hex.ts'
import { bytesToUtf8, utf8ToBytes } from './utf8.ts'

/** How values of `T` become canonical bytes. `Raw` is the SSZ library's own value. */
export interface Schema<T> {
  // biome-ignore lint/suspicious/noExplicitAny: the SSZ library's value types are not worth a second type parameter
  readonly ssz: Type<any>
  readonly toRaw: (value: T) => unknown
  /** Throws {@link DecodeError} when the raw value is outside what `T` allows. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly fromRaw: (raw: any) => T
}

/** Thrown inside a decode and turned into a refusal at its edge; never leaves this layer. */
export class DecodeError extends Error {}

// biome-ignore lint/suspicious/noExplicitAny: the SSZ library's container wants concrete field types; ours are only known to Schema
type AnySsz = any

/** Canonical bytes of a value. */
export function encode<T>(schema: Schema<T>, value: T): Uint8Array {
  return schema.ssz.serialize(schema.toRaw(value))
}

/**
 * Reads canonical bytes.
 * @param bytesMax refuses longer input before looking at it
 */
export function decode<T>(schema: Schema<T>, bytes: Uint8Array, bytesMax: number): Result<T, 'malformed'> {
  if (bytes.length > bytesMax) {
    return refuse('malformed', `${bytes.length} bytes, the limit is ${bytesMax}`)
  }
  try {
    return ok(schema.fromRaw(schema.ssz.deserialize(bytes)))
  } catch (error) {
    return refuse('malformed', error instanceof Error ? error.message : String(error))
  }
}

/** SSZ hash tree root, 32 bytes. */
export function hashTreeRoot<T>(schema: Schema<T>, value: T): Uint8Array {
  return schema.ssz.hashTreeRoot(schema.toRaw(value))
}

const identity = <T>(value: T): T => value

/** u8, u16 or u32. */
export function uint(byteLength: 1 | 2 | 4): Schema<number> {
  return { ssz: new UintNumberType(byteLength), toRaw: identity, fromRaw: identity }
}

/** Eight bytes holding a counter of at most {@link COUNTER_MAX}: view, height, epoch or time. */
export function counter<T extends number>(): Schema<T> {
  return {
    ssz: new UintNumberType(8),
    toRaw: identity,
    fromRaw: (raw: number) => {
      if (raw > COUNTER_MAX) throw new DecodeError(`counter ${raw} is above ${COUNTER_MAX}`)
      return raw as T
    },
  }
}

/** Two bytes holding a small branded index. */
export function index<T extends number>(): Schema<T> {
  return { ssz: new UintNumberType(2), toRaw: identity, fromRaw: (raw: number) => raw as T }
}

/** Full-range u64. */
export const u64: Schema<bigint> = { ssz: new UintBigintType(8), toRaw: identity, fromRaw: identity }

/** IEEE 754 double, eight bytes little endian. NaN is refused: it has many encodings. */
export const f64: Schema<number> = {
  ssz: new ByteVectorType(8),
  toRaw: (value: number) => new Uint8Array(new Float64Array([value]).buffer),
  fromRaw: (raw: Uint8Array) => {
    const value = new DataView(raw.buffer, raw.byteOffset, 8).getFloat64(0, true)
    if (Number.isNaN(value)) throw new DecodeError('not a number')
    return value
  },
}

/** Exactly `length` bytes, as hex in memory. */
export function hexBytes<T extends string>(length: number): Schema<T> {
  return {
    ssz: new ByteVectorType(length),
    toRaw: (value: T) => fromHex(value),
    fromRaw: (raw: Uint8Array) => toHex(raw) as T,
  }
}

/** Exactly `length` bytes. */
export function bytesFixed(length: number): Schema<Uint8Array> {
  return { ssz: new ByteVectorType(length), toRaw: identity, fromRaw: identity }
}

/** At most `limit` bytes. */
export function bytesUpTo(limit: number): Schema<Uint8Array> {
  return { ssz: new ByteListType(limit), toRaw: identity, fromRaw: identity }
}

/** UTF-8 text of at most `limitBytes` bytes. Invalid UTF-8 is refused, not replaced. */
export function text(limitBytes: number): Schema<string> {
  return {
    ssz: new ByteListType(limitBytes),
    toRaw: utf8ToBytes,
    fromRaw: (raw: Uint8Array) => {
      const value = bytesToUtf8(raw)
      if (value === null) throw new DecodeError('text is not valid UTF-8')
      return value
    },
  }
}

/** One of a closed list of names, stored as its position in one byte. */
export function oneOf<const Names extends readonly string[]>(names: Names): Schema<Names[number]> {
  return {
    ssz: new UintNumberType(1),
    toRaw: (value: Names[number]) => names.indexOf(value),
    fromRaw: (raw: number) => {
      const name = names[raw]
      if (name === undefined) throw new DecodeError(`variant ${raw} of ${names.length}`)
      return name
    },
  }
}

/** At most `limit` items in order: records, texts or byte strings, not numbers. */
export function listOf<T>(item: Schema<T>, limit: number): Schema<readonly T[]> {
  return {
    ssz: new ListCompositeType(item.ssz as AnySsz, limit),
    toRaw: (value: readonly T[]) => value.map(item.toRaw),
    fromRaw: (raw: unknown[]) => raw.map(item.fromRaw),
  }
}

/** A value or null, as a list of at most one. */
export function nullable<T>(item: Schema<T>): Schema<T | null> {
  const list = listOf(item, 1)
  return {
    ssz: list.ssz,
    toRaw: (value: T | null) => list.toRaw(value === null ? [] : [value]),
    fromRaw: (raw) => list.fromRaw(raw)[0] ?? null,
  }
}

/** An SSZ container; the order of the fields is the order of the bytes. */
export function record<T extends object>(fields: { readonly [K in keyof T]-?: Schema<T[K]> }): Schema<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  const sszFields: Record<string, AnySsz> = {}
  for (const name of names) sszFields[name] = fields[name].ssz
  return {
    ssz: new ContainerType(sszFields),
    toRaw: (value: T) => {
      const raw: Record<string, unknown> = {}
      for (const name of names) raw[name] = fields[name].toRaw(value[name])
      return raw
    },
    fromRaw: (raw: Record<string, unknown>) => {
      const value: Partial<T> = {}
      for (const name of names) value[name] = fields[name].fromRaw(raw[name])
      return value as T
    },
  }
}

/** A closed union told apart by `kind`: one selector byte, then the variant. Several kinds may share a schema. */
export function variants<T extends { readonly kind: string }>(
  table: readonly { readonly kinds: readonly T['kind'][]; readonly schema: Schema<T> }[],
): Schema<T> {
  return {
    ssz: new UnionType(table.map((row) => row.schema.ssz as AnySsz)) as AnySsz,
    toRaw: (value: T) => {
      const selector = table.findIndex((row) => row.kinds.includes(value.kind))
      const row = table[selector]
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
  return {
    ssz: body.ssz,
    toRaw: (value: T) => body.toRaw(value),
    fromRaw: (raw) => ({ kind, ...body.fromRaw(raw) }) as T,
  }
}

/** One byte, 0 or 1. */
export const flag: Schema<boolean> = {
  ssz: uint(1).ssz,
  toRaw: (value) => (value ? 1 : 0),
  fromRaw: (raw: number) => {
    if (raw > 1) throw new DecodeError(`a flag is 0 or 1, not ${raw}`)
    return raw === 1
  },
}

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
