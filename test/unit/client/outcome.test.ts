/** What a reply means, by what it says and how it was taken: the table of src/client/README.md. */
import { describe, expect, it } from 'vitest'
import type { CarrierReply } from '../../../src/client/carrier.ts'
import { httpCall, httpReply } from '../../../src/client/http-call.ts'
import { plainOutcome, validationOutcome } from '../../../src/client/outcome.ts'
import { healthAnswer } from '../../../src/rpc/trustchain-json-response.ts'
import type { AnswerErrorCode, AnswerStatus } from '../../../src/validation/answer.ts'
import { answerBytes } from '../../support/client/scripted-carrier.ts'

type Standing = CarrierReply['standing']
const reply = (standing: Standing, payload: Uint8Array): CarrierReply => ({
  standing,
  payload,
  note: 'as noted',
  retryAfterMs: 3_000,
})

/** Also codes that other servers have, or nodes to come. */
const error = (code: string): AnswerStatus => ({
  kind: 'error',
  errorCode: code as AnswerErrorCode,
  message: 'm',
})

const nameOf = (status: AnswerStatus): string => (status.kind === 'error' ? status.errorCode : status.kind)

describe('the reply to a request', () => {
  const cases: [Standing, AnswerStatus, kind: string][] = [
    ['success', { kind: 'valid' }, 'done'],
    ['success', { kind: 'invalid', failedProofs: [], reason: 'r' }, 'done'],
    ['lasting', { kind: 'valid' }, 'foreign'],
    ['try-again', { kind: 'invalid', failedProofs: [], reason: 'r' }, 'foreign'],
    ['success', { kind: 'pending', estimatedCompletion: { secs: 1n, nanos: 0 } }, 'under-way'],
    ['try-again', error('VALIDATION_TIMEOUT'), 'under-way'],
    ['lasting', error('REQUEST_NOT_FOUND'), 'unknown'],
    ['success', error('REQUEST_NOT_FOUND'), 'unknown'],
    ['lasting', error('INVALID_PROOF_FORMAT'), 'refused'],
    ['lasting', error('BYZANTINE_NODE_DETECTED'), 'refused'],
    ['try-again', error('CONSENSUS_NOT_INITIALIZED'), 'not-ready'],
    ['try-again', error('INTERNAL_CONSENSUS_ERROR'), 'not-ready'],
    ['try-again', error('TOO_MANY_REQUESTS'), 'not-ready'],
    ['lasting', error('ROUTE_NOT_FOUND'), 'foreign'],
    ['lasting', error('REQUEST_TOO_LARGE'), 'refused'],
    ['unsupported', error('ROUTE_NOT_FOUND'), 'unsupported'],
  ]
  it.each(cases.map(([standing, status, kind]) => ({ standing, status, kind, name: nameOf(status) })))(
    '$standing with $name is $kind',
    ({ standing, status, kind }) => {
      expect(validationOutcome(reply(standing, answerBytes(status))).kind).toBe(kind)
    },
  )

  it.each<[Standing, string, object]>([
    [
      'success',
      'Hello',
      { kind: 'foreign', why: expect.stringContaining('something else than a verdict: ') },
    ],
    ['success', '', { kind: 'foreign' }],
    ['lasting', '<html>', { kind: 'foreign', why: 'as noted' }],
    ['try-again', '<html>', { kind: 'not-ready', why: 'as noted', retryAfterMs: 3_000, value: null }],
  ])('%s with the text %j is %j', (standing, text, expected) => {
    expect(validationOutcome(reply(standing, Buffer.from(text)))).toMatchObject(expected)
  })

  it('keeps the bytes that were read', () => {
    const payload = answerBytes({ kind: 'valid' })
    expect(validationOutcome(reply('success', payload))).toMatchObject({ value: { payload } })
  })
})

describe('the reply to the health call', () => {
  it.each<[Standing, string, object]>([
    [
      'success',
      '{"status":"healthy","service":"s","version":"1"}',
      { kind: 'done', value: { reason: null } },
    ],
    [
      'try-again',
      '{"status":"not-ready","service":"s","reason":"r"}',
      { kind: 'done', value: { version: null } },
    ],
    ['success', '{"status":1}', { kind: 'foreign' }],
    ['try-again', 'x', { kind: 'not-ready' }],
  ])('%s with %j is %j', (standing, text, expected) => {
    expect(plainOutcome(reply(standing, Buffer.from(text)), healthAnswer, 'health')).toMatchObject(expected)
  })
})

describe('HTTP', () => {
  it.each([
    ['validate_certificate', 200, 'success'],
    ['validate_certificate', 404, 'lasting'],
    ['validate_batch', 404, 'unsupported'],
    ['validate_batch', 405, 'unsupported'],
    ['validate_batch', 400, 'lasting'],
    ['validation_status', 404, 'lasting'],
    ['validate_proofs', 408, 'try-again'],
    ['validate_proofs', 429, 'try-again'],
    ['validate_proofs', 500, 'try-again'],
    ['validate_proofs', 504, 'try-again'],
  ] as const)('%s and %i is %s', (method, status, standing) => {
    expect(httpReply(method, status, null, new Uint8Array())).toMatchObject({
      standing,
      note: `HTTP ${status}`,
    })
  })

  it.each([
    [null, null],
    ['2', 2_000],
    ['0', 0],
    ['-1', null],
    ['Wed, 21 Oct 2026 07:28:00 GMT', null],
    ['99999999999', null],
  ])('Retry-After %j is %j ms', (header, retryAfterMs) => {
    expect(httpReply('health', 503, header, new Uint8Array()).retryAfterMs).toBe(retryAfterMs)
  })

  it.each(['https://h:1', 'https://h:1/', 'https://h:1//'])('has its routes under %s', (base) => {
    const body = Buffer.from('{"request_id":"a/b ü?"}')
    expect(httpCall(base, 'validation_status', body)).toEqual({
      method: 'GET',
      url: 'https://h:1/consensus/validation/status/a%2Fb%20%C3%BC%3F',
      body: null,
    })
    expect(httpCall(base, 'health', body).url).toBe('https://h:1/consensus/health')
    expect(httpCall(`${base}`, 'validate_proofs', body)).toEqual({
      method: 'POST',
      url: 'https://h:1/consensus/validation/four-proof',
      body,
    })
    expect(httpCall('https://h:1/ca/', 'validate_batch', body).url).toBe(
      'https://h:1/ca/consensus/validation/batch',
    )
  })
})
