/**
 * Addresses: who is paid on which network, as one text. Every text but the right one is refused, with what is wrong with
 * it; what it names is public, and the same in every payment that its owner asks for.
 */
import { base64UrlToBytes, bytesToBase64Url } from '../codec/base64-url.ts'
import { fromHex } from '../codec/hex.ts'
import { ML_KEM_768 } from '../crypto/ml-kem.ts'
import { sha256Tagged } from '../shielded/hash/sha256.ts'
import { DIGEST_BYTES, decodeDigest } from '../shielded/notes/digest-bytes.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { GenesisHash } from '../types/primitives.ts'
import { WALLET_TAGS } from './tags.ts'

/** What every address begins with. */
export const ADDRESS_PREFIX = 'hm1'
const VERSION = 1
const NETWORK_BYTES = 4
const CHECKSUM_BYTES = 4
const OWNER_AT = 1 + NETWORK_BYTES
const KEY_AT = OWNER_AT + DIGEST_BYTES
const CHECKSUM_AT = KEY_AT + ML_KEM_768.publicKeyBytes
const ADDRESS_BYTES = CHECKSUM_AT + CHECKSUM_BYTES

/** Characters of an address. */
export const ADDRESS_CHARACTERS = ADDRESS_PREFIX.length + Math.ceil((ADDRESS_BYTES * 4) / 3)
/** Longer texts are not looked at. */
const CHARACTERS_MAX = 4 * ADDRESS_CHARACTERS

/** Who is paid: what a note names its owner by, and the key that the note is sent under. */
export interface Address {
  /** 32 bytes of canonical elements. */
  readonly owner: Uint8Array
  /** ML-KEM-768 encapsulation key, 1,184 bytes. */
  readonly kemPublicKey: Uint8Array
}

/** Why a text is no address of this network. */
export type AddressRefusal =
  | 'address-prefix'
  | 'address-characters'
  | 'address-length'
  | 'address-checksum'
  | 'address-version'
  | 'address-network'
  | 'address-key'

function checksum(content: Uint8Array): Uint8Array {
  return sha256Tagged(WALLET_TAGS.addressChecksum, content).subarray(0, CHECKSUM_BYTES)
}

/** The text of an address on a network: {@link ADDRESS_CHARACTERS} characters. */
export function encodeAddress({ owner, kemPublicKey }: Address, network: GenesisHash): string {
  const bytes = new Uint8Array(ADDRESS_BYTES)
  bytes[0] = VERSION
  bytes.set(fromHex(network).subarray(0, NETWORK_BYTES), 1)
  bytes.set(owner, OWNER_AT)
  bytes.set(kemPublicKey, KEY_AT)
  bytes.set(checksum(bytes.subarray(0, CHECKSUM_AT)), CHECKSUM_AT)
  return ADDRESS_PREFIX + bytesToBase64Url(bytes)
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** FIPS 203 §7.2, modulus check: every coefficient, 12 bits each, is below 3,329. The last 32 bytes are a seed. */
function isKemKey(key: Uint8Array): boolean {
  for (let i = 0; i < ML_KEM_768.publicKeyBytes - 32; i += 3) {
    const [a = 0, b = 0, c = 0] = key.subarray(i, i + 3)
    if ((a | ((b & 0x0f) << 8)) >= 3_329 || ((b >> 4) | (c << 4)) >= 3_329) return false
  }
  return true
}

/**
 * Reads an address.
 * @param text as somebody typed or pasted it; blanks around it are left out
 * @param network whose address it has to be
 * @returns the address, or what exactly is wrong with the text
 */
export function decodeAddress(text: string, network: GenesisHash): Result<Address, AddressRefusal> {
  const trimmed = text.slice(0, CHARACTERS_MAX).trim()
  if (!trimmed.startsWith(ADDRESS_PREFIX)) {
    return refuse('address-prefix', `it does not begin with "${ADDRESS_PREFIX}"`)
  }
  const bytes = base64UrlToBytes(trimmed.slice(ADDRESS_PREFIX.length))
  const isWhole = trimmed.length === ADDRESS_CHARACTERS
  if (bytes === null || bytes.length < 1 + CHECKSUM_BYTES) {
    if (!isWhole && /^[\w-]*$/.test(trimmed)) return wrongLength(trimmed)
    return refuse(
      'address-characters',
      'a character of it is mistyped, or was added by what it was copied from',
    )
  }
  const content = bytes.subarray(0, -CHECKSUM_BYTES)
  if (!isEqual(checksum(content), bytes.subarray(-CHECKSUM_BYTES))) {
    return isWhole
      ? refuse('address-checksum', 'its checksum does not fit: a character of it is mistyped')
      : wrongLength(trimmed)
  }
  if (bytes[0] !== VERSION) {
    return refuse('address-version', `it is of version ${bytes[0]}, this program knows version ${VERSION}`)
  }
  if (bytes.length !== ADDRESS_BYTES) return wrongLength(trimmed)
  if (!isEqual(bytes.subarray(1, OWNER_AT), fromHex(network).subarray(0, NETWORK_BYTES))) {
    return refuse('address-network', 'it is an address of another network')
  }
  const owner = bytes.slice(OWNER_AT, KEY_AT)
  const kemPublicKey = bytes.slice(KEY_AT, CHECKSUM_AT)
  if (decodeDigest(owner) === null || !isKemKey(kemPublicKey)) {
    return refuse('address-key', 'a key in it is none, though its checksum fits: no wallet made it')
  }
  return ok({ owner, kemPublicKey })
}

function wrongLength(text: string): Result<never, 'address-length'> {
  const problem = text.length < ADDRESS_CHARACTERS ? 'a part of it is missing' : 'it has too much'
  return refuse(
    'address-length',
    `it has ${text.length} characters, an address has ${ADDRESS_CHARACTERS}: ${problem}`,
  )
}
