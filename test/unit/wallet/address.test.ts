/** Addresses: there and back, and every text that is not the right one is refused with what is wrong with it. */
import { describe, expect, it } from 'vitest'
import { bytesToBase64Url } from '../../../src/codec/base64-url.ts'
import { sha256Tagged } from '../../../src/shielded/hash/sha256.ts'
import type { GenesisHash } from '../../../src/types/primitives.ts'
import {
  ADDRESS_CHARACTERS,
  ADDRESS_PREFIX,
  type AddressRefusal,
  decodeAddress,
  encodeAddress,
} from '../../../src/wallet/address.ts'
import { walletKeys } from '../../../src/wallet/keys.ts'
import { WALLET_TAGS } from '../../../src/wallet/tags.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { seededBytes } from '../../support/shielded/join-splits.ts'

const NETWORK = `0123abcd${'00'.repeat(28)}` as GenesisHash
const OTHER = `0123abce${'00'.repeat(28)}` as GenesisHash
const keys = walletKeys(seededBytes(1, 32))
const parts = { owner: keys.owner, kemPublicKey: keys.kem.publicKey }
const text = encodeAddress(parts, NETWORK)
const bytes = Buffer.from(text.slice(ADDRESS_PREFIX.length), 'base64url')

const place = [...text].findIndex((character, i) => i > 800 && character !== text[i + 1])
const swapped = `${text.slice(0, place)}${text[place + 1]}${text[place]}${text.slice(place + 2)}`

/** The text of content with the checksum that fits. */
function summed(content: Uint8Array): string {
  const checksum = sha256Tagged(WALLET_TAGS.addressChecksum, content).subarray(0, 4)
  return ADDRESS_PREFIX + bytesToBase64Url(Buffer.concat([content, checksum]))
}

function changed(at: number, value: number): Uint8Array {
  const content = Uint8Array.from(bytes.subarray(0, -4))
  content[at] = value
  return content
}

describe('an address', () => {
  it('is read as it was written', () => {
    expect(text).toHaveLength(ADDRESS_CHARACTERS)
    expect(ADDRESS_CHARACTERS).toBe(1_637)
    expect([...bytes.subarray(0, 5)]).toEqual([1, 0x01, 0x23, 0xab, 0xcd])
    const read = decodeAddress(`  ${text}\n`, NETWORK)
    expect(read.ok && Buffer.from(read.value.owner).equals(parts.owner)).toBe(true)
    expect(read.ok && Buffer.from(read.value.kemPublicKey).equals(parts.kemPublicKey)).toBe(true)
  })

  it.each<[what: string, text: string, code: AddressRefusal, words: RegExp]>([
    ['nothing', '', 'address-prefix', /does not begin with "hm1"/],
    ['another kind of text', 'ab'.repeat(32), 'address-prefix', /hm1/],
    ['the prefix in capitals', text.replace('hm1', 'HM1'), 'address-prefix', /hm1/],
    [
      'the prefix alone',
      'hm1',
      'address-length',
      /3 characters, an address has 1637: a part of it is missing/,
    ],
    ['a missing end', text.slice(0, 1_000), 'address-length', /1000 characters.*missing/],
    ['a missing character', text.slice(0, -1), 'address-length', /1636 characters.*missing/],
    ['a character too much', `${text}A`, 'address-length', /1638 characters.*too much/],
    ['itself twice', `${text}${text}`, 'address-length', /too much/],
    ['a blank within', `${text.slice(0, 900)} ${text.slice(901)}`, 'address-characters', /mistyped/],
    ['padding', `${text}==`, 'address-characters', /added by what it was copied from/],
    ['two characters swapped', swapped, 'address-checksum', /mistyped/],
    ['version 2', summed(changed(0, 2)), 'address-version', /version 2, this program knows version 1/],
    ['a later version that is shorter', summed(Uint8Array.of(9, 1, 2, 3)), 'address-version', /version 9/],
    ['version 1, but short', summed(bytes.subarray(0, 100)), 'address-length', /missing/],
    ['an owner that is no digest', summed(changed(8, 0xff)), 'address-key', /no wallet made it/],
    [
      'a key that ML-KEM refuses',
      summed(changed(38, 0xff).fill(0xff, 37, 40)),
      'address-key',
      /no wallet made it/,
    ],
  ])('that is %s is refused', (_what, given, code, words) => {
    const read = decodeAddress(given, NETWORK)
    expect(read.ok ? 'accepted' : read.code).toBe(code)
    expect(read.ok ? '' : read.detail).toMatch(words)
  })

  it('of another network is refused as that', () => {
    const read = decodeAddress(text, OTHER)
    expect(read).toMatchObject({ ok: false, code: 'address-network' })
  })

  it('is refused with any character changed', () => {
    const random = seededRandom(5)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (let at = 0; at < text.length; at++) {
      const others = [...alphabet].filter((character) => character !== text[at])
      const other = others[Math.floor(random() * others.length)]
      const read = decodeAddress(text.slice(0, at) + other + text.slice(at + 1), NETWORK)
      expect(read.ok, `character ${at}`).toBe(false)
    }
  })

  it('is refused with any byte changed', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const other = Uint8Array.from(bytes)
        other[at] = (other[at] as number) ^ change
        const read = decodeAddress(ADDRESS_PREFIX + bytesToBase64Url(other), NETWORK)
        expect(read, `byte ${at}`).toMatchObject({ ok: false, code: 'address-checksum' })
      }
    }
  })
})
