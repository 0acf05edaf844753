/** Envelope to envelope: routes, the words of errors, what is a success and what is to be tried again. */
import { beforeEach, describe, expect, it } from 'vitest'
import { handleEnvelope } from '../../../src/rpc/call-handler.ts'
import { ClientLimiter } from '../../../src/rpc/client-limiter.ts'
import {
  decodeEnvelopeRequest,
  decodeEnvelopeResponse,
  type EnvelopeResponse,
  encodeEnvelopeRequest,
  encodeEnvelopeResponse,
} from '../../../src/rpc/envelope.ts'
import { readJson } from '../../../src/rpc/json-shape.ts'
import { validationAnswer } from '../../../src/rpc/trustchain-json-response.ts'
import { ValidationService } from '../../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork } from '../../support/fake-network.ts'
import { certificateRequest, vector } from '../../support/requests.ts'

let network: FakeNetwork
let clock: FakeClock
let service: ValidationService
let limiter: ClientLimiter
const errors: unknown[] = []
const logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields: object) => errors.push(fields),
}

beforeEach(() => {
  network = new FakeNetwork()
  network.answersAtOnce = true
  clock = new FakeClock()
  service = new ValidationService({ ...network, clock, nodeName: 'node-1', version: '1.2.3' })
  limiter = new ClientLimiter(() => clock.monotonicMs())
  errors.length = 0
})

async function send(bytes: Uint8Array): Promise<EnvelopeResponse> {
  const answer = await handleEnvelope(bytes, { service, limiter, logger }, 'peer-a')
  const response = decodeEnvelopeResponse(answer)
  if (!response.ok) throw new Error(response.detail)
  return response.value
}

function call(service_: string, method: string, payload: string): Promise<EnvelopeResponse> {
  const request = { id: 'id-1', service: service_, method, payload: Buffer.from(payload), metadata: [] }
  return send(encodeEnvelopeRequest(request))
}

function resultOf(response: EnvelopeResponse): unknown {
  const answer = readJson(validationAnswer, response.payload)
  return answer.ok ? answer.value.result : answer.detail
}

describe('routes', () => {
  it.each([
    ['hypermesh', 'consensus/validate_certificate', 'certreq_json'],
    ['hypermesh', 'consensus/validate_proofs', 'fpreq_json'],
    ['consensus', 'validate_certificate', 'certreq_json'],
    ['consensus', 'validate_proofs', 'fpreq_json'],
  ])('%s/%s answers', async (service_, method, name) => {
    const response = await call(service_, method, vector(name))
    expect(response).toMatchObject({ requestId: 'id-1', success: true, error: null, metadata: [] })
    expect(resultOf(response)).toEqual({ kind: 'valid' })
  })

  it.each(['null', ''])('health answers to the payload %j', async (payload) => {
    const response = await call('hypermesh', 'consensus/health', payload)
    expect(response.success).toBe(true)
    expect(JSON.parse(Buffer.from(response.payload).toString())).toEqual({
      status: 'healthy',
      service: 'hypermesh-consensus',
      version: '1.2.3',
    })
  })

  it.each([
    ['hypermesh', 'validate_certificate'],
    ['hypermesh', 'consensus/consensus/health'],
    ['hypermesh/consensus', 'health'],
    ['consensus', 'consensus/health'],
    ['', 'hypermesh/consensus/health'],
    ['trustchain', 'consensus/health'],
    ['hypermesh', 'consensus/__proto__'],
    ['hypermesh', 'consensus/toString'],
    ['Hypermesh', 'consensus/health'],
  ])('%s + %s is not found', async (service_, method) => {
    expect(await call(service_, method, 'null')).toEqual({
      requestId: 'id-1',
      success: false,
      payload: expect.objectContaining({ length: 0 }),
      error: `Handler not found: ${service_}/${method}`,
      metadata: [],
    })
  })
})

describe('errors', () => {
  it('an envelope that cannot be read has no id to echo', async () => {
    expect(await send(Uint8Array.of(1, 2, 3))).toMatchObject({
      requestId: '',
      success: false,
      error: expect.stringMatching(/^Invalid request format: /),
    })
  })

  it.each([
    ['validate_certificate', 'certificate'],
    ['validate_proofs', 'four-proof'],
    ['validation_status', 'status'],
  ])(
    'a payload of %s that cannot be read is an invalid request, with the full answer beside it',
    async (method, what) => {
      const response = await call('hypermesh', `consensus/${method}`, '{"x":')
      expect(response.success).toBe(false)
      expect(response.error).toBe(
        `Invalid request: Invalid ${what} request: expected a value at character 5, the document ended`,
      )
      expect(resultOf(response)).toMatchObject({ errorCode: 'INVALID_PROOF_FORMAT' })
    },
  )

  it('Invalid and an unknown id are successes: trying again would not help', async () => {
    network.failures = [{ subject: 'work', reason: 'too little' }]
    const invalid = await call('hypermesh', 'consensus/validate_certificate', vector('certreq_json'))
    expect([invalid.success, resultOf(invalid)]).toEqual([
      true,
      { kind: 'invalid', failedProofs: ['work_proof'], reason: 'too little' },
    ])
    const unknown = await call('hypermesh', 'consensus/validation_status', vector('status_json'))
    expect([unknown.success, resultOf(unknown)]).toMatchObject([true, { errorCode: 'REQUEST_NOT_FOUND' }])
  })

  it('what may succeed later is to be tried again', async () => {
    network.notReady = 'still syncing'
    const syncing = await call('hypermesh', 'consensus/validate_certificate', vector('certreq_json'))
    expect(syncing).toMatchObject({
      success: false,
      error: 'Handler error: CONSENSUS_NOT_INITIALIZED: still syncing',
    })
    expect(resultOf(syncing)).toMatchObject({ errorCode: 'CONSENSUS_NOT_INITIALIZED' })
    network.notReady = null
    network.answersAtOnce = false
    const asked = call('hypermesh', 'consensus/validate_certificate', vector('certreq_json'))
    expect(clock.timers).toBe(1)
    clock.advance(8_000)
    expect(await asked).toMatchObject({
      success: false,
      error: expect.stringMatching(/^Handler error: VALIDATION_TIMEOUT: /),
    })
    const { requestId } = certificateRequest()
    const status = await call(
      'hypermesh',
      'consensus/validation_status',
      JSON.stringify({ request_id: requestId }),
    )
    expect([status.success, resultOf(status)]).toMatchObject([true, { kind: 'pending' }])
  })

  it('a client that asks too much is told, per client', async () => {
    const rate = { perSecond: 1, burst: 1 }
    limiter = new ClientLimiter(() => clock.monotonicMs(), { remote: rate, loopback: rate, clientsMax: 8 })
    expect((await call('hypermesh', 'consensus/health', '')).success).toBe(true)
    expect((await call('hypermesh', 'consensus/health', '')).error).toBe(
      'Handler error: TOO_MANY_REQUESTS: the limit is 1 requests a second from one client, 1 at once; try again in 1 s',
    )
    clock.advance(1_000)
    expect((await call('hypermesh', 'consensus/health', '')).success).toBe(true)
  })

  it('a fault of ours is logged and told as such', async () => {
    network.submitter.submit = () => {
      throw new Error('a fault')
    }
    const response = await call('hypermesh', 'consensus/validate_certificate', vector('certreq_json'))
    expect(response).toMatchObject({
      success: false,
      error: expect.stringContaining('INTERNAL_CONSENSUS_ERROR'),
    })
    expect(response.error).not.toContain('a fault')
    expect(errors).toHaveLength(1)
  })
})

describe('the envelope', () => {
  const request = {
    id: 'a',
    service: 'b',
    method: 'c',
    payload: Uint8Array.of(1),
    metadata: [['k', 'v']] as const,
  }

  it('may have bytes behind it', () => {
    const bytes = Buffer.concat([encodeEnvelopeRequest(request), Uint8Array.of(9, 9)])
    expect(decodeEnvelopeRequest(bytes)).toMatchObject({ ok: true, value: { id: 'a' } })
  })

  it('is refused when any part of it is cut off', () => {
    const bytes = encodeEnvelopeRequest(request)
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeEnvelopeRequest(bytes.subarray(0, length)).ok).toBe(false)
    }
  })

  it.each([
    ['a length of 2^64 − 1', 'ffffffffffffffff'],
    ['text that is no UTF-8', '0100000000000000ff'],
    ['text of 9,000 bytes', `2823000000000000${'61'.repeat(9_000)}`],
    ['metadata of 10^9 entries', `${'0000000000000000'.repeat(4)}00ca9a3b00000000`],
    [
      'metadata of 65 empty entries',
      `${'0000000000000000'.repeat(4)}4100000000000000${'00'.repeat(65 * 16)}`,
    ],
  ])('is refused with %s', (_name, hex) => {
    expect(decodeEnvelopeRequest(Buffer.from(hex, 'hex')).ok).toBe(false)
  })

  it.each([
    ['success 2', '000000000000000002'],
    ['an Option 2', '0000000000000000010000000000000000 02'.replace(' ', '')],
  ])('of an answer is refused with %s', (_name, hex) => {
    expect(decodeEnvelopeResponse(Buffer.from(hex + '00'.repeat(32), 'hex')).ok).toBe(false)
  })

  it('of an answer keeps everything', () => {
    const response = { requestId: 'r', success: false, payload: Buffer.from('{}'), error: 'ü', metadata: [] }
    const read = decodeEnvelopeResponse(encodeEnvelopeResponse(response))
    expect(read.ok && { ...read.value, payload: Buffer.from(read.value.payload) }).toEqual(response)
  })
})
