/**
 * Every decoder against every input: what was encoded decodes to itself, whatever decodes re-encodes to the same
 * bytes (nothing has two encodings), and nothing but a value or a refusal ever comes back.
 */
import fc, { type Arbitrary } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BincodeWriter, readBincode } from '../../src/codec/bincode.ts'
import { decodeBlock, hashBlock } from '../../src/codec/block.ts'
import { decodeQuorumCertificate, encodeQuorumCertificate } from '../../src/codec/certificates.ts'
import {
  decodeStateAccumulators,
  decodeVerdictRow,
  encodeStateAccumulators,
  encodeVerdictRow,
} from '../../src/codec/ledger-state.ts'
import { decodeMessage, encodeMessage } from '../../src/codec/messages.ts'
import { decodeOperator, encodeOperator } from '../../src/codec/operator.ts'
import {
  decodeAccount,
  decodeStakingState,
  encodeAccount,
  encodeStakingState,
} from '../../src/codec/staking.ts'
import { decodeTransaction, encodeTransaction } from '../../src/codec/transaction.ts'
import { decodeFailures, decodeVerdict, encodeFailures, encodeVerdict } from '../../src/codec/verdict.ts'
import {
  decodeBatch,
  decodeBatchProgress,
  decodeElectors,
  decodeOpenRequests,
  decodeTrust,
  encodeBatch,
  encodeBatchProgress,
  encodeElectors,
  encodeOpenRequests,
  encodeTrust,
} from '../../src/codec/voting.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { Result } from '../../src/types/errors.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import * as arbitrary from './arbitraries.ts'
import * as voting from './ballot-arbitraries.ts'

interface Codec {
  readonly values: Arbitrary<unknown>
  readonly encode: (value: never) => Uint8Array
  readonly decode: (bytes: Uint8Array) => Result<unknown>
}

const codecs: Record<string, Codec> = {
  transactions: {
    values: arbitrary.hashedTransaction,
    encode: (value: HashedTransaction) => encodeTransaction(value.transaction),
    decode: decodeTransaction,
  },
  blocks: {
    values: arbitrary.block,
    encode: ({ header, transactions }: HashedBlock) => hashBlock({ header, transactions }).bytes,
    decode: decodeBlock,
  },
  'quorum certificates': {
    values: arbitrary.quorumCertificate,
    encode: encodeQuorumCertificate,
    decode: decodeQuorumCertificate,
  },
  messages: { values: arbitrary.message, encode: encodeMessage, decode: decodeMessage },
  'proposals with votes beside the block': {
    values: arbitrary.proposalWithVotes,
    encode: encodeMessage,
    decode: decodeMessage,
  },
  accounts: { values: arbitrary.account, encode: encodeAccount, decode: decodeAccount },
  operators: { values: arbitrary.operator, encode: encodeOperator, decode: decodeOperator },
  'staking states': {
    values: arbitrary.stakingState,
    encode: encodeStakingState,
    decode: decodeStakingState,
  },
  verdicts: { values: arbitrary.verdict, encode: encodeVerdict, decode: decodeVerdict },
  accumulators: {
    values: arbitrary.accumulators,
    encode: encodeStateAccumulators,
    decode: decodeStateAccumulators,
  },
  'verdict rows': { values: arbitrary.verdictRow, encode: encodeVerdictRow, decode: decodeVerdictRow },
  failures: { values: arbitrary.failures, encode: encodeFailures, decode: decodeFailures },
  batches: { values: voting.batch, encode: encodeBatch, decode: decodeBatch },
  'batches without requests': {
    values: voting.batch.map(({ requests: _, ...progress }) => progress),
    encode: encodeBatchProgress,
    decode: decodeBatchProgress,
  },
  'open requests': {
    values: voting.batch.map(({ requests }) => requests),
    encode: encodeOpenRequests,
    decode: decodeOpenRequests,
  },
  electors: { values: voting.electors, encode: encodeElectors, decode: decodeElectors },
  trust: { values: voting.trust, encode: encodeTrust, decode: decodeTrust },
}

/** Small hurts to valid bytes: the decoder gets past the first check before it meets them. */
const hurt: Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, value]) => (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes)
    if (copy.length > 0) copy[at % copy.length] = value
    return copy
  }),
  fc.tuple(fc.nat(), fc.nat(7)).map(([at, bit]) => (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes)
    if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ (1 << bit)
    return copy
  }),
  fc.nat().map((at) => (bytes: Uint8Array) => bytes.slice(0, at % (bytes.length + 1))),
  fc
    .uint8Array({ minLength: 1, maxLength: 9 })
    .map((tail) => (bytes: Uint8Array) => Uint8Array.from([...bytes, ...tail])),
  fc.tuple(fc.nat(), fc.nat(), fc.nat(64)).map(([to, from, count]) => (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes)
    if (copy.length > 0) copy.copyWithin(to % copy.length, from % copy.length, (from % copy.length) + count)
    return copy
  }),
)

describe.each(Object.entries(codecs))('the codec of %s', (_, { values, encode, decode }) => {
  const expectOneEncoding = (bytes: Uint8Array): void => {
    const decoded = decode(bytes)
    if (decoded.ok) expect(encode(decoded.value as never)).toEqual(bytes)
    else expect(decoded).toEqual({ ok: false, code: 'malformed', detail: expect.any(String) })
  }

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value as never))).toEqual({ ok: true, value })
      }),
      { numRuns: 60 },
    )
  })

  it('reads hurt bytes as another value or not at all', () => {
    fc.assert(
      fc.property(values, fc.array(hurt, { minLength: 1, maxLength: 3 }), (value, hurts) => {
        expectOneEncoding(hurts.reduce((bytes, inflict) => inflict(bytes), encode(value as never)))
      }),
      { numRuns: 250 },
    )
  })

  it('reads noise as a value or not at all', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 700 }), expectOneEncoding), { numRuns: 150 })
  })

  it('looks at nothing beyond its bound', () => {
    const endless = new Uint8Array(64 * 1024 * 1024)
    expect(decode(endless)).toMatchObject({ ok: false, code: 'malformed' })
  })
})

describe('the bincode reader', () => {
  it('gives a value or a refusal for any bytes, and never more than there is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const read = readBincode(bytes, (reader) => {
          const texts = reader.list(100, 8, (r) => r.text(50))
          return {
            texts,
            option: reader.option((r) => r.u64()),
            tail: reader.bytes(10),
            left: reader.remaining,
          }
        })
        if (!read.ok) {
          expect(read.code).toBe('malformed')
          return
        }
        const { texts, option, tail, left } = read.value
        const written = new BincodeWriter()
          .list(texts, (writer, text) => writer.text(text))
          .option(option, (writer, value) => writer.u64(value))
          .bytes(tail)
          .finish()
        expect(written).toEqual(bytes.slice(0, bytes.length - left))
      }),
      { numRuns: 500 },
    )
  })
})
