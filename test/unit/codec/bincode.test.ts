/** bincode 1.3 by its edges: every width, every bound, and serde's carrying of nanoseconds. */
import { describe, expect, it } from 'vitest'
import { type BincodeReader, BincodeWriter, readBincode } from '../../../src/codec/bincode.ts'
import { fromHex, toHex } from '../../../src/codec/hex.ts'

const hexOf = (write: (writer: BincodeWriter) => unknown): string => {
  const writer = new BincodeWriter()
  write(writer)
  return toHex(writer.finish())
}

describe('the writer', () => {
  it.each<[string, (writer: BincodeWriter) => unknown, string]>([
    ['u8', (w) => w.u8(255), 'ff'],
    ['u32', (w) => w.u32(0x01020304), '04030201'],
    ['the largest u32', (w) => w.u32(2 ** 32 - 1), 'ffffffff'],
    ['u64', (w) => w.u64(0x0102030405060708n), '0807060504030201'],
    ['the largest u64', (w) => w.u64(2n ** 64n - 1n), 'ffffffffffffffff'],
    ['f64', (w) => w.f64(0.95), '666666666666ee3f'],
    ['bool', (w) => w.bool(true).bool(false), '0100'],
    ['text', (w) => w.text('é'), '0200000000000000c3a9'],
    ['bytes', (w) => w.bytes(Uint8Array.of(1, 2)), '02000000000000000102'],
    ['raw bytes', (w) => w.raw(Uint8Array.of(1, 2)), '0102'],
    ['list', (w) => w.list([1, 2], (x, n) => x.u8(n)), '02000000000000000102'],
    ['none', (w) => w.option<number>(null, (x, n) => x.u8(n)), '00'],
    ['some', (w) => w.option(7, (x, n) => x.u8(n)), '0107'],
    ['a time', (w) => w.secondsNanos({ secs: 1n, nanos: 999_999_999 }), '0100000000000000ffc99a3b'],
    [
      'a time that carries',
      (w) => w.secondsNanos({ secs: 1n, nanos: 4_000_000_001 }),
      '050000000000000001000000',
    ],
    [
      'a time that cannot carry',
      (w) => w.secondsNanos({ secs: 2n ** 64n - 1n, nanos: 1_000_000_000 }),
      'ffffffffffffffff00ca9a3b',
    ],
  ])('writes %s', (_, write, hex) => {
    expect(hexOf(write)).toBe(hex)
  })

  it('grows as it must', () => {
    const large = new Uint8Array(100_000).fill(7)
    const bytes = new BincodeWriter().u8(1).bytes(large).u8(2).finish()
    expect(bytes.length).toBe(100_010)
    expect([bytes[0], bytes[9], bytes.at(-2), bytes.at(-1)]).toEqual([1, 7, 7, 2])
  })
})

describe('the reader', () => {
  it.each<[string, (reader: BincodeReader) => unknown, string, unknown]>([
    ['u8', (r) => r.u8(), 'ff', 255],
    ['u32', (r) => r.u32(), '04030201', 0x01020304],
    ['u64', (r) => r.u64(), 'ffffffffffffffff', 2n ** 64n - 1n],
    ['f64', (r) => r.f64(), '666666666666ee3f', 0.95],
    ['text', (r) => r.text(2), '0200000000000000c3a9', 'é'],
    ['a byte order mark', (r) => r.text(3), '0300000000000000efbbbf', '\ufeff'],
    ['option', (r) => r.option((x) => x.u8()), '0107', 7],
    ['an empty list', (r) => r.list(0, 1, (x) => x.u8()), '0000000000000000', []],
    ['trailing bytes, by leaving them', (r) => [r.u8(), r.remaining], '010203', [1, 2]],
  ])('reads %s', (_, read, hex, value) => {
    expect(readBincode(fromHex(hex), read)).toEqual({ ok: true, value })
  })

  it.each<[string, (reader: BincodeReader) => unknown, string]>([
    ['u64 needs 8 bytes at offset 0, 3 are left', (r) => r.u64(), '010203'],
    ['a bool is 0 or 1, not 2', (r) => r.bool(), '02'],
    ['a bool is 0 or 1, not 255', (r) => r.option((x) => x.u8()), 'ff07'],
    ['byte string is 3 long, the limit is 2', (r) => r.bytes(9), '03000000000000000102'],
    ['byte string is 2 long, the limit is 1', (r) => r.bytes(1), '02000000000000000102'],
    ['byte string is 18446744073709551615 long, the limit is 0', (r) => r.bytes(9), 'ffffffffffffffff'],
    [
      'sequence is 9007199254740993 long, the limit is 1',
      (r) => r.list(1e9, 1, (x) => x.u8()),
      '010000000000200007',
    ],
    ['sequence is 3 long, the limit is 2', (r) => r.list(9, 2, (x) => x.u8()), '030000000000000001020304'],
    ['a string is not valid UTF-8', (r) => r.text(9), '0100000000000000ff'],
    ['a string is not valid UTF-8', (r) => r.text(9), '0300000000000000eda080'],
    ['byte array needs 4 bytes at offset 0, 1 are left', (r) => r.raw(4), '00'],
  ])('refuses: %s', (detail, read, hex) => {
    expect(readBincode(fromHex(hex), read)).toEqual({ ok: false, code: 'malformed', detail })
  })

  it('reads from the middle of a buffer', () => {
    const whole = fromHex('ffff0200000000000000c3a9ffff')
    expect(readBincode(whole.subarray(2, 12), (r) => [r.text(9), r.remaining])).toEqual({
      ok: true,
      value: ['é', 0],
    })
  })

  it('does not swallow what is not about the bytes', () => {
    expect(() =>
      readBincode(new Uint8Array(0), () => {
        throw new TypeError('ours')
      }),
    ).toThrow('ours')
  })
})
