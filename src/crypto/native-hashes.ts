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
  sha256: (bytes) => plain(hash('sha256', bytes, 'buffer')),
  sha384: (bytes) => plain(hash('sha384', bytes, 'buffer')),
}

/** A `Buffer` is compared and sliced by other rules than the bytes that everybody here expects. */
function plain({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** From here on, in the whole process. The digests are the same. */
export function useNativeHashes(): void {
  useHashFunctions(nativeHashes)
  setHasher(hasher)
}
