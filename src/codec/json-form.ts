/**
 * Values with canonical bytes as JSON that a person can read: bytes in hex, amounts as decimal strings, every field in
 * its place. Strict both ways: what reads is what would be written, to the byte ({@link readJsonForm}).
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import { COUNTER_MAX } from '../types/primitives.ts'
import { fromHex, isHex, toHex } from './hex.ts'
import { whyNotJson } from './json-text.ts'
import { DecodeError } from './schema.ts'
import { bytesToUtf8, utf8ToBytes } from './utf8.ts'

/** How values of `T` stand in JSON. */
export interface JsonForm<T> {
  readonly toJson: (value: T) => unknown
  /** Throws {@link DecodeError} with the path in front. */
  readonly fromJson: (json: unknown, path: string) => T
}

function wrong(path: string, expected: string): DecodeError {
  return new DecodeError(`${path === '' ? 'the document' : path} is not ${expected}`)
}

/** A whole number from 0 on. */
export function wholeForm<T extends number>(maximum = COUNTER_MAX): JsonForm<T> {
  return {
    toJson: (value) => value,
    fromJson: (json, path) => {
      const isWhole = typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= maximum
      if (!isWhole) throw wrong(path, `a whole number of at most ${maximum}`)
      return json as T
    },
  }
}

const U64_MAX = 2n ** 64n - 1n

/** An amount: u64 as a string of decimal digits, because most readers of JSON round large numbers. */
export const amountForm: JsonForm<bigint> = {
  toJson: (value) => value.toString(),
  fromJson: (json, path) => {
    const isDigits = typeof json === 'string' && /^(?:0|[1-9]\d{0,19})$/.test(json)
    const value = isDigits ? BigInt(json) : U64_MAX + 1n
    if (value > U64_MAX) throw wrong(path, 'an amount: a string of decimal digits, below 2^64')
    return value
  },
}

/** Exactly `length` bytes that are hex in memory too. */
export function hashForm<T extends string>(length = 32): JsonForm<T> {
  return {
    toJson: (value) => value,
    fromJson: (json, path) => {
      if (typeof json !== 'string' || !isHex(json, length)) {
        throw wrong(path, `${length} bytes in lower-case hex`)
      }
      return json as T
    },
  }
}

/** At least `minimum` and at most `maximum` bytes. */
export function bytesForm(minimum: number, maximum = minimum): JsonForm<Uint8Array> {
  return {
    toJson: toHex,
    fromJson: (json, path) => {
      // Of an odd number of digits a fraction, which no hex string has.
      const length = typeof json === 'string' ? json.length / 2 : -1
      const fits = Number.isInteger(length) && length >= minimum && length <= maximum
      if (typeof json !== 'string' || !fits || !isHex(json, length)) {
        const many = minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`
        throw wrong(path, `${many} bytes in lower-case hex`)
      }
      return fromHex(json)
    },
  }
}

/** Text of at most `bytesMax` bytes in UTF-8. */
export function textForm(bytesMax: number): JsonForm<string> {
  return {
    toJson: (value) => value,
    fromJson: (json, path) => {
      const bytes = typeof json === 'string' ? utf8ToBytes(json) : null
      // A lone surrogate has no bytes: what would be read is another text.
      const fits = bytes !== null && bytes.length <= bytesMax && bytesToUtf8(bytes) === json
      if (typeof json !== 'string' || !fits) throw wrong(path, `a text of at most ${bytesMax} bytes`)
      return json
    },
  }
}

/** Exactly this value. */
export function constantForm<const T extends string | number>(constant: T): JsonForm<T> {
  return {
    toJson: () => constant,
    fromJson: (json, path) => {
      if (json !== constant) throw wrong(path, JSON.stringify(constant))
      return constant
    },
  }
}

/** One of a closed list of names. */
export function nameForm<const Names extends readonly string[]>(names: Names): JsonForm<Names[number]> {
  return {
    toJson: (value) => value,
    fromJson: (json, path) => {
      const name = names.find((candidate) => candidate === json)
      if (name === undefined) throw wrong(path, `one of ${names.join(', ')}`)
      return name
    },
  }
}

export function nullForm<T>(form: JsonForm<T>): JsonForm<T | null> {
  return {
    toJson: (value) => (value === null ? null : form.toJson(value)),
    fromJson: (json, path) => (json === null ? null : form.fromJson(json, path)),
  }
}

export function listForm<T>(item: JsonForm<T>, limit: number): JsonForm<readonly T[]> {
  return {
    toJson: (values) => values.map(item.toJson),
    fromJson: (json, path) => {
      if (!Array.isArray(json) || json.length > limit) throw wrong(path, `a list of at most ${limit}`)
      return json.map((value: unknown, i) => item.fromJson(value, `${path}[${i}]`))
    },
  }
}

/** Of an object, which says what fields it has. */
export interface ObjectForm<T> extends JsonForm<T> {
  readonly names: readonly string[]
}

/** An object with these fields, all of them and no other, in this order. */
export function objectForm<T extends object>(
  fields: {
    readonly [K in keyof T]-?: JsonForm<T[K]>
  },
): ObjectForm<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return {
    names,
    toJson: (value) => Object.fromEntries(names.map((name) => [name, fields[name].toJson(value[name])])),
    fromJson: (json, path) => {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(path, 'an object')
      const at = path === '' ? '' : `${path}.`
      const given = Object.keys(json)
      const unknown = given.find((name) => !Object.hasOwn(fields, name))
      if (unknown !== undefined) throw new DecodeError(`${at}${unknown.slice(0, 64)} is no field of it`)
      const missing = names.find((name) => !given.includes(name))
      if (missing !== undefined) throw new DecodeError(`${at}${missing} is missing`)
      const entries = json as Readonly<Record<string, unknown>>
      const value: Partial<T> = {}
      for (const name of names) value[name] = fields[name].fromJson(entries[name], `${at}${name}`)
      return value as T
    },
  }
}

/** The one text of a value: two spaces of indentation, a line feed at the end. */
export function writeJsonForm<T>(form: JsonForm<T>, value: T): string {
  return `${JSON.stringify(form.toJson(value), null, 2)}\n`
}

/**
 * Reads the one text of a value.
 * @param charactersMax refuses longer text before looking at it
 */
export function readJsonForm<T>(
  form: JsonForm<T>,
  text: string,
  charactersMax: number,
): Result<T, 'malformed'> {
  if (text.length > charactersMax) {
    return refuse('malformed', `${text.length} characters, the limit is ${charactersMax}`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return refuse('malformed', `not JSON: ${whyNotJson(text, error)}`)
  }
  let value: T
  try {
    value = form.fromJson(json, '')
  } catch (error) {
    if (error instanceof DecodeError) return refuse('malformed', error.message)
    throw error
  }
  const canonical = writeJsonForm(form, value)
  if (canonical === text) return ok(value)
  return refuse('malformed', `not in the one form: ${firstDifference(text, canonical)}`)
}

function firstDifference(text: string, canonical: string): string {
  let at = 0
  while (at < text.length && text[at] === canonical[at]) at += 1
  const line = text.slice(0, at).split('\n').length
  return `white space, order or spelling differs in line ${line}; keep the file as the node gave it`
}
