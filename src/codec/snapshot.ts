/**
 * Canonical bytes of snapshots: manifest, chunks and hand-over proofs. A chunk is its entries, each with its length
 * in front (u32, little endian): a list that only grows gives the same full chunks in every later snapshot. Says
 * nothing about truth: ledger/snapshot-check.ts and snapshot-replay.ts do.
 */
import { assert } from '../types/assert.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { Hex32 } from '../types/primitives.ts'
import {
  type ChunkReference,
  type HandOver,
  SNAPSHOT_PARTS,
  type SnapshotManifest,
} from '../types/snapshot.ts'
import { headerSchema } from './block.ts'
import { quorumCertificateSchema, SIGNATURE_BYTES } from './certificates.ts'
import { PUBLIC_KEY_BYTES, validatorListSchema } from './genesis.ts'
import { BLOCK_BYTES_MAX, VALIDATORS_MAX } from './limits.ts'
import { counter, decode, encode, hexBytes, listOf, nullable, oneOf, record, uint } from './schema.ts'

/** Chunks are filled up to this. */
export const CHUNK_BYTES_TARGET = 1024 * 1024
/** A chunk of one entry may be larger: the entry is a block. */
export const CHUNK_BYTES_MAX = BLOCK_BYTES_MAX + 4
/** 32 GiB of state. */
export const SNAPSHOT_CHUNKS_MAX = 32_768

const CERTIFICATE_BYTES_MAX = VALIDATORS_MAX * (SIGNATURE_BYTES + 8) + 1_024
const SET_BYTES_MAX = VALIDATORS_MAX * (PUBLIC_KEY_BYTES + 40 + 4)
const CHUNK_REFERENCE_BYTES = 1 + 8 + 4 + 4 + 32

export const MANIFEST_BYTES_MAX =
  2 * CERTIFICATE_BYTES_MAX + SNAPSHOT_CHUNKS_MAX * CHUNK_REFERENCE_BYTES + 4_096
export const HAND_OVER_BYTES_MAX = CERTIFICATE_BYTES_MAX + SET_BYTES_MAX + 1_024

const manifestSchema = record<SnapshotManifest>({
  header: headerSchema,
  certificate: quorumCertificateSchema,
  finality: nullable(quorumCertificateSchema),
  chunks: listOf(
    record<ChunkReference>({
      part: oneOf(SNAPSHOT_PARTS),
      first: counter(),
      count: uint(4),
      bytes: uint(4),
      sha256: hexBytes<Hex32>(32),
    }),
    SNAPSHOT_CHUNKS_MAX,
  ),
})

export const handOverSchema = record<HandOver>({
  header: headerSchema,
  certificate: quorumCertificateSchema,
  validators: validatorListSchema,
})

export function encodeManifest(manifest: SnapshotManifest): Uint8Array {
  return encode(manifestSchema, manifest)
}

export function decodeManifest(bytes: Uint8Array): Result<SnapshotManifest, 'malformed'> {
  return decode(manifestSchema, bytes, MANIFEST_BYTES_MAX)
}

export function encodeHandOver(handOver: HandOver): Uint8Array {
  return encode(handOverSchema, handOver)
}

export function decodeHandOver(bytes: Uint8Array): Result<HandOver, 'malformed'> {
  return decode(handOverSchema, bytes, HAND_OVER_BYTES_MAX)
}

/** Fills chunks with entries in order; where they are cut depends on nothing but the entries before. */
export class ChunkWriter {
  #entries: Uint8Array[] = []
  #bytes = 0

  get count(): number {
    return this.#entries.length
  }

  /** Whether the entry fits beside what is there. */
  hasRoomFor(entry: Uint8Array): boolean {
    return this.#entries.length === 0 || this.#bytes + 4 + entry.length <= CHUNK_BYTES_TARGET
  }

  add(entry: Uint8Array): void {
    assert(entry.length <= BLOCK_BYTES_MAX, `a snapshot entry of ${entry.length} bytes`)
    this.#entries.push(entry)
    this.#bytes += 4 + entry.length
  }

  /** The chunk, and an empty one is begun. */
  take(): Uint8Array {
    const chunk = new Uint8Array(this.#bytes)
    const view = new DataView(chunk.buffer)
    let at = 0
    for (const entry of this.#entries) {
      view.setUint32(at, entry.length, true)
      chunk.set(entry, at + 4)
      at += 4 + entry.length
    }
    this.#entries = []
    this.#bytes = 0
    return chunk
  }
}

/**
 * The entries of a chunk; they share its memory.
 * @param count how many it must have
 */
export function decodeChunk(chunk: Uint8Array, count: number): Result<Uint8Array[], 'malformed'> {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length)
  const entries: Uint8Array[] = []
  let at = 0
  while (at < chunk.length) {
    if (entries.length === count) return refuse('malformed', `more than ${count} entries`)
    if (at + 4 > chunk.length) return refuse('malformed', `a length is cut off at ${at}`)
    const length = view.getUint32(at, true)
    if (length > chunk.length - at - 4) return refuse('malformed', `an entry of ${length} bytes at ${at}`)
    // Not slice: the bytes may be a Buffer's.
    entries.push(chunk.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return entries.length === count ? ok(entries) : refuse('malformed', `${entries.length} entries of ${count}`)
}
