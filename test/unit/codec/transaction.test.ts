/** Transactions: what their hash and key tell apart, and what is refused. */
import { describe, expect, it } from 'vitest'
import { sha256TaggedHex } from '../../../src/codec/hashes.ts'
import { fromHex } from '../../../src/codec/hex.ts'
import { TEXT_BYTES_MAX, TRANSACTION_BYTES_MAX } from '../../../src/codec/limits.ts'
import {
  canonicalTransaction,
  decodeTransaction,
  encodeTransaction,
  hashTransaction,
} from '../../../src/codec/transaction.ts'
import { utf8ToBytes } from '../../../src/codec/utf8.ts'
import {
  at,
  certificateRequest,
  certificateTransaction,
  fourProofTransaction,
  timeProof,
} from '../ledger/fixtures.ts'

const base = certificateTransaction()
const withMetadata = (metadata: readonly (readonly [string, string])[]) =>
  certificateTransaction({
    top: { validationContext: { ...certificateRequest().validationContext, metadata } },
  })

describe('the identity of a transaction', () => {
  it('is that of its bytes', () => {
    const decoded = decodeTransaction(encodeTransaction(base.transaction))
    expect(decoded).toEqual({ ok: true, value: base })
    expect(base.hash).toBe(sha256TaggedHex('transaction', base.bytes))
    const { transaction } = base
    if (transaction.kind !== 'validate-certificate') throw new Error('kind')
    expect(base.requestKey).toBe(
      sha256TaggedHex('requestKey', utf8ToBytes(transaction.request.requestId), fromHex(base.hash)),
    )
  })

  it('differs in anything that was said', () => {
    const others = [
      certificateTransaction({ stake: { stakeAmount: 1_001n } }),
      certificateTransaction({ time: timeProof({ nonce: 1n }) }),
      certificateTransaction({ top: { requestId: 'other' } }),
      certificateTransaction({ top: { timestamp: at(1_760_000_000n, 200_000_002) } }),
      certificateTransaction({ certificate: { sanEntries: ['test.hypermesh', '.online'] } }),
      certificateTransaction({ certificate: { sanEntries: [] } }),
      withMetadata([['a', 'b']]),
      fourProofTransaction(),
    ]
    expect(new Set([base, ...others].map(({ hash }) => hash)).size).toBe(others.length + 1)
    expect(new Set([base, ...others].map(({ requestKey }) => requestKey)).size).toBe(others.length + 1)
  })
})

describe('a transaction is refused', () => {
  it.each([
    [
      'with metadata out of order',
      [
        ['b', '1'],
        ['a', '2'],
      ],
    ],
    [
      'with one metadata key twice',
      [
        ['a', '1'],
        ['a', '2'],
      ],
    ],
  ] as const)('%s', (_, metadata) => {
    expect(decodeTransaction(withMetadata(metadata).bytes)).toMatchObject({
      ok: false,
      detail: 'metadata keys out of order',
    })
  })

  it('with a tolerance that is not a number', () => {
    const requirements = certificateRequest().consensusRequirements
    const { bytes } = certificateTransaction({
      top: { consensusRequirements: { ...requirements, byzantineTolerance: Number.NaN } },
    })
    expect(decodeTransaction(bytes)).toMatchObject({ ok: false, detail: 'not a number' })
  })

  it('with an unknown kind, nothing at all, or more than its bound', () => {
    const unknown = Uint8Array.from(base.bytes)
    unknown[0] = 2
    expect(decodeTransaction(unknown).ok).toBe(false)
    unknown[0] = 229
    expect(decodeTransaction(unknown)).toMatchObject({ detail: 'no kind has the number 229' })
    expect(decodeTransaction(new Uint8Array(0)).ok).toBe(false)
    expect(decodeTransaction(new Uint8Array(TRANSACTION_BYTES_MAX + 1))).toMatchObject({
      detail: `${TRANSACTION_BYTES_MAX + 1} bytes, the limit is ${TRANSACTION_BYTES_MAX}`,
    })
  })

  it('cut short anywhere, with words about the bytes', () => {
    for (let length = 0; length < base.bytes.length; length++) {
      const read = decodeTransaction(base.bytes.slice(0, length))
      expect(read).toMatchObject({ ok: false, code: 'malformed' })
      expect(read.ok ? '' : read.detail, `${length} bytes`).not.toMatch(/undefined|DataView|deserialize/)
    }
  })

  it('with a text that is too long or not UTF-8', () => {
    const long = { ...certificateRequest(), requestId: 'x'.repeat(TEXT_BYTES_MAX + 1) }
    expect(decodeTransaction(hashTransaction({ kind: 'validate-certificate', request: long }).bytes).ok).toBe(
      false,
    )
    const marker = utf8ToBytes('test-workload')
    const broken = Uint8Array.from(base.bytes)
    const start = broken.findIndex((_, i) => marker.every((byte, j) => broken[i + j] === byte))
    broken[start] = 0xff
    expect(decodeTransaction(broken)).toMatchObject({ detail: 'text is not valid UTF-8' })
  })
})

describe('a transaction from a value', () => {
  const canonical = (requestId: string) =>
    canonicalTransaction({
      kind: 'validate-certificate',
      request: certificateRequest({ top: { requestId } }),
    })

  it('is what the others will read', () => {
    expect(canonical('x')).toEqual({ ok: true, value: certificateTransaction({ top: { requestId: 'x' } }) })
    expect(canonical('a\ud800b')).toEqual({
      ok: true,
      value: certificateTransaction({ top: { requestId: 'a\ufffdb' } }),
    })
  })

  it('is refused when they would refuse it', () => {
    expect(canonical('x'.repeat(TEXT_BYTES_MAX + 1))).toMatchObject({ ok: false, code: 'malformed' })
    expect(
      canonicalTransaction(
        withMetadata([
          ['b', ''],
          ['a', ''],
        ]).transaction,
      ).ok,
    ).toBe(false)
  })
})
