/** Types with values of ours against the SSZ library's own: the same bytes, the same roots, the same refusals. */
import {
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListCompositeType,
  UintBigintType,
  UintNumberType,
} from '@chainsafe/ssz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/codec/hex.ts'
import {
  bytesUpTo,
  counter,
  DecodeError,
  decode,
  encode,
  flag,
  hashTreeRoot,
  hexBytes,
  listOf,
  nullable,
  oneOf,
  packed,
  record,
  tagged,
  text,
  u64,
  uint,
} from '../../../src/codec/schema.ts'
import { utf8ToBytes } from '../../../src/codec/utf8.ts'
import { COUNTER_MAX } from '../../../src/types/primitives.ts'

interface Part {
  readonly name: string
  readonly hash: string
}
interface Whole {
  readonly kind: 'whole'
  readonly small: number
  readonly title: string
  readonly when: number
  readonly long: string
  readonly parts: readonly Part[]
  readonly colour: 'red' | 'green' | 'blue'
  readonly amount: bigint
  readonly maybe: Part | null
  readonly isOpen: boolean
  readonly pairs: readonly number[]
  readonly blob: Uint8Array
}

const COLOURS = ['red', 'green', 'blue'] as const
const TITLE_MAX = 80
const part = record<Part>({ name: text(20), hash: hexBytes(32) })
/** Numbers of two bytes each, highest first. */
const pairs = packed<readonly number[]>(40, {
  empty: [],
  sizeOf: (value) => 2 * value.length,
  pack: (value) => Uint8Array.from(value.flatMap((number) => [number >> 8, number & 0xff])),
  unpack: (bytes) => {
    if (bytes.length % 2 !== 0) throw new DecodeError('half a pair')
    return Array.from({ length: bytes.length / 2 }, (_, i) =>
      Number(`0x${toHex(bytes.subarray(2 * i, 2 * i + 2))}`),
    )
  },
})
const whole = tagged<Whole>(
  'whole',
  record<Omit<Whole, 'kind'>>({
    small: uint(2),
    title: text(TITLE_MAX),
    when: counter(),
    long: hexBytes(48),
    parts: listOf(part, 3),
    colour: oneOf(COLOURS),
    amount: u64,
    maybe: nullable(part),
    isOpen: flag,
    pairs,
    blob: bytesUpTo(70),
  }),
)

const partOracle = new ContainerType({ name: new ByteListType(20), hash: new ByteVectorType(32) })
const oracle = new ContainerType({
  small: new UintNumberType(2),
  title: new ByteListType(TITLE_MAX),
  when: new UintNumberType(8),
  long: new ByteVectorType(48),
  parts: new ListCompositeType(partOracle, 3),
  colour: new UintNumberType(1),
  amount: new UintBigintType(8),
  maybe: new ListCompositeType(partOracle, 1),
  isOpen: new UintNumberType(1),
  pairs: new ByteListType(40),
  blob: new ByteListType(70),
})
type Raw = ReturnType<typeof oracle.defaultValue>

const rawPart = ({ name, hash }: Part) => ({ name: utf8ToBytes(name), hash: Buffer.from(hash, 'hex') })
const rawOf = (value: Whole): Raw => ({
  small: value.small,
  title: utf8ToBytes(value.title),
  when: value.when,
  long: Buffer.from(value.long, 'hex'),
  parts: value.parts.map(rawPart),
  colour: COLOURS.indexOf(value.colour),
  amount: value.amount,
  maybe: value.maybe === null ? [] : [rawPart(value.maybe)],
  isOpen: value.isOpen ? 1 : 0,
  pairs: Buffer.concat(value.pairs.map((number) => Buffer.from([number >> 8, number & 0xff]))),
  blob: value.blob,
})

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const partFrom = ({ name, hash }: { name: Uint8Array; hash: Uint8Array }): Part => ({
  name: utf8.decode(name),
  hash: toHex(hash),
})

/** What the library reads, with the rules of ours on top. @throws for what is malformed */
function readByOracle(bytes: Uint8Array): Whole {
  const raw = oracle.deserialize(bytes)
  const colour = COLOURS[raw.colour]
  const isBeyond = raw.when > COUNTER_MAX || raw.isOpen > 1 || raw.pairs.length % 2 !== 0
  if (colour === undefined || isBeyond) throw new Error('beyond what there is')
  return {
    kind: 'whole',
    small: raw.small,
    title: utf8.decode(raw.title),
    when: raw.when,
    long: toHex(raw.long),
    parts: raw.parts.map(partFrom),
    colour,
    amount: raw.amount,
    maybe: raw.maybe[0] === undefined ? null : partFrom(raw.maybe[0]),
    isOpen: raw.isOpen === 1,
    pairs: Array.from({ length: raw.pairs.length / 2 }, (_, i) => Buffer.from(raw.pairs).readUInt16BE(2 * i)),
    blob: raw.blob,
  }
}

const hex = (length: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map(toHex)
const words = (bytesMax: number): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.string({ maxLength: bytesMax }),
      fc.string({ unit: 'binary', maxLength: bytesMax }),
      fc.string({ minLength: bytesMax, maxLength: bytesMax }),
    )
    .filter((value) => utf8ToBytes(value).length <= bytesMax)
const parts = fc.record({ name: words(20), hash: hex(32) })
const values: fc.Arbitrary<Whole> = fc.record({
  kind: fc.constant('whole' as const),
  small: fc.nat(0xffff),
  title: words(TITLE_MAX),
  when: fc.oneof(fc.nat(), fc.constantFrom(0, 256, 2 ** 32, COUNTER_MAX)),
  long: hex(48),
  parts: fc.array(parts, { maxLength: 3 }),
  colour: fc.constantFrom(...COLOURS),
  amount: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  maybe: fc.option(parts),
  isOpen: fc.boolean(),
  pairs: fc.array(fc.nat(0xffff), { maxLength: 20 }),
  blob: fc.uint8Array({ maxLength: 70 }),
})

describe('a record of our own values', () => {
  it('has the bytes and the root of the library, and reads back', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(whole, value)
        expect(bytes).toEqual(oracle.serialize(rawOf(value)))
        expect(hashTreeRoot(whole, value)).toEqual(oracle.hashTreeRoot(rawOf(value)))
        const read = decode(whole, bytes, 1_000)
        expect(read).toEqual({ ok: true, value })
        expect(read.ok && Object.keys(read.value)).toEqual(Object.keys(value))
      }),
    )
  })

  it('is refused exactly when the library, or a rule on a value, refuses it', () => {
    const changes = fc.array(fc.record({ at: fc.nat(), to: fc.nat(255) }), { maxLength: 3 })
    let refused = 0
    let accepted = 0
    fc.assert(
      fc.property(values, changes, fc.integer({ min: -3, max: 3 }), (value, changed, longer) => {
        const own = encode(whole, value)
        const bytes = new Uint8Array(Math.max(0, own.length + longer))
        bytes.set(own.subarray(0, bytes.length))
        // The offsets are in front: that is where most is to be got wrong.
        for (const { at, to } of changed) bytes[at % (at % 2 === 0 ? 90 : bytes.length)] = to
        const read = decode(whole, bytes, 1_000)
        let expected: Whole | null = null
        try {
          expected = readByOracle(bytes)
        } catch {
          expected = null
        }
        expect(read.ok ? read.value : null).toEqual(expected)
        if (read.ok) {
          accepted++
          expect(encode(whole, read.value)).toEqual(bytes)
        } else refused++
      }),
      { numRuns: 3_000 },
    )
    expect(Math.min(refused, accepted)).toBeGreaterThan(100)
  })

  it("says what is wrong in the library's words, or in ours", () => {
    const value: Whole = {
      kind: 'whole',
      small: 1,
      title: 'abc',
      when: 2,
      long: 'ab'.repeat(48),
      parts: [],
      colour: 'blue',
      amount: 3n,
      maybe: null,
      isOpen: true,
      pairs: [0x1234],
      blob: new Uint8Array(2),
    }
    const detail = (change: (bytes: Uint8Array) => Uint8Array): string => {
      const read = decode(whole, change(encode(whole, value)), 1_000)
      return read.ok ? 'read' : read.detail
    }
    const fixedEnd = 2 + 4 + 8 + 48 + 4 + 1 + 8 + 4 + 1 + 4 + 4
    const set = (at: number, to: number) => (bytes: Uint8Array) => {
      bytes[at] = to
      return bytes
    }
    expect(detail(set(2, fixedEnd + 1))).toBe(
      `First offset must equal to fixedEnd ${fixedEnd + 1} != ${fixedEnd}`,
    )
    expect(detail(set(62, 200))).toBe(`Offset out of bounds 200 > ${fixedEnd + 7}`)
    expect(detail(set(62, fixedEnd - 1))).toBe(`Offsets must be increasing ${fixedEnd - 1} < ${fixedEnd}`)
    expect(detail((bytes) => new Uint8Array([...bytes, ...new Uint8Array(80)]))).toBe(
      'ByteList invalid size 82 limit 70',
    )
    expect(detail(set(66, 3))).toBe('variant 3 of 3')
    expect(detail(set(79, 2))).toBe('a flag is 0 or 1, not 2')
    expect(detail(set(84, fixedEnd + 4))).toBe('half a pair')
    expect(detail(set(fixedEnd, 0xff))).toBe('text is not valid UTF-8')
    expect(detail(set(13, 1))).toBe(`counter ${2 ** 56 + 2} is above ${COUNTER_MAX}`)
  })

  it('copies byte strings, unless views are asked for', () => {
    const bytes = encode(bytesRecord, { bytes: Uint8Array.of(1, 2, 3) })
    const copied = decode(bytesRecord, bytes, 100)
    const viewed = decode(bytesRecord, bytes, 100, true)
    bytes.fill(9)
    expect(copied).toEqual({ ok: true, value: { bytes: Uint8Array.of(1, 2, 3) } })
    expect(viewed).toEqual({ ok: true, value: { bytes: Uint8Array.of(9, 9, 9) } })
  })
})

const bytesRecord = record<{ bytes: Uint8Array }>({ bytes: bytesUpTo(3) })
