/** DNS names, IP addresses, and the words of reasons. */
import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8ToBytes } from '../../../../src/codec/utf8.ts'
import { dnsNameFault } from '../../../../src/ledger/four-proofs/dns-name.ts'
import { parseIpv4, parseIpv6 } from '../../../../src/ledger/four-proofs/ip-address.ts'
import { bounded, quoted, seconds } from '../../../../src/ledger/four-proofs/reason-text.ts'

describe('a DNS name', () => {
  it.each([
    'a',
    'localhost',
    'test.hypermesh.online',
    'placeholder.trustchain.local',
    'xn--bcher-kva.example',
    'A-1.B.c',
    '1a.2b.example',
    '4.3.2.1.in-addr.arpa',
    `${'a'.repeat(63)}.example`,
    '*.example.com',
    '*.localhost',
  ])('may be %s', (name) => {
    expect(dnsNameFault(name)).toBeNull()
  })

  it.each([
    ['', 'it is empty'],
    ['.', 'label 1 is empty'],
    ['a..b', 'label 2 is empty'],
    ['example.com.', 'label 3 is empty'],
    ['.com', 'label 1 is empty'],
    ['*', 'label 1 has a character other than letters, digits and hyphens'],
    ['*.', 'label 1 is empty'],
    ['*.*.com', 'label 1 has a character other than letters, digits and hyphens'],
    ['a.*.com', 'label 2 has a character other than letters, digits and hyphens'],
    ['a*.com', 'label 1 has a character other than letters, digits and hyphens'],
    ['a_b.com', 'label 1 has a character other than letters, digits and hyphens'],
    ['a b.com', 'label 1 has a character other than letters, digits and hyphens'],
    ['a\n.com', 'label 1 has a character other than letters, digits and hyphens'],
    ['bücher.example', 'label 1 has a character other than letters, digits and hyphens'],
    ['-a.com', 'label 1 begins or ends with a hyphen'],
    ['a-.com', 'label 1 begins or ends with a hyphen'],
    ['192.0.2.1', 'its last label is a number'],
    ['example.42', 'its last label is a number'],
    [`${'a'.repeat(64)}.com`, 'label 1 is 64 characters, the maximum is 63'],
    [`${'a.'.repeat(126)}bc`, 'it is 254 characters, the maximum is 253'],
    ['a.'.repeat(50_000), 'it is 100000 characters, the maximum is 253'],
  ])('is not %j', (name, fault) => {
    expect(dnsNameFault(name)).toBe(fault)
  })
})

describe('an IP address', () => {
  it.each([
    ['::', 0n],
    ['::1', 1n],
    ['1::', 1n << 112n],
    ['2001:db8::ff00:42:8329', 0x20010db8000000000000ff0000428329n],
    ['2001:DB8:0:0:0:FF00:42:8329', 0x20010db8000000000000ff0000428329n],
    ['::ffff:192.0.2.1', 0xffffc0000201n],
    ['0:0:0:0:0:ffff:192.0.2.1', 0xffffc0000201n],
    ['1:2:3:4:5:6:7::', 0x10002000300040005000600070000n],
    ['::2:3:4:5:6:7:8', 0x2000300040005000600070008n],
  ])('of version 6 may be %s', (text, bits) => {
    expect(parseIpv6(text)).toBe(bits)
  })

  it.each([
    '',
    ':',
    ':::',
    '1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    ' ::1',
    '::1 ',
    'fe80::1%eth0',
    '[::1]',
    '::1/128',
    '1:2:3:4:5:6:7:8::',
    '1:2:3:4::5:6:7:8',
    '::192.0.2',
    '::192.0.2.256',
    '192.0.2.1',
    '192.0.2.1::',
    '1.2.3.4:5:6:7:8:9:a',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '::01.2.3.4',
    `${'0:'.repeat(5_000)}1`,
  ])('of version 6 is not %j', (text) => {
    expect(parseIpv6(text)).toBeNull()
  })

  it.each([
    ['0.0.0.0', 0],
    ['192.0.2.1', 0xc0000201],
    ['255.255.255.255', 0xffffffff],
  ])('of version 4 may be %s', (text, bits) => {
    expect(parseIpv4(text)).toBe(bits)
  })

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '1.2.3.',
    '-1.2.3.4',
    '0x1.2.3.4',
    '1.2.3.1e1',
  ])('of version 4 is not %j', (text) => {
    expect(parseIpv4(text)).toBeNull()
  })

  it('is read as Node reads it', () => {
    const piece = fc.oneof(
      fc.constantFrom(':', '::', '.', '0', '1', 'ffff', '255', '256', '1.2.3.4', 'g', '00000'),
      fc.nat({ max: 65_535 }).map((n) => n.toString(16)),
    )
    const texts = fc.oneof(
      fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join('')),
      fc.array(piece, { minLength: 3, maxLength: 9 }).map((pieces) => pieces.join(':')),
      fc.ipV6(),
      fc.ipV4(),
      fc.string({ maxLength: 20 }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(!text.includes('%'))
        expect(parseIpv6(text) !== null).toBe(isIPv6(text))
        expect(parseIpv4(text) !== null).toBe(isIPv4(text))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('words', () => {
  it.each([
    [0n, '0 s'],
    [1n, '0.000000001 s'],
    [1_500_000_000n, '1.5 s'],
    [-61_000_000_000n, '-61 s'],
    [2n ** 64n * 1_000_000_000n, '18446744073709551616 s'],
  ])('tell %s ns as %s', (nanoseconds, text) => {
    expect(seconds(nanoseconds)).toBe(text)
  })

  it.each([
    ['plain', '"plain"'],
    ['', '""'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['\u0000\n\u007f', '"\\u{0}\\u{a}\\u{7f}"'],
    ['é😀\u202e', '"\\u{e9}\\u{1f600}\\u{202e}"'],
    ['\ud800', '"\\u{d800}"'],
    ['x'.repeat(64), `"${'x'.repeat(64)}"`],
    ['x'.repeat(65), `"${'x'.repeat(64)}…" (65 bytes)`],
  ])('quote %j as %s', (text, shown) => {
    expect(quoted(text)).toBe(shown)
  })

  it('are cut within 512 bytes, between characters, visibly', () => {
    expect(bounded('a'.repeat(512))).toBe('a'.repeat(512))
    expect(bounded('a'.repeat(513))).toBe(`${'a'.repeat(509)}…`)
    expect(bounded('😀'.repeat(200))).toBe(`${'😀'.repeat(127)}…`)
    expect(utf8ToBytes(bounded('é'.repeat(1_000))).length).toBeLessThanOrEqual(512)
  })
})
