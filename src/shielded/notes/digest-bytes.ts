/** Digests and keys as bytes, as they stand in transactions: 4 bytes an element, little endian, canonical. */
import { elementBytes, readElements } from '../field/element-bytes.ts'
import { DIGEST_LANES, type Digest } from '../hash/poseidon2.ts'

/** A root, nullifier, note commitment, key or owner. */
export const DIGEST_BYTES = 4 * DIGEST_LANES

/** The 32 bytes of a digest. */
export function digestBytes(digest: Digest): Uint8Array {
  return elementBytes(digest)
}

/** The elements of `count` elements' bytes; null if there are more or fewer, or one is not canonical. */
export function decodeElements(bytes: Uint8Array, count: number): readonly number[] | null {
  if (!(bytes instanceof Uint8Array) || bytes.length !== 4 * count) return null
  const elements = readElements(bytes)
  return elements === null ? null : [...elements]
}

/** The digest of 32 bytes; null if they are not one. */
export function decodeDigest(bytes: Uint8Array): Digest | null {
  return decodeElements(bytes, DIGEST_LANES)
}
