/**
 * The hashes: SHA-256 and SHA-384 under a domain tag, every part with its length in front of it. Portable by
 * themselves; a runtime that has faster ones of its own may lend them (crypto/native-hashes.ts).
 */
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

/** SHA-256 and SHA-384 (FIPS 180-4) of whole messages. */
export interface HashFunctions {
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  readonly sha384: (bytes: Uint8Array) => Uint8Array
}

let functions: HashFunctions = { sha256, sha384 }

/** Hashes with others from here on. They give the same digests: nothing but the time it takes changes. */
export function useHashFunctions(faster: HashFunctions): void {
  functions = faster
}

/** SHA-256(len ‖ tag ‖ u32 count ‖ (u32 len ‖ part)*) as 32 bytes. */
export function sha256Tagged(domain: Domain, ...parts: readonly Uint8Array[]): Uint8Array {
  return functions.sha256(preimageOf(domain, parts))
}

/** As {@link sha256Tagged}, in hex. */
export function sha256TaggedHex<T extends string>(domain: Domain, ...parts: readonly Uint8Array[]): T {
  return toHex(functions.sha256(preimageOf(domain, parts))) as T
}

/** SHA-384 of the same layout, in hex (96 digits). */
export function sha384TaggedHex(domain: Domain, parts: readonly Uint8Array[]): string {
  return toHex(functions.sha384(preimageOf(domain, parts)))
}

/** Plain SHA-256, for preimages that others defined. */
export function sha256Plain(bytes: Uint8Array): Uint8Array {
  return functions.sha256(bytes)
}

/** The bytes that {@link sha256Tagged} hashes, for one who hashes many that differ in their last part only. */
export function sha256TaggedPreimage(domain: Domain, ...parts: readonly Uint8Array[]): Uint8Array {
  return preimageOf(domain, parts)
}

function preimageOf(domain: Domain, parts: readonly Uint8Array[]): Uint8Array {
  const prefix = prefixOf(domain)
  const length = parts.reduce((sum, part) => sum + 4 + part.length, prefix.length + 4)
  const bytes = new Uint8Array(length)
  const numbers = new DataView(bytes.buffer)
  bytes.set(prefix, 0)
  numbers.setUint32(prefix.length, parts.length, true)
  let at = prefix.length + 4
  for (const part of parts) {
    numbers.setUint32(at, part.length, true)
    bytes.set(part, at + 4)
    at += 4 + part.length
  }
  return bytes
}
