/**
 * Lends the canonical bytes faster hashes than their portable ones: the runtime's own for tagged hashes, and for the
 * nodes of SSZ trees a native hasher that takes many at once; WebAssembly where there is none for the machine.
 */
import { hash } from 'node:crypto'
import { setHasher } from '@chainsafe/persistent-merkle-tree'
import { hasher as wasmHasher } from '@chainsafe/persistent-merkle-tree/hasher/as-sha256'
import { type HashFunctions, useHashFunctions } from '../codec/hashes.ts'

/** Its native part is an optional package, one for each kind of machine. */
const hasher = await import('@chainsafe/persistent-merkle-tree/hasher/hashtree').then(
  (native) => native.hasher,
  () => wasmHasher,
)

/** By OpenSSL, and tree nodes by the hasher of trees. */
export const nativeHashes: HashFunctions = {
  sha256: (bytes) => bytesOfCharacters(hash('sha256', bytes, 'binary')),
  sha256Hex: (bytes) => hash('sha256', bytes, 'hex'),
  sha384Hex: (bytes) => hash('sha384', bytes, 'hex'),
  sha256Pair: (left, right) => hasher.digest64(left, right),
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
