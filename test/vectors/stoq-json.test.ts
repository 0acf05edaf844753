/** The golden vectors of the Rust client: every JSON and envelope is read and written back byte for byte. */
import { describe, expect, it } from 'vitest'
import {
  decodeEnvelopeRequest,
  decodeEnvelopeResponse,
  encodeEnvelopeRequest,
  encodeEnvelopeResponse,
} from '../../src/rpc/envelope.ts'
import { readJson, type Shape } from '../../src/rpc/json-shape.ts'
import {
  certificateValidationRequest,
  fourProofValidationRequest,
  statusRequest,
} from '../../src/rpc/trustchain-json-request.ts'
import { validationAnswer } from '../../src/rpc/trustchain-json-response.ts'
import type { AnswerStatus } from '../../src/validation/answer.ts'
import { VECTORS, vector } from '../support/requests.ts'

const erase = <T>(shape: Shape<T>): Shape<unknown> => shape as Shape<unknown>

describe('JSON of the Rust client', () => {
  it.each([
    ['certreq_json', erase(certificateValidationRequest)],
    ['fpreq_json', erase(fourProofValidationRequest)],
    ['status_json', erase(statusRequest)],
    ['valid_json', erase(validationAnswer)],
    ['invalid_json', erase(validationAnswer)],
  ] as const)('%s is read and written back byte for byte', (name, shape) => {
    const read = readJson(shape, Buffer.from(vector(name)))
    expect(read.ok ? shape.write(read.value) : read.detail).toBe(vector(name))
  })

  it.each(['pending_json', 'error_json'])('the status of %s too', (name) => {
    const json = vector('valid_json').replace('"Valid"', vector(name))
    const read = readJson(validationAnswer, Buffer.from(json))
    expect(read.ok ? validationAnswer.write(read.value) : read.detail).toBe(json)
  })

  it('keeps every digit of a nonce beyond 2^53', () => {
    const read = readJson(certificateValidationRequest, Buffer.from(vector('certreq_json')))
    expect(read.ok && read.value.certificateRequest.consensusProof.timeProof.nonce).toBe(
      18446744073709551557n,
    )
  })

  it('means the same by the same status', () => {
    const read = readJson(validationAnswer, Buffer.from(vector('invalid_json')))
    const expected: AnswerStatus = { kind: 'invalid', failedProofs: ['stake_proof'], reason: 'r' }
    expect(read.ok && read.value.result).toEqual(expected)
  })
})

describe('envelopes of the Rust client', () => {
  it('a request is read and written back byte for byte', () => {
    const bytes = Buffer.from(vector('reqbin_hex'), 'hex')
    const read = decodeEnvelopeRequest(bytes)
    expect(read).toMatchObject({
      ok: true,
      value: { id: 'id-1', service: 'hypermesh', method: 'consensus/health', metadata: [] },
    })
    expect(read.ok && Buffer.from(read.value.payload).toString()).toBe('null')
    expect(read.ok && Buffer.from(encodeEnvelopeRequest(read.value)).toString('hex')).toBe(
      vector('reqbin_hex'),
    )
  })

  it.each(['respok_hex', 'resperr_hex'])('%s is read and written back byte for byte', (name) => {
    const read = decodeEnvelopeResponse(Buffer.from(vector(name), 'hex'))
    expect(read.ok && Buffer.from(encodeEnvelopeResponse(read.value)).toString('hex')).toBe(vector(name))
  })

  it('a whole certificate request has the length and hash that the real client sends', async () => {
    const bytes = encodeEnvelopeRequest({
      id: vector('certreq_envelope_id'),
      service: 'hypermesh',
      method: 'consensus/validate_certificate',
      payload: Buffer.from(vector('certreq_json')),
      metadata: [],
    })
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
    expect(bytes.length).toBe(VECTORS['certreq_envelope_len'])
    expect(digest.toString('hex')).toBe(vector('certreq_envelope_sha256'))
  })
})
