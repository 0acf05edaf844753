/**
 * Lends the canonical bytes faster hashes than their portable ones: the runtime's own for tagged hashes, WebAssembly
 * for the small blocks of SSZ trees, where a call into the runtime would cost more than the hash.
 */
import { hash } from 'node:crypto'
import { setHasher } from '@chainsafe/persistent-merkle-tree'
import { hasher } from '@chainsafe/persistent-merkle-tree/hasher/as-sha256'
import { type HashFunctions, useHashFunctions } from '../codec/hashes.ts'

/** By OpenSSL. */
export const nativeHashes: HashFunctions = {
  sha256: (bytes) => bytesOfCharacters(hash('sha256', bytes, 'binary')),
  sha256Hex: (bytes) => hash('sha256', bytes, 'hex'),
  sha384Hex: (bytes) => hash('sha384', bytes, 'hex'),
}

/** A digest as characters of one byte each: a `Buffer` of its own takes the runtime three times as long to make. */
function bytesOfCharacters(digest: string): Uint8Array {
  const bytes = new Uint8Array(digest.length)
  for (let i = 0; i < digest.length; i++) bytes[i] = digest.charCodeAt(i)
  return bytes
}

/** From here on, in the whole process. The digests are the same. */
export function useNativeHashes(): void {
  useHashFunctions(nativeHashes)
  setHasher(hasher)
}
