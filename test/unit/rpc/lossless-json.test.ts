/** Numbers, at the edges between those that are read digit by digit, those that are exact, and those that are none. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8ToBytes } from '../../../src/codec/utf8.ts'
import { JsonFloat, parseJson } from '../../../src/rpc/lossless-json.ts'

const parsed = (text: string) => parseJson(utf8ToBytes(text))

describe('a number', () => {
  it.each([
    ['0', 0],
    ['7', 7],
    ['10', 10],
    ['255', 255],
    ['-1', -1],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', 1_000_000_000_000_000],
    ['9007199254740991', 2 ** 53 - 1],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['18446744073709551615', 2n ** 64n - 1n],
  ])('%s is that integer', (text, value) => {
    expect(parsed(text)).toEqual({ ok: true, value })
    expect(parsed(`[${text},${text} ]`)).toEqual({ ok: true, value: [value, value] })
  })

  it.each(['-0', '0.0', '10.5', '1e3', '1E3', '12e-1', '123456789012345678901234'])(
    '%s keeps its spelling',
    (text) => {
      expect(parsed(text)).toEqual({ ok: true, value: new JsonFloat(text) })
    },
  )

  it.each([
    ['00', 'expected the end of the document at character 1, got "0"'],
    ['01', 'expected the end of the document at character 1, got "1"'],
    ['007', 'expected the end of the document at character 1, got "0"'],
    ['1.', 'expected the end of the document at character 1, got "."'],
    ['12e', 'expected the end of the document at character 2, got "e"'],
    ['1a', 'expected the end of the document at character 1, got "a"'],
    ['+1', 'expected a value at character 0, got "+"'],
    ['-', 'expected a value at character 0, got "-"'],
    ['.5', 'expected a value at character 0, got "."'],
    ['1e999', 'number out of range'],
  ])('%s is none', (text, detail) => {
    expect(parsed(text)).toEqual({ ok: false, code: 'malformed', detail })
  })

  it('is the integer that JSON.parse reads, while that is exact', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const text = JSON.stringify(value)
        expect(parsed(text)).toEqual({ ok: true, value: text === '-0' ? new JsonFloat(text) : value })
      }),
    )
  })
})
