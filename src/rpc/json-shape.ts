/**
 * Shapes: one declaration per wire type reads it from JSON by serde's rules and writes it as serde_json does
 * (spec/stoq.md 3.1). The building blocks only; the types themselves are in trustchain-json-*.ts.
 */
import { utf8ToBytes } from '../codec/utf8.ts'
import { assert } from '../types/assert.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { JsonFloat, type JsonValue, parseJson } from './lossless-json.ts'

/** How values of `T` stand in JSON. */
export interface Shape<T> {
  /** Throws {@link FormatError}. */
  readonly read: (value: JsonValue) => T
  /** JSON text. */
  readonly write: (value: T) => string
  /** What an absent field stands for; without it the field is required. */
  readonly absent?: () => T
}

/** What was expected and what was there; gathers its path on the way out. Never leaves {@link readJson}. */
export class FormatError extends Error {
  #path = ''

  /** Puts one step in front of the path: `.field` or `[3]`. */
  under(step: string): this {
    this.#path = step + this.#path
    return this
  }

  describe(): string {
    const path = this.#path.replace(/^\./, '')
    return path === '' ? this.message : `${path}: ${this.message}`
  }
}

/** Reads a document of the given shape; the refusal names the path, the expectation and what was there. */
export function readJson<T>(shape: Shape<T>, bytes: Uint8Array): Result<T, 'malformed'> {
  const value = parseJson(bytes)
  if (!value.ok) return value
  try {
    return ok(shape.read(value.value))
  } catch (error) {
    if (error instanceof FormatError) return refuse('malformed', error.describe())
    throw error
  }
}

/** Writes a value of the given shape as compact JSON. */
export function writeJson<T>(shape: Shape<T>, value: T): string {
  return shape.write(value)
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

function show(value: JsonValue): string {
  if (value instanceof JsonFloat) return value.source.length > 40 ? 'a very long number' : value.source
  if (value instanceof Map) return 'an object'
  if (isList(value)) return `an array of ${value.length}`
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  return String(value)
}

function expected(what: string, value: JsonValue): FormatError {
  return new FormatError(`expected ${what}, got ${show(value)}`)
}

const U64_MAX = 2n ** 64n - 1n

/** Unsigned 64-bit integer: digits only, no fraction, no exponent, no string. */
export const u64: Shape<bigint> = {
  read: (value) => {
    if (typeof value === 'number' && value >= 0) return BigInt(value)
    if (typeof value === 'bigint' && value >= 0n && value <= U64_MAX) return value
    throw expected('an unsigned 64-bit integer', value)
  },
  write: (value) => value.toString(),
}

/** Unsigned integer of 8 or 32 bits. */
export function uint(bits: 8 | 32): Shape<number> {
  const max = 2 ** bits - 1
  return {
    read: (value) => {
      if (typeof value === 'number' && value >= 0 && value <= max) return value
      throw expected(`an unsigned ${bits}-bit integer`, value)
    },
    write: (value) => value.toString(),
  }
}

/** f64 or f32: any number in, always with a fraction or an exponent out, as serde_json writes them. */
export const float: Shape<number> = {
  read: (value) => {
    if (typeof value === 'number') return value
    if (typeof value === 'bigint') return Number(value)
    if (value instanceof JsonFloat) return value.value
    throw expected('a number', value)
  },
  write: (value) => {
    // NaN and infinity would be written as null, and null kills the whole answer at the client.
    assert(Number.isFinite(value), `figure ${value} is finite`)
    const digits = Object.is(value, -0) ? '-0' : value.toString()
    return /[.e]/.test(digits) ? digits : `${digits}.0`
  },
}

export const bool: Shape<boolean> = {
  read: (value) => {
    if (typeof value === 'boolean') return value
    throw expected('true or false', value)
  },
  write: (value) => (value ? 'true' : 'false'),
}

/** Text of at most `limitBytes` bytes of UTF-8: what the canonical bytes have room for. */
export function text(limitBytes: number): Shape<string> {
  return {
    read: (value) => {
      if (typeof value !== 'string') throw expected('a string', value)
      // A UTF-16 unit is one to three bytes, so most strings need not be encoded to know.
      if (value.length * 3 > limitBytes) {
        const length = utf8ToBytes(value).length
        if (length > limitBytes) throw new FormatError(`${length} bytes of text, the limit is ${limitBytes}`)
      }
      return value
    },
    write: (value) => JSON.stringify(value),
  }
}

/** `Vec<u8>`: an array of integers 0 to 255. */
export function bytesUpTo(limit: number): Shape<Uint8Array> {
  return {
    read: (value) => {
      if (!isList(value)) throw expected('an array of bytes', value)
      if (value.length > limit) throw new FormatError(`${value.length} bytes, the limit is ${limit}`)
      return readBytes(value)
    },
    write: writeBytes,
  }
}

/** `[u8; n]`: an array of exactly n integers 0 to 255. */
export function bytesFixed(length: number): Shape<Uint8Array> {
  return {
    read: (value) => {
      if (!isList(value) || value.length !== length) throw expected(`an array of ${length} bytes`, value)
      return readBytes(value)
    },
    write: writeBytes,
  }
}

const u8 = uint(8)

function readBytes(items: readonly JsonValue[]): Uint8Array {
  const bytes = new Uint8Array(items.length)
  for (const [i, item] of items.entries()) {
    if (typeof item !== 'number' || item < 0 || item > 255) at(`[${i}]`, u8, item)
    bytes[i] = item as number
  }
  return bytes
}

function writeBytes(bytes: Uint8Array): string {
  return `[${bytes.join(',')}]`
}

/** At most `limit` items. */
export function listOf<T>(item: Shape<T>, limit: number): Shape<readonly T[]> {
  return {
    read: (value) => {
      if (!isList(value)) throw expected('an array', value)
      if (value.length > limit) throw new FormatError(`${value.length} items, the limit is ${limit}`)
      return value.map((entry, i) => at(`[${i}]`, item, entry))
    },
    write: (value) => `[${value.map(item.write).join(',')}]`,
  }
}

/** `Option<T>`: null and absent are both none; written as null. */
export function option<T>(some: Shape<T>): Shape<T | null> {
  return {
    read: (value) => (value === null ? null : some.read(value)),
    write: (value) => (value === null ? 'null' : some.write(value)),
    absent: () => null,
  }
}

/** A map of texts as pairs in order of key (by code unit): a map has no order, canonical bytes need one. */
export function textMap(
  key: Shape<string>,
  entry: Shape<string>,
  limit: number,
): Shape<readonly (readonly [string, string])[]> {
  return {
    read: (value) => {
      if (!(value instanceof Map)) throw expected('an object', value)
      if (value.size > limit) throw new FormatError(`${value.size} entries, the limit is ${limit}`)
      const pairs = [...(value as ReadonlyMap<string, JsonValue>)].map(
        ([name, content]) => [key.read(name), at(`[${JSON.stringify(name)}]`, entry, content)] as const,
      )
      return pairs.sort(([a], [b]) => (a < b ? -1 : 1))
    },
    write: (value) =>
      `{${value.map(([name, content]) => `${key.write(name)}:${entry.write(content)}`).join(',')}}`,
  }
}

/** An enum whose variants carry nothing: `"Name"`, also `{"Name":null}`. Case matters. */
export function oneOf<const Names extends readonly string[]>(names: Names): Shape<Names[number]> {
  const known = new Set<string>(names)
  return {
    read: (value) => {
      const name = value instanceof Map && value.size === 1 ? variantOf(value)[0] : value
      const content = value instanceof Map && value.size === 1 ? variantOf(value)[1] : null
      if (typeof name === 'string' && known.has(name) && content === null) return name
      throw expected(`one of ${names.join(', ')}`, value)
    },
    write: (value) => JSON.stringify(value),
  }
}

/** The single key of an externally tagged enum, with its content. */
export function variantOf(value: ReadonlyMap<string, JsonValue>): readonly [string, JsonValue] {
  for (const entry of value) return entry
  return ['', null]
}

/** Options of {@link struct}. */
interface StructOptions<T> {
  /** Wire names that are not the snake_case of ours. */
  readonly names?: { readonly [K in keyof T]?: string }
  /** serde's time types refuse keys that they do not know; all other structs ignore them. */
  readonly refuseUnknown?: boolean
  /** A rule over the whole; returns what is wrong, or null. */
  readonly check?: (value: T) => string | null
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** A struct: an object, or (as serde allows) an array of its fields in order. Written in declaration order. */
export function struct<T extends object>(
  fields: { readonly [K in keyof T]-?: Shape<T[K]> },
  options: StructOptions<T> = {},
): Shape<T> {
  const names: { readonly [K in keyof T]?: string } = options.names ?? {}
  const table = (Object.keys(fields) as (keyof T & string)[]).map((ours) => {
    const wire = names[ours] ?? snakeCase(ours)
    return { ours, wire, step: `.${wire}`, label: `${JSON.stringify(wire)}:`, shape: fields[ours] }
  })
  const known = new Set(table.map((row) => row.wire))

  const fieldsOf = (value: JsonValue): ReadonlyMap<string, JsonValue> => {
    if (value instanceof Map) return value
    if (!isList(value)) throw expected('an object', value)
    if (value.length !== table.length) throw expected(`an object or an array of ${table.length}`, value)
    return new Map(table.map((row, i) => [row.wire, value[i] ?? null]))
  }

  return {
    read: (value) => {
      const entries = fieldsOf(value)
      if (options.refuseUnknown === true) {
        for (const key of entries.keys()) {
          if (!known.has(key)) throw new FormatError(`unknown field ${JSON.stringify(key.slice(0, 40))}`)
        }
      }
      const result: Partial<T> = {}
      for (const { ours, wire, step, shape } of table) {
        const entry = entries.get(wire)
        if (entry !== undefined) result[ours] = at(step, shape, entry)
        else if (shape.absent !== undefined) result[ours] = shape.absent()
        else throw new FormatError(`missing field \`${wire}\``)
      }
      const problem = options.check?.(result as T) ?? null
      if (problem !== null) throw new FormatError(problem)
      return result as T
    },
    write: (value) => {
      let json = '{'
      for (const { ours, label, shape } of table) {
        json += `${json.length === 1 ? '' : ','}${label}${shape.write(value[ours])}`
      }
      return `${json}}`
    },
  }
}

/** Reads one part of a whole; an error learns where it happened. */
function at<T>(step: string, shape: Shape<T>, value: JsonValue): T {
  try {
    return shape.read(value)
  } catch (error) {
    if (error instanceof FormatError) throw error.under(step)
    throw error
  }
}
