/**
 * Many validation requests in one document: a JSON array of `{"certificate": …}` and `{"four_proof": …}`. The array
 * is taken apart before its items are parsed, each by itself, so that one that cannot be read spoils no other.
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import type { CertificateValidationRequest, FourProofValidationRequest } from '../types/validation-request.ts'
import { FormatError, type Shape } from './json-shape.ts'
import { JSON_BYTES_MAX, type JsonValue, parseJson } from './lossless-json.ts'
import { certificateValidationRequest, fourProofValidationRequest } from './trustchain-json-request.ts'

/** Items of one batch. */
export const BATCH_ITEMS_MAX = 100

/** One item: a request, or why it is none, with its path. */
export type BatchItem =
  | { readonly kind: 'certificate'; readonly request: CertificateValidationRequest }
  | { readonly kind: 'four-proof'; readonly request: FourProofValidationRequest }
  | {
      readonly kind: 'malformed'
      readonly of: 'certificate' | 'four-proof' | 'batch'
      readonly detail: string
    }

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/**
 * Reads a batch.
 * @returns the items in their order; a refusal when there is no array, or more in it than may be
 */
export function readBatch(bytes: Uint8Array): Result<readonly BatchItem[], 'malformed'> {
  const slices = itemsOf(bytes)
  return slices.ok ? ok(slices.value.map(readItem)) : slices
}

function readItem(bytes: Uint8Array, index: number): BatchItem {
  const path = `[${index}]`
  const parsed = parseJson(bytes)
  if (!parsed.ok) return { kind: 'malformed', of: 'batch', detail: `${path}: ${parsed.detail}` }
  const entries = parsed.value instanceof Map ? parsed.value : new Map<string, JsonValue>()
  const certificate = entries.get('certificate')
  const fourProof = entries.get('four_proof')
  if ((certificate === undefined) === (fourProof === undefined)) {
    const detail = `${path}: expected an object with either "certificate" or "four_proof"`
    return { kind: 'malformed', of: 'batch', detail }
  }
  return certificate === undefined
    ? requestIn('four-proof', fourProofValidationRequest, fourProof ?? null, `${path}.four_proof`)
    : requestIn('certificate', certificateValidationRequest, certificate, `${path}.certificate`)
}

function requestIn<Kind extends 'certificate' | 'four-proof', T>(
  kind: Kind,
  shape: Shape<T>,
  value: JsonValue,
  path: string,
): { kind: Kind; request: T } | Extract<BatchItem, { kind: 'malformed' }> {
  try {
    return { kind, request: shape.read(value) }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return { kind: 'malformed', of: kind, detail: error.under(path).describe() }
  }
}

/** The bytes of each item of an array. Looks at brackets, commas and strings only: what is in an item is its own matter. */
function itemsOf(bytes: Uint8Array): Result<readonly Uint8Array[], 'malformed'> {
  if (bytes.length > JSON_BYTES_MAX) return refuse('malformed', `more than ${JSON_BYTES_MAX} bytes`)
  let at = 0
  while (isSpace(bytes[at])) at++
  if (bytes[at] !== OPEN_LIST) return refuse('malformed', 'expected an array of requests')
  const items: Uint8Array[] = []
  let start = ++at
  let depth = 1
  for (; at < bytes.length && depth > 0; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = endOfString(bytes, at)
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--
    const isEnd = depth === 0
    if (!isEnd && !(depth === 1 && byte === COMMA)) continue
    const item = trimmed(bytes.subarray(start, at))
    const isEmptyArray = isEnd && items.length === 0 && item.length === 0
    if (item.length === 0 && !isEmptyArray)
      return refuse('malformed', `[${items.length}]: expected a request`)
    if (!isEmptyArray) items.push(item)
    if (items.length > BATCH_ITEMS_MAX) return refuse('malformed', `more than ${BATCH_ITEMS_MAX} requests`)
    start = at + 1
  }
  if (depth > 0 || bytes[at - 1] !== CLOSE_LIST) return refuse('malformed', 'the array does not end')
  while (isSpace(bytes[at])) at++
  return at === bytes.length ? ok(items) : refuse('malformed', 'there is more after the array')
}

/** Where the string that begins at `at` ends: at its quote, or at the end of the document. */
function endOfString(bytes: Uint8Array, at: number): number {
  let end = at + 1
  while (end < bytes.length && bytes[end] !== QUOTE) end += bytes[end] === BACKSLASH ? 2 : 1
  return end
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let start = 0
  let end = bytes.length
  while (start < end && isSpace(bytes[start])) start++
  while (end > start && isSpace(bytes[end - 1])) end--
  return bytes.subarray(start, end)
}
