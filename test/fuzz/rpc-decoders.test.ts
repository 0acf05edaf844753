/** Whatever bytes come, the decoders answer with a value or a refusal; and what they take, they write back. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeTransaction, hashTransaction } from '../../src/codec/transaction.ts'
import { handleEnvelope } from '../../src/rpc/call-handler.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import {
  decodeEnvelopeRequest,
  decodeEnvelopeResponse,
  encodeEnvelopeRequest,
  encodeEnvelopeResponse,
} from '../../src/rpc/envelope.ts'
import { readJson, type Shape } from '../../src/rpc/json-shape.ts'
import { type JsonValue, parseJson } from '../../src/rpc/lossless-json.ts'
import {
  certificateValidationRequest,
  fourProofValidationRequest,
} from '../../src/rpc/trustchain-json-request.ts'
import { validationAnswer } from '../../src/rpc/trustchain-json-response.ts'
import type { Transaction } from '../../src/types/transaction.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork } from '../support/fake-network.ts'
import { vector } from '../support/requests.ts'

const RUNS = { numRuns: 400 }

/** Pieces that JSON is made of, and some that it is not. */
const PIECES = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', 'null', 'true', '-0', '1e400', '1.5', '18446744073709551616'],
  ...['\\ud800', '\u0000', '\uFEFF', '"nonce":', '{"secs":1}', '[1,2]', '-1', '99999999999999999999999', ' '],
]

/** A document with some places overwritten, cut out or doubled. */
function mutated(document: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(document.length),
    length: fc.nat(40),
    text: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 }), fc.constant('')),
  })
  return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
    let text = document
    for (const { at, length, text: piece } of edits)
      text = text.slice(0, at) + piece + text.slice(at + length)
    return text
  })
}

function plain(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Map) {
    const entries: [string, JsonValue][] = [...value]
    return Object.fromEntries(entries.map(([key, entry]) => [key, plain(entry)]))
  }
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'object' && value !== null && 'source' in value ? value.value : value
}

describe('the JSON parser', () => {
  it('agrees with JSON.parse on every document that has no key twice', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const parsed = parseJson(Buffer.from(json))
        // JSON.stringify keeps keys apart, but a lone surrogate in the source is not UTF-8 and becomes U+FFFD.
        const same = Buffer.from(json).toString() === json
        if (parsed.ok && same)
          expect(JSON.stringify(plain(parsed.value))).toBe(JSON.stringify(JSON.parse(json)))
        else expect(parsed.ok ? '' : parsed.detail).not.toMatch(/^expected/)
      }),
      RUNS,
    )
  })

  it('takes nothing that JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        if (parseJson(Buffer.from(text)).ok) JSON.parse(text)
      }),
      RUNS,
    )
  })

  it('only ever refuses, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), (bytes) => {
        expect(typeof parseJson(bytes).ok).toBe('boolean')
      }),
      RUNS,
    )
  })
})

describe.each([
  ['certreq_json', certificateValidationRequest as Shape<unknown>],
  ['fpreq_json', fourProofValidationRequest as Shape<unknown>],
  ['valid_json', validationAnswer as Shape<unknown>],
] as const)('a mutated %s', (name, shape) => {
  it('is refused in words, or read and written back to the same value', () => {
    fc.assert(
      fc.property(mutated(vector(name)), (json) => {
        const read = readJson(shape, Buffer.from(json))
        if (!read.ok) {
          expect(read.detail).not.toBe('')
          return
        }
        expect(readJson(shape, Buffer.from(shape.write(read.value)))).toEqual(read)
      }),
      RUNS,
    )
  })
})

describe('what is read from JSON', () => {
  it.each([
    ['validate-certificate', 'certreq_json'],
    ['validate-proofs', 'fpreq_json'],
  ] as const)('as %s has canonical bytes that decode to it', (kind, name) => {
    const shape: Shape<unknown> =
      kind === 'validate-certificate'
        ? (certificateValidationRequest as Shape<unknown>)
        : (fourProofValidationRequest as Shape<unknown>)
    fc.assert(
      fc.property(mutated(vector(name)), (json) => {
        const read = readJson(shape, Buffer.from(json))
        if (!read.ok) return
        const hashed = hashTransaction({ kind, request: read.value } as Transaction)
        expect(decodeTransaction(hashed.bytes)).toEqual({ ok: true, value: hashed })
      }),
      RUNS,
    )
  })
})

describe('the envelope', () => {
  const metadata = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
    maxLength: 5,
  })
  const payload = fc.uint8Array({ maxLength: 200 })
  const text = fc.string({ unit: 'grapheme', maxLength: 40 })

  it('keeps what was put into it', () => {
    fc.assert(
      fc.property(fc.record({ id: text, service: text, method: text, payload, metadata }), (request) => {
        const read = decodeEnvelopeRequest(encodeEnvelopeRequest(request))
        expect(read).toEqual({ ok: true, value: request })
      }),
      RUNS,
    )
    const error = fc.option(text)
    fc.assert(
      fc.property(
        fc.record({ requestId: text, success: fc.boolean(), payload, error, metadata }),
        (response) => {
          const read = decodeEnvelopeResponse(encodeEnvelopeResponse(response))
          expect(read).toEqual({ ok: true, value: response })
        },
      ),
      RUNS,
    )
  })

  it('mutated is answered, never thrown at', async () => {
    const network = new FakeNetwork()
    network.answersAtOnce = true
    const faults: object[] = []
    const logger = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (fields: object) => faults.push(fields),
    }
    const service = new ValidationService({ ...network, clock: new FakeClock(), nodeName: 'n', version: '1' })
    const rate = { perSecond: 1e9, burst: 1e9 }
    const limiter = new ClientLimiter(() => 0, { remote: rate, loopback: rate, clientsMax: 1 })
    const golden = encodeEnvelopeRequest({
      id: 'id-1',
      service: 'hypermesh',
      method: 'consensus/validate_proofs',
      payload: Buffer.from(vector('fpreq_json')),
      metadata: [],
    })
    const edits = fc.array(fc.tuple(fc.nat(golden.length - 1), fc.nat(255)), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(edits, fc.nat(golden.length), async (changes, cut) => {
        const bytes = Uint8Array.from(golden)
        for (const [at, value] of changes) bytes[at] = value
        const sent = changes.length % 2 === 0 ? bytes : bytes.subarray(0, cut)
        const answer = await handleEnvelope(sent, { service, limiter, logger }, 'fuzz')
        expect(decodeEnvelopeResponse(answer).ok).toBe(true)
      }),
      RUNS,
    )
    expect(faults).toEqual([])
  })
})
