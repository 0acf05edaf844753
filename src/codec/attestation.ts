/**
 * Canonical bytes of attestations. A certificate request carries all of it in one container, base64url in its
 * metadata; a four-proof set carries each part in the field of its proof. Every part begins with a version.
 */
import { type Anchor, type Attestation, type LeafOpening, OPENINGS } from '../types/attestation.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { LEAF_SIZES, OPERATOR_NAME_LENGTH_MAX } from '../types/operator.ts'
import type { BlockHash } from '../types/primitives.ts'
import { base64UrlToBytes, bytesToBase64Url } from './base64-url.ts'
import {
  bytesFixed,
  bytesUpTo,
  counter,
  DecodeError,
  decode,
  encode,
  hexBytes,
  listOf,
  record,
  type Schema,
  text,
  u64,
  uint,
} from './schema.ts'

/** Of every part; the first byte. */
const VERSION = 1
/** FIPS 204 table 2, ML-DSA-65; a Falcon-1024 signature is shorter. */
const SIGNATURE_BYTES_MAX = 3_309
/** A path in a tree over 2^40 leaves. */
const PATH_LENGTH_MAX = 40
const LEAF_BYTES_MAX = LEAF_SIZES[LEAF_SIZES.length - 1] as number
const OPENINGS_BYTES_MAX = OPENINGS * (LEAF_BYTES_MAX + PATH_LENGTH_MAX * 32 + 16) + 64
/** The whole container before it is written as text. */
export const ATTESTATION_BYTES_MAX =
  OPENINGS_BYTES_MAX + SIGNATURE_BYTES_MAX + 2 * OPERATOR_NAME_LENGTH_MAX + 128

const version: Schema<number> = {
  ssz: uint(1).ssz,
  toRaw: (value) => value,
  fromRaw: (raw: number) => {
    if (raw !== VERSION) throw new DecodeError(`version ${raw}, known is ${VERSION}`)
    return raw
  },
}

/** Adds the version in front of a value's fields, and takes it off again. */
function versioned<T extends object>(fields: { readonly [K in keyof T]-?: Schema<T[K]> }): Schema<T> {
  const body = record<{ version: number } & T>({ version, ...fields } as never)
  return {
    ssz: body.ssz,
    toRaw: (value) => body.toRaw({ version: VERSION, ...value }),
    fromRaw: (raw) => {
      const { version: _checked, ...value } = body.fromRaw(raw)
      return value as unknown as T
    },
  }
}

const opening = record<LeafOpening>({
  leaf: bytesUpTo(LEAF_BYTES_MAX),
  path: listOf(bytesFixed(32), PATH_LENGTH_MAX),
})
const anchorFields = { height: counter<Anchor['height']>(), hash: hexBytes<BlockHash>(32) }
const openings = listOf(opening, OPENINGS)

const container = versioned<Attestation>({
  operatorId: text(2 * OPERATOR_NAME_LENGTH_MAX),
  anchor: record<Anchor>(anchorFields),
  sequence: u64,
  signature: bytesUpTo(SIGNATURE_BYTES_MAX),
  workNonce: u64,
  openings,
})

/** The text of a certificate request's metadata entry. */
export function encodeAttestation(attestation: Attestation): string {
  return bytesToBase64Url(encode(container, attestation))
}

/** Reads {@link encodeAttestation}'s text; one spelling for one attestation. */
export function decodeAttestation(written: string): Result<Attestation, 'malformed'> {
  const bytes = base64UrlToBytes(written)
  if (bytes === null) return refuse('malformed', 'it is not base64url without padding')
  return decode(container, bytes, ATTESTATION_BYTES_MAX)
}

const temporalProof = versioned<Anchor>(anchorFields)
const computationalProof = versioned<{ nonce: bigint }>({ nonce: u64 })
const allocationProof = versioned<{ openings: readonly LeafOpening[] }>({ openings })
const operationSignature = versioned<{ signature: Uint8Array }>({ signature: bytesUpTo(SIGNATURE_BYTES_MAX) })

/** The four fields of a four-proof set that carry its attestation. */
export interface AttestationFields {
  readonly temporalProof: Uint8Array
  readonly computationalProof: Uint8Array
  readonly allocationProof: Uint8Array
  /** base64url: the wire has a text here. */
  readonly operationSignature: string
}

export function encodeAttestationFields(
  attestation: Pick<Attestation, 'anchor' | 'workNonce' | 'openings' | 'signature'>,
): AttestationFields {
  const { anchor, workNonce, signature } = attestation
  return {
    temporalProof: encode(temporalProof, anchor),
    computationalProof: encode(computationalProof, { nonce: workNonce }),
    allocationProof: encode(allocationProof, { openings: attestation.openings }),
    operationSignature: bytesToBase64Url(encode(operationSignature, { signature })),
  }
}

export function decodeTemporalProof(bytes: Uint8Array): Result<Anchor, 'malformed'> {
  return decode(temporalProof, bytes, 64)
}

/** @returns the nonce */
export function decodeComputationalProof(bytes: Uint8Array): Result<bigint, 'malformed'> {
  const read = decode(computationalProof, bytes, 64)
  return read.ok ? ok(read.value.nonce) : read
}

export function decodeAllocationProof(bytes: Uint8Array): Result<readonly LeafOpening[], 'malformed'> {
  const read = decode(allocationProof, bytes, OPENINGS_BYTES_MAX)
  return read.ok ? ok(read.value.openings) : read
}

/** @returns the signature */
export function decodeOperationSignature(written: string): Result<Uint8Array, 'malformed'> {
  const bytes = base64UrlToBytes(written)
  if (bytes === null) return refuse('malformed', 'it is not base64url without padding')
  const read = decode(operationSignature, bytes, SIGNATURE_BYTES_MAX + 64)
  return read.ok ? ok(read.value.signature) : read
}
