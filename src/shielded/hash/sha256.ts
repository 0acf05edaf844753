/**
 * SHA-256 for commitments and challenges, where no circuit has to follow. Portable by itself; a runtime that has a faster
 * one may lend it. A message is told from every other by its first byte or by a tag with lengths.
 */
import { sha256 as portable } from '@noble/hashes/sha2.js'

export const SHA256_BYTES = 32

let hash: (bytes: Uint8Array) => Uint8Array = portable

/** Hashes with another function from here on. It gives the same digests: nothing but the time it takes changes. */
export function useSha256(faster: (bytes: Uint8Array) => Uint8Array): void {
  hash = faster
}

/** SHA-256 (FIPS 180-4) of the bytes as they are. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash(bytes)
}

const prefixes = new Map<string, Uint8Array>()

/** Length and ASCII of a tag of ours. */
function prefixOf(tag: string): Uint8Array {
  let prefix = prefixes.get(tag)
  if (prefix === undefined) {
    prefix = Uint8Array.of(tag.length, ...Array.from(tag, (character) => character.charCodeAt(0)))
    prefixes.set(tag, prefix)
  }
  return prefix
}

/** u8 length of the tag ‖ tag ‖ u32 count of the parts ‖ (u32 length ‖ part)*, integers little endian. */
export function taggedPreimage(tag: string, parts: readonly Uint8Array[]): Uint8Array {
  const prefix = prefixOf(tag)
  const size = parts.reduce((sum, part) => sum + 4 + part.length, prefix.length + 4)
  const bytes = new Uint8Array(size)
  const numbers = new DataView(bytes.buffer)
  bytes.set(prefix, 0)
  let at = prefix.length
  numbers.setUint32(at, parts.length, true)
  at += 4
  for (const part of parts) {
    numbers.setUint32(at, part.length, true)
    bytes.set(part, at + 4)
    at += 4 + part.length
  }
  return bytes
}

/** SHA-256 of the {@link taggedPreimage}: neither parts nor uses can slide into one another. */
export function sha256Tagged(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return hash(taggedPreimage(tag, parts))
}
