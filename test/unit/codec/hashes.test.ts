/** The tagged hashes: their layout, and that nothing slides from one part or use into another. */
import { describe, expect, it } from 'vitest'
import { DOMAINS } from '../../../src/codec/domains.ts'
import {
  sha256Plain,
  sha256Tagged,
  sha256TaggedHex,
  sha384TaggedHex,
  u32le,
  u64le,
} from '../../../src/codec/hashes.ts'
import { isHex, toHex } from '../../../src/codec/hex.ts'
import { bytesToUtf8, utf8ToBytes } from '../../../src/codec/utf8.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('a tagged hash', () => {
  it('is taken over length, tag, count, and each part with its length', () => {
    const tag = utf8ToBytes(DOMAINS.nodeId)
    const preimage = bytes(tag.length, ...tag, ...u32le(2), ...u32le(1), 9, ...u32le(2), 8, 7)
    expect(sha256Tagged('nodeId', bytes(9), bytes(8, 7))).toEqual(sha256Plain(preimage))
  })

  it('tells parts, counts and domains apart', () => {
    const hashes = [
      sha256TaggedHex('nodeId', bytes(1, 2)),
      sha256TaggedHex('nodeId', bytes(1), bytes(2)),
      sha256TaggedHex('nodeId', bytes(1, 2), bytes()),
      sha256TaggedHex('nodeId', bytes(), bytes(1, 2)),
      sha256TaggedHex('nodeId'),
      sha256TaggedHex('requestId', bytes(1, 2)),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  it('has 48 bytes as SHA-384', () => {
    expect(sha384TaggedHex('proofCommitment', [])).toMatch(/^[0-9a-f]{96}$/)
    expect(sha384TaggedHex('proofCommitment', [])).not.toBe(sha384TaggedHex('proofCommitment', [bytes()]))
  })

  it('has a tag of its own for every use', () => {
    const tags = Object.values(DOMAINS)
    expect(new Set(tags).size).toBe(tags.length)
    for (const tag of tags) expect(tag).toMatch(/^hypermesh\/[a-z/-]+\/v1$/)
  })
})

describe('small encodings', () => {
  it('are little endian', () => {
    expect(toHex(u32le(0x01020304))).toBe('04030201')
    expect(toHex(u64le(2n ** 64n - 2n))).toBe('feffffffffffffff')
  })

  it('have one spelling of hex', () => {
    expect(isHex('00ff', 2)).toBe(true)
    for (const other of ['00FF', '0ff', '00f', '00fg', '00ff00', '']) expect(isHex(other, 2)).toBe(false)
  })

  it('keep text as it is, and refuse what is none', () => {
    for (const text of ['', 'é😀', '\ufeffx', '\u0000']) expect(bytesToUtf8(utf8ToBytes(text))).toBe(text)
    for (const bad of [bytes(0xff), bytes(0xc0, 0x80), bytes(0xed, 0xa0, 0x80), bytes(0xe2, 0x82)]) {
      expect(bytesToUtf8(bad)).toBeNull()
    }
  })
})
