/** Whatever bytes or text somebody shows for a receipt or a checkpoint: read in its one form or refused, never thrown, never believed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkpointJson, parseCheckpointJson } from '../../src/codec/checkpoint-json.ts'
import { decodeReceipt, encodeReceipt } from '../../src/codec/receipt.ts'
import { parseReceiptJson, receiptJson } from '../../src/codec/receipt-json.ts'
import { verifyReceipt } from '../../src/ledger/receipt/verify-receipt.ts'
import { fromBlock, fromSet, receiptOf, TRUST, verifySignature } from '../support/receipt-fixture.ts'
import { receipt } from './arbitraries.ts'

const TRUE = receiptOf({ isChanged: true })
const BYTES = encodeReceipt(TRUE)
const TEXT = receiptJson(TRUE)
const TRUSTS = [TRUST, fromBlock(TRUE).trust, fromSet(TRUE).trust]

describe('a receipt of any content', () => {
  it('is the same after a way through bytes and through text, and holds for nobody', () => {
    fc.assert(
      fc.property(receipt, (value) => {
        const bytes = encodeReceipt(value)
        const text = receiptJson(value)
        const read = decodeReceipt(bytes)
        const parsed = parseReceiptJson(text)
        expect(read).toEqual({ ok: true, value })
        expect(parsed).toEqual({ ok: true, value })
        if (read.ok) expect(receiptJson(read.value)).toBe(text)
        if (parsed.ok) expect(encodeReceipt(parsed.value)).toEqual(bytes)
        for (const trust of TRUSTS) expect(verifyReceipt(value, trust, verifySignature).ok).toBe(false)
      }),
      { numRuns: 60, seed: 3 },
    )
  })
})

describe('bytes of any kind', () => {
  it('are read in their one form or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 900 }), (bytes) => {
        const read = decodeReceipt(bytes)
        if (read.ok) expect(encodeReceipt(read.value)).toEqual(bytes)
      }),
      { numRuns: 3_000, seed: 1 },
    )
  })

  it('cut, repeated or overwritten in a true one are refused', () => {
    const span = fc.tuple(fc.nat(BYTES.length), fc.nat(80), fc.uint8Array({ maxLength: 80 }))
    fc.assert(
      fc.property(span, ([at, cut, put]) => {
        const changed = Uint8Array.from([...BYTES.subarray(0, at), ...put, ...BYTES.subarray(at + cut)])
        fc.pre(Buffer.compare(changed, BYTES) !== 0)
        const read = decodeReceipt(changed)
        if (!read.ok) return
        expect(encodeReceipt(read.value)).toEqual(changed)
        expect(verifyReceipt(read.value, TRUST, verifySignature).ok).toBe(false)
      }),
      { numRuns: 400, seed: 2 },
    )
  })
})

describe('text of any kind', () => {
  it.each([
    ['a receipt', parseReceiptJson],
    ['a checkpoint', parseCheckpointJson],
  ] as const)('as %s is refused', (_, parse) => {
    const anything = fc.oneof(fc.string({ maxLength: 300 }), fc.json())
    fc.assert(
      fc.property(anything, (text) => {
        expect(parse(text)).toMatchObject({ ok: false, code: 'malformed' })
      }),
      { numRuns: 2_000, seed: 4 },
    )
  })

  it('spliced into a true one is refused', () => {
    const span = fc.tuple(fc.nat(TEXT.length), fc.nat(60), fc.string({ maxLength: 60 }))
    fc.assert(
      fc.property(span, ([at, cut, put]) => {
        const changed = TEXT.slice(0, at) + put + TEXT.slice(at + cut)
        fc.pre(changed !== TEXT)
        const read = parseReceiptJson(changed)
        if (!read.ok) return
        expect(receiptJson(read.value)).toBe(changed)
        expect(verifyReceipt(read.value, TRUST, verifySignature).ok).toBe(false)
      }),
      { numRuns: 400, seed: 5 },
    )
  })

  it.each([
    ['a field twice', TEXT.replace('"startEpoch": 0,', '"startEpoch": 0,\n  "startEpoch": 0,')],
    ['fields in another order', TEXT.replace(/( {2}"startEpoch": 0,\n)( {2}"startBlock": null,\n)/, '$2$1')],
    ['a number with a fraction', TEXT.replace('"startEpoch": 0,', '"startEpoch": 0.0,')],
    ['a number with an exponent', TEXT.replace('"listSize": 5,', '"listSize": 5e0,')],
    ['a negative zero', TEXT.replace('"startEpoch": 0,', '"startEpoch": -0,')],
    ['an escape', TEXT.replace('"format"', '"\\u0066ormat"')],
    ['white space at the end', `${TEXT}\n`],
    ['no line feed at the end', TEXT.slice(0, -1)],
    ['a byte order mark', `\ufeff${TEXT}`],
    ['carriage returns', TEXT.replaceAll('\n', '\r\n')],
    ['__proto__', TEXT.replace('"startEpoch": 0,', '"startEpoch": 0,\n  "__proto__": {},')],
    ['a million brackets', '['.repeat(1_000_000)],
    ['more than a receipt may have', ' '.repeat(10_000_000)],
  ])('with %s is refused', (_, text) => {
    expect(text).not.toBe(TEXT)
    expect(parseReceiptJson(text)).toMatchObject({ ok: false, code: 'malformed' })
  })

  it('of a checkpoint is its one form', () => {
    const { trust } = fromSet(TRUE)
    if (trust.kind !== 'validator-set') throw new Error('no set')
    const text = checkpointJson(trust)
    expect(parseCheckpointJson(text)).toEqual({ ok: true, value: trust })
    expect(parseCheckpointJson(checkpointJson({ ...trust, validators: [] }))).toMatchObject({ ok: false })
    expect(parseCheckpointJson(text.replace('"epoch": 1', '"epoch": 1.0'))).toMatchObject({ ok: false })
  })
})
