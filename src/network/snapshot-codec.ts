/**
 * Requests and answers of the snapshot protocol as canonical bytes. Manifests, chunks and hand-over proofs travel as
 * they are: whether they are true is the asker's to check.
 */

import {
  bytesUpTo,
  counter,
  decode,
  encode,
  hexBytes,
  listOf,
  oneOf,
  record,
  type Schema,
  tagged,
  u64,
  variants,
} from '../codec/schema.ts'
import { CHUNK_BYTES_MAX } from '../codec/snapshot.ts'
import type { Result } from '../types/errors.ts'
import type { Epoch, Height, Hex32 } from '../types/primitives.ts'
import { PROTOCOL_LIMITS, SNAPSHOT_FETCH } from './topics.ts'

/** Which snapshots there are. */
export interface ListRequest {
  readonly kind: 'list'
  /** Lower ones are of no use to the asker. */
  readonly aboveHeight: Height
}

export interface ManifestRequest {
  readonly kind: 'manifest'
  readonly height: Height
}

export interface ChunkRequest {
  readonly kind: 'chunk'
  readonly sha256: Hex32
}

/** Asks for the first proof of a set that came into force after this epoch's. */
export interface HandOverRequest {
  readonly kind: 'hand-over'
  readonly fromEpoch: Epoch
}

export type SnapshotRequest = ListRequest | ManifestRequest | ChunkRequest | HandOverRequest

/** What a peer says it has. */
export interface Offer {
  readonly height: Height
  readonly blockHash: Hex32
  /** Of all chunks. */
  readonly bytes: bigint
}

export type SnapshotAnswer =
  | { readonly kind: 'list'; readonly offers: readonly Offer[] }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'refused'; readonly code: 'not-found' | 'busy' | 'malformed' }

/** The schema of one variant as one of the union. */
function variant<T extends { readonly kind: string }, K extends T['kind']>(
  kind: K,
  body: Schema<Omit<Extract<T, { readonly kind: K }>, 'kind'>>,
): { readonly kinds: readonly K[]; readonly schema: Schema<T> } {
  const schema = tagged<Extract<T, { readonly kind: K }>>(kind, body)
  return { kinds: [kind], schema: schema as unknown as Schema<T> }
}

const requestSchema = variants<SnapshotRequest>([
  variant<SnapshotRequest, 'list'>('list', record({ aboveHeight: counter<Height>() })),
  variant<SnapshotRequest, 'manifest'>('manifest', record({ height: counter<Height>() })),
  variant<SnapshotRequest, 'chunk'>('chunk', record({ sha256: hexBytes<Hex32>(32) })),
  variant<SnapshotRequest, 'hand-over'>('hand-over', record({ fromEpoch: counter<Epoch>() })),
])

const offer = record<Offer>({ height: counter(), blockHash: hexBytes<Hex32>(32), bytes: u64 })

const answerSchema = variants<SnapshotAnswer>([
  variant<SnapshotAnswer, 'list'>('list', record({ offers: listOf(offer, SNAPSHOT_FETCH.offersMax) })),
  variant<SnapshotAnswer, 'bytes'>('bytes', record({ bytes: bytesUpTo(CHUNK_BYTES_MAX) })),
  variant<SnapshotAnswer, 'refused'>('refused', record({ code: oneOf(['not-found', 'busy', 'malformed']) })),
])

export function encodeSnapshotRequest(request: SnapshotRequest): Uint8Array {
  return encode(requestSchema, request)
}

export function decodeSnapshotRequest(bytes: Uint8Array): Result<SnapshotRequest, 'malformed'> {
  return decode(requestSchema, bytes, PROTOCOL_LIMITS.snapshots.frameBytesMax)
}

export function encodeSnapshotAnswer(answer: SnapshotAnswer): Uint8Array {
  return encode(answerSchema, answer)
}

/** Reads an answer; says nothing about its truth. */
export function decodeSnapshotAnswer(bytes: Uint8Array): Result<SnapshotAnswer, 'malformed'> {
  return decode(answerSchema, bytes, SNAPSHOT_FETCH.answerBytesMax)
}
