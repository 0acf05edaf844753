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

/** SHA-256 and SHA-384 (FIPS 180-4) of whole messages; in hex, lower case, where that is what is asked for. */
export interface HashFunctions {
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  readonly sha256Hex: (bytes: Uint8Array) => string
  readonly sha384Hex: (bytes: Uint8Array) => string
  /** SHA-256(left ‖ right) of 32 bytes each. */
  readonly sha256Pair: (left: Uint8Array, right: Uint8Array) => Uint8Array
}

const pair = new Uint8Array(64)

/** Those of JavaScript alone. */
export const portableHashes: HashFunctions = {
  sha256,
  sha256Hex: (bytes) => toHex(sha256(bytes)),
  sha384Hex: (bytes) => toHex(sha384(bytes)),
  sha256Pair: (left, right) => {
    pair.set(left, 0)
    pair.set(right, 32)
    return sha256(pair)
  },
}

let functions: HashFunctions = portableHashes

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
  return functions.sha256Hex(preimageOf(domain, parts)) as T
}

/** SHA-384 of the same layout, in hex (96 digits). */
export function sha384TaggedHex(domain: Domain, parts: readonly Uint8Array[]): string {
  return functions.sha384Hex(preimageOf(domain, parts))
}

/** Plain SHA-256, for preimages that others defined. */
export function sha256Plain(bytes: Uint8Array): Uint8Array {
  return functions.sha256(bytes)
}

/** As {@link sha256Plain}, in hex. */
export function sha256PlainHex<T extends string>(bytes: Uint8Array): T {
  return functions.sha256Hex(bytes) as T
}

/** SHA-256(left ‖ right), the inner node of an SSZ tree. */
export function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  return functions.sha256Pair(left, right)
}

/** The bytes that {@link sha256Tagged} hashes, for one who hashes many that differ in their last part only. */
export function sha256TaggedPreimage(domain: Domain, ...parts: readonly Uint8Array[]): Uint8Array {
  return preimageOf(domain, parts).slice()
}

/** Most preimages are written here: they are hashed at once and by nobody kept. */
const scratch = new Uint8Array(4_096)

/** @returns bytes that the next call overwrites */
function preimageOf(domain: Domain, parts: readonly Uint8Array[]): Uint8Array {
  const prefix = prefixOf(domain)
  let length = prefix.length + 4
  for (const part of parts) length += 4 + part.length
  const bytes = length > scratch.length ? new Uint8Array(length) : scratch.subarray(0, length)
  bytes.set(prefix, 0)
  setU32le(bytes, parts.length, prefix.length)
  let at = prefix.length + 4
  for (const part of parts) {
    setU32le(bytes, part.length, at)
    bytes.set(part, at + 4)
    at += 4 + part.length
  }
  return bytes
}

function setU32le(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}
