/** The tagged hashes: their layout, and that nothing slides from one part or use into another. */
import { describe, expect, it } from 'vitest'
import { DOMAINS } from '../../../src/codec/domains.ts'
import {
  sha256Plain,
  sha256Tagged,
  sha256TaggedHex,
  sha256TaggedPreimage,
  sha384TaggedHex,
  u32le,
  u64le,
} from '../../../src/codec/hashes.ts'
import { fromHex, isHex, setHex, toHex } from '../../../src/codec/hex.ts'
import { bytesToUtf8, setUtf8, utf8Length, utf8ToBytes } from '../../../src/codec/utf8.ts'

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

  it("has a preimage that is the caller's own: the next hash does not change it", () => {
    for (const length of [3, 5_000]) {
      const preimage = sha256TaggedPreimage('nodeId', new Uint8Array(length).fill(1))
      const before = preimage.slice()
      sha256Tagged('nodeId', new Uint8Array(length).fill(2))
      expect(preimage).toEqual(before)
      expect(sha256Plain(preimage)).toEqual(sha256Tagged('nodeId', new Uint8Array(length).fill(1)))
    }
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

  it('read hex of every byte in both spellings, where it is to stand', () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(fromHex(toHex(all))).toEqual(all)
    expect(fromHex(toHex(all).toUpperCase())).toEqual(all)
    const into = new Uint8Array(5).fill(9)
    setHex(into, '00ff10', 1)
    expect(into).toEqual(bytes(9, 0, 255, 16, 9))
  })

  it('throw on what is no hex', () => {
    expect(() => fromHex('0')).toThrow('unpadded hex of length 1')
    for (const bad of ['0g', 'g0', '00\u0130\u0130', '  ', '0x', '\ud83d\ude00']) {
      expect(() => fromHex(bad)).toThrow(`non-hex character "${bad.slice(-2)}" at index ${bad.length - 2}`)
    }
  })

  it('write text as the host does, short or long, at every place of a character beyond ASCII', () => {
    const host = new TextEncoder()
    for (const length of [0, 1, 63, 64, 65, 200]) {
      const ascii = 'abc\u0000\u007f~'.repeat(40).slice(0, length)
      expect(utf8ToBytes(ascii)).toEqual(host.encode(ascii))
      for (const other of ['\u0080', 'é', '\ud83d', '😀']) {
        for (const at of [0, Math.floor(length / 2), length]) {
          const text = ascii.slice(0, at) + other + ascii.slice(at)
          const expected = host.encode(text)
          expect(utf8ToBytes(text)).toEqual(expected)
          expect(utf8Length(text)).toBe(expected.length)
          const into = new Uint8Array(expected.length + 2)
          expect(setUtf8(into, text, 1)).toBe(expected.length + 1)
          expect(into).toEqual(Uint8Array.of(0, ...expected, 0))
        }
      }
    }
  })

  it('keep text as it is, and refuse what is none', () => {
    for (const text of ['', 'é😀', '\ufeffx', '\u0000']) expect(bytesToUtf8(utf8ToBytes(text))).toBe(text)
    for (const bad of [bytes(0xff), bytes(0xc0, 0x80), bytes(0xed, 0xa0, 0x80), bytes(0xe2, 0x82)]) {
      expect(bytesToUtf8(bad)).toBeNull()
    }
  })
})
