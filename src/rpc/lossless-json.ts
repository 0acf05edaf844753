/**
 * Reads JSON without losing anything: integers keep all their digits, other numbers keep their spelling. Bounded
 * in size and depth. Knows nothing of what the values mean; that is json-shape.ts.
 *
 * A parser of our own because JSON.parse with source access reports neither repeated keys nor depth.
 */
import { bytesToUtf8 } from '../codec/utf8.ts'
import { ok, type Result, refuse } from '../types/errors.ts'

/**
 * Bytes of a JSON document. The largest transaction (codec/limits.ts) written as arrays of integers is about
 * 1 MiB; the rest is room for white space and escapes.
 */
export const JSON_BYTES_MAX = 2 * 1024 * 1024
/** Nested arrays and objects; the bound of serde_json. */
export const JSON_DEPTH_MAX = 128

/** A number that is not spelled as an integer (a fraction, an exponent, minus zero), or is beyond 20 digits. */
export class JsonFloat {
  readonly source: string
  readonly value: number

  constructor(source: string) {
    this.source = source
    this.value = Number(source)
  }
}

/** Integers are a number while that is exact, else a bigint. Objects are maps: no key is special. */
export type JsonValue =
  | null
  | boolean
  | string
  | number
  | bigint
  | JsonFloat
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>

/** Thrown inside the parser and turned into a refusal at its edge. */
class SyntaxRefusal extends Error {}

/** RFC 8259 section 6. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
/** Digits of 2^64 − 1. What is longer is no integer of the wire's types. */
const INTEGER_DIGITS_MAX = 20

/** Fewer digits than these are read one by one, exactly. */
const SHORT_DIGITS_MAX = 16
const ZERO = 0x30
/** `.`, `e`, `E`: behind digits they make them part of another number. */
const ENDS_NO_INTEGER: ReadonlySet<number> = new Set([0x2e, 0x65, 0x45])

const QUOTE = 0x22
const BACKSLASH = 0x5c
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonValue {
    const value = this.#value()
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#unexpected('the end of the document')
    return value
  }

  #value(): JsonValue {
    this.#skipSpace()
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object()
      case '[':
        return this.#array()
      case '"':
        return this.#string()
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(): ReadonlyMap<string, JsonValue> {
    const entries = new Map<string, JsonValue>()
    this.#enter()
    if (this.#takes('}')) return this.#leave(entries)
    for (;;) {
      this.#skipSpace()
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key')
      const key = this.#string()
      // serde refuses a repeated field of a struct; here a repeated key is refused wherever it stands.
      if (entries.has(key)) throw new SyntaxRefusal(`duplicate field ${JSON.stringify(key)}`)
      if (!this.#takes(':')) throw this.#unexpected('":"')
      entries.set(key, this.#value())
      if (this.#takes('}')) return this.#leave(entries)
      if (!this.#takes(',')) throw this.#unexpected('"," or "}"')
    }
  }

  #array(): readonly JsonValue[] {
    const items: JsonValue[] = []
    this.#enter()
    if (this.#takes(']')) return this.#leave(items)
    for (;;) {
      items.push(this.#value())
      if (this.#takes(']')) return this.#leave(items)
      if (!this.#takes(',')) throw this.#unexpected('"," or "]"')
    }
  }

  #enter(): void {
    this.#at += 1
    this.#depth += 1
    if (this.#depth > JSON_DEPTH_MAX) throw new SyntaxRefusal(`nested deeper than ${JSON_DEPTH_MAX}`)
  }

  #leave<T>(value: T): T {
    this.#depth -= 1
    return value
  }

  #string(): string {
    const start = this.#at + 1
    for (let at = start; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at + 1
        return this.#text.slice(start, at)
      }
      if (code === BACKSLASH) return this.#escapedString(start, at)
      if (code < 0x20) throw this.#controlCharacter(at)
    }
    throw new SyntaxRefusal('the document ends inside a string')
  }

  #escapedString(start: number, firstEscape: number): string {
    let value = this.#text.slice(start, firstEscape)
    let at = firstEscape
    while (at < this.#text.length) {
      const code = this.#text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at + 1
        // The document was UTF-8, so only escapes can make half of a pair.
        if (!value.isWellFormed()) throw new SyntaxRefusal('lone surrogate in a string escape')
        return value
      }
      if (code < 0x20) throw this.#controlCharacter(at)
      if (code !== BACKSLASH) {
        const from = at
        while (at < this.#text.length && !this.#endsRun(this.#text.charCodeAt(at))) at += 1
        value += this.#text.slice(from, at)
        continue
      }
      const letter = this.#text[at + 1] ?? ''
      if (letter === 'u') {
        const digits = this.#text.slice(at + 2, at + 6)
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new SyntaxRefusal(`bad escape at character ${at}`)
        value += String.fromCharCode(Number.parseInt(digits, 16))
        at += 6
      } else {
        const meant = ESCAPES[letter]
        if (meant === undefined) throw new SyntaxRefusal(`bad escape at character ${at}`)
        value += meant
        at += 2
      }
    }
    throw new SyntaxRefusal('the document ends inside a string')
  }

  #endsRun(code: number): boolean {
    return code === QUOTE || code === BACKSLASH || code < 0x20
  }

  /** Most numbers are whole and short: read here. Null: not one of these, and nothing is taken. */
  #shortInteger(): number | null {
    let value = 0
    let at = this.#at
    for (; at < this.#at + SHORT_DIGITS_MAX; at++) {
      const digit = this.#text.charCodeAt(at) - ZERO
      if (!(digit >= 0 && digit <= 9)) break
      value = 10 * value + digit
    }
    const digits = at - this.#at
    const hasLeadingZero = digits > 1 && this.#text.charCodeAt(this.#at) === ZERO
    const isShort = digits > 0 && digits < SHORT_DIGITS_MAX && !hasLeadingZero
    if (!isShort || ENDS_NO_INTEGER.has(this.#text.charCodeAt(at))) return null
    this.#at = at
    return value
  }

  #number(): number | bigint | JsonFloat {
    const short = this.#shortInteger()
    if (short !== null) return short
    NUMBER.lastIndex = this.#at
    const match = NUMBER.exec(this.#text)
    if (match === null) throw this.#unexpected('a value')
    const source = match[0]
    this.#at += source.length
    const isInteger = match[1] === undefined && match[2] === undefined && source !== '-0'
    if (isInteger && source.length < 16) return Number(source)
    if (isInteger && source.length <= INTEGER_DIGITS_MAX + 1) {
      const integer = BigInt(source)
      const number = Number(integer)
      return Number.isSafeInteger(number) ? number : integer
    }
    const float = new JsonFloat(source)
    if (!Number.isFinite(float.value)) throw new SyntaxRefusal('number out of range')
    return float
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected('a value')
    this.#at += word.length
    return value
  }

  #takes(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at += 1
    }
  }

  #unexpected(expected: string): SyntaxRefusal {
    const found = this.#text[this.#at]
    const what = found === undefined ? 'the document ended' : `got ${JSON.stringify(found)}`
    return new SyntaxRefusal(`expected ${expected} at character ${this.#at}, ${what}`)
  }

  #controlCharacter(at: number): SyntaxRefusal {
    return new SyntaxRefusal(`control character in a string at character ${at}`)
  }
}

/**
 * Parses one JSON document (RFC 8259), UTF-8 without byte order mark.
 * @returns a refusal with the place and the expectation; a repeated key, a lone surrogate, a number beyond
 *   a double, more than {@link JSON_BYTES_MAX} bytes or {@link JSON_DEPTH_MAX} levels are refused
 */
export function parseJson(bytes: Uint8Array): Result<JsonValue, 'malformed'> {
  if (bytes.length > JSON_BYTES_MAX) {
    return refuse('malformed', `${bytes.length} bytes of JSON, the limit is ${JSON_BYTES_MAX}`)
  }
  const text = bytesToUtf8(bytes)
  if (text === null) return refuse('malformed', 'not valid UTF-8')
  try {
    return ok(new Parser(text).document())
  } catch (error) {
    if (error instanceof SyntaxRefusal) return refuse('malformed', error.message)
    throw error
  }
}
