/** The hashes: SHA-256 and SHA-384 under a domain tag, every part with its length in front of it. */
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { DOMAINS, type Domain } from './domains.ts'
import { toHex } from './hex.ts'
import { utf8ToBytes } from './utf8.ts'

const prefixes = new Map<Domain, Uint8Array>()

function prefixOf(domain: Domain): Uint8Array {
  let prefix = prefixes.get(domain)
  if (prefix === undefined) {
    const tag = utf8ToBytes(DOMAINS[domain])
    prefix = new Uint8Array(1 + tag.length)
    prefix[0] = tag.length
    prefix.set(tag, 1)
    prefixes.set(domain, prefix)
  }
  return prefix
}

/** Four bytes, little endian. */
export function u32le(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

/** Eight bytes, little endian. */
export function u64le(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

type Hasher = typeof sha256 | typeof sha384

function hashParts(hasher: Hasher, domain: Domain, parts: readonly Uint8Array[]): Uint8Array {
  const hash = hasher.create()
  hash.update(prefixOf(domain))
  hash.update(u32le(parts.length))
  for (const part of parts) {
    hash.update(u32le(part.length))
    hash.update(part)
  }
  return hash.digest()
}

/** SHA-256(len ‖ tag ‖ u32 count ‖ (u32 len ‖ part)*) as 32 bytes. */
export function sha256Tagged(domain: Domain, ...parts: readonly Uint8Array[]): Uint8Array {
  return hashParts(sha256, domain, parts)
}

/** As {@link sha256Tagged}, in hex. */
export function sha256TaggedHex<T extends string>(domain: Domain, ...parts: readonly Uint8Array[]): T {
  return toHex(hashParts(sha256, domain, parts)) as T
}

/** SHA-384 of the same layout, in hex (96 digits). */
export function sha384TaggedHex(domain: Domain, parts: readonly Uint8Array[]): string {
  return toHex(hashParts(sha384, domain, parts))
}

/** Plain SHA-256, for preimages that others defined. */
export function sha256Plain(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}

/** The bytes that {@link sha256Tagged} hashes, for one who hashes many that differ in their last part only. */
export function sha256TaggedPreimage(domain: Domain, ...parts: readonly Uint8Array[]): Uint8Array {
  const prefix = prefixOf(domain)
  const pieces = [prefix, u32le(parts.length), ...parts.flatMap((part) => [u32le(part.length), part])]
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}
