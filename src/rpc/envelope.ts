/**
 * The call envelope of STOQ: bincode 1.3 of `ApiRequest` and `ApiResponse` (spec/stoq.md 2.1), every length bounded.
 * Trailing bytes are allowed, as the original allows them. Frames only: the payload is opaque here.
 */
import { type BincodeReader, BincodeWriter, readBincode } from '../codec/bincode.ts'
import { type Result, refuse } from '../types/errors.ts'

/** Bytes of one envelope either way; the known client's own bound for an answer. */
export const ENVELOPE_BYTES_MAX = 10 * 1024 * 1024
/** Entries of a metadata map. The known client sends none. */
const METADATA_ENTRIES_MAX = 64
/** An entry is at least two empty texts. */
const METADATA_ENTRY_BYTES_MIN = 16
/** Any text of the envelope: ids are UUIDs, services and methods are short, errors a few sentences. */
const TEXT_BYTES_MAX = 8_192

type Metadata = readonly (readonly [key: string, value: string])[]

/** `ApiRequest`. */
export interface EnvelopeRequest {
  readonly id: string
  readonly service: string
  readonly method: string
  /** JSON. */
  readonly payload: Uint8Array
  readonly metadata: Metadata
}

/** `ApiResponse`. */
export interface EnvelopeResponse {
  readonly requestId: string
  readonly success: boolean
  /** JSON; empty when `success` is false. */
  readonly payload: Uint8Array
  readonly error: string | null
  readonly metadata: Metadata
}

const readText = (reader: BincodeReader): string => reader.text(TEXT_BYTES_MAX)

function readMetadata(reader: BincodeReader): Metadata {
  return reader.list(
    METADATA_ENTRIES_MAX,
    METADATA_ENTRY_BYTES_MIN,
    (entry) => [readText(entry), readText(entry)] as const,
  )
}

function writeMetadata(writer: BincodeWriter, metadata: Metadata): BincodeWriter {
  return writer.list(metadata, (entry, [key, value]) => entry.text(key).text(value))
}

function bounded<T>(bytes: Uint8Array, read: (reader: BincodeReader) => T): Result<T, 'malformed'> {
  if (bytes.length > ENVELOPE_BYTES_MAX) {
    return refuse('malformed', `${bytes.length} bytes, the limit is ${ENVELOPE_BYTES_MAX}`)
  }
  return readBincode(bytes, read)
}

/** Reads an `ApiRequest`; its payload is a view of the input. */
export function decodeEnvelopeRequest(bytes: Uint8Array): Result<EnvelopeRequest, 'malformed'> {
  return bounded(bytes, (reader) => ({
    id: readText(reader),
    service: readText(reader),
    method: readText(reader),
    payload: reader.bytes(ENVELOPE_BYTES_MAX),
    metadata: readMetadata(reader),
  }))
}

/** Reads an `ApiResponse`; its payload is a view of the input. */
export function decodeEnvelopeResponse(bytes: Uint8Array): Result<EnvelopeResponse, 'malformed'> {
  return bounded(bytes, (reader) => ({
    requestId: readText(reader),
    success: reader.bool(),
    payload: reader.bytes(ENVELOPE_BYTES_MAX),
    error: reader.option(readText),
    metadata: readMetadata(reader),
  }))
}

/** Bytes of an `ApiRequest`. */
export function encodeEnvelopeRequest(request: EnvelopeRequest): Uint8Array {
  const writer = new BincodeWriter()
  writer.text(request.id).text(request.service).text(request.method).bytes(request.payload)
  return writeMetadata(writer, request.metadata).finish()
}

/** Bytes of an `ApiResponse`. */
export function encodeEnvelopeResponse(response: EnvelopeResponse): Uint8Array {
  const writer = new BincodeWriter()
  writer.text(response.requestId).bool(response.success).bytes(response.payload)
  writer.option(response.error, (some, error) => some.text(error))
  return writeMetadata(writer, response.metadata).finish()
}
