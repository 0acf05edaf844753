/** What the runtime lends gives the digests of what it replaces: tagged, plain and under SSZ roots. */

import { setHasher } from '@chainsafe/persistent-merkle-tree'
import { hasher as portableHasher } from '@chainsafe/persistent-merkle-tree/hasher/noble'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { afterEach, describe, expect, it } from 'vitest'
import {
  portableHashes,
  sha256Plain,
  sha256Tagged,
  sha256TaggedHex,
  sha384TaggedHex,
  useHashFunctions,
} from '../../../src/codec/hashes.ts'
import { toHex } from '../../../src/codec/hex.ts'
import { bytesUpTo, hashTreeRoot, hexBytes, listOf, record, uint } from '../../../src/codec/schema.ts'
import { nativeHashes, useNativeHashes } from '../../../src/crypto/native-hashes.ts'

const LENGTHS = [0, 1, 31, 32, 55, 56, 63, 64, 65, 111, 112, 127, 128, 1_000, 20_000]
const message = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff)

afterEach(() => {
  useHashFunctions(portableHashes)
  setHasher(portableHasher)
})

describe('native hashes', () => {
  it('are those of FIPS 180-4, at every length about a block', () => {
    for (const length of LENGTHS) {
      const bytes = message(length)
      for (const hashes of [nativeHashes, portableHashes]) {
        expect(hashes.sha256(bytes)).toEqual(sha256(bytes))
        expect(hashes.sha256Hex(bytes)).toBe(toHex(sha256(bytes)))
        expect(hashes.sha384Hex(bytes)).toBe(toHex(sha384(bytes)))
      }
    }
  })

  it('of two halves are those of the whole, each in bytes of its own', () => {
    const halves = LENGTHS.map((length) => [sha256(message(length)), sha256(message(length + 1))] as const)
    for (const { sha256Pair } of [nativeHashes, portableHashes]) {
      const nodes = halves.map(([left, right]) => sha256Pair(left, right))
      for (const [i, [left, right]] of halves.entries()) {
        expect(nodes[i]).toEqual(sha256(Uint8Array.of(...left, ...right)))
      }
    }
  })

  it('say SHA-256 of "abc" (FIPS 180-4, example) in plain bytes', () => {
    const digest = nativeHashes.sha256(Uint8Array.of(0x61, 0x62, 0x63))
    expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype)
    expect([...digest.subarray(0, 4)]).toEqual([0xba, 0x78, 0x16, 0xbf])
  })

  it('change no digest and no root of the canonical bytes', () => {
    const schema = record<{ number: number; words: readonly string[]; text: Uint8Array }>({
      number: uint(4),
      words: listOf(hexBytes<string>(32), 4_096),
      text: bytesUpTo(50_000),
    })
    const digests = (): string[] => [
      sha256TaggedHex('nodeId', message(40), message(3)),
      toHex(sha256Tagged('transaction', message(5_000))),
      sha384TaggedHex('proofCommitment', [message(2_000), message(7)]),
      Buffer.from(sha256Plain(message(64))).toString('hex'),
      ...LENGTHS.map((count) => {
        const words = Array.from({ length: count % 300 }, (_, i) => i.toString(16).padStart(64, '0'))
        const root = hashTreeRoot(schema, { number: count, words, text: message(count) })
        return Buffer.from(root).toString('hex')
      }),
    ]
    const portable = digests()
    useNativeHashes()
    expect(digests()).toEqual(portable)
  })
})
