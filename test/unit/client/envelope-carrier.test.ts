/** The seam for carriers with streams, as STOQ's uses it: a channel of bytes, with the node's own handler behind it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EnvelopeChannel, envelopeCarrier } from '../../../src/client/envelope-carrier.ts'
import { HypermeshClient } from '../../../src/client/hypermesh-client.ts'
import { handleEnvelope } from '../../../src/rpc/call-handler.ts'
import { ClientLimiter } from '../../../src/rpc/client-limiter.ts'
import { encodeEnvelopeResponse } from '../../../src/rpc/envelope.ts'
import { ValidationService } from '../../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork } from '../../support/fake-network.ts'
import { certificateRequest, fourProofRequest } from '../../support/requests.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const STOQ = 'stoq://[::1]:9292'

let network: FakeNetwork
let rate: { perSecond: number; burst: number }
let exchange: EnvelopeChannel['exchange']
let client: HypermeshClient
let closed: number

beforeEach(() => {
  network = new FakeNetwork()
  network.answersAtOnce = true
  rate = { perSecond: 1_000, burst: 1_000 }
  closed = 0
  const service = new ValidationService({ ...network, clock: new FakeClock(), nodeName: 'n-1', version: '1' })
  exchange = (request) => {
    const limiter = new ClientLimiter(() => 0, { remote: rate, loopback: rate, clientsMax: 4 })
    return handleEnvelope(request, { service, limiter, logger }, 'a client')
  }
  const channel = {
    exchange: (request: Uint8Array, limits: Parameters<typeof exchange>[1]) => exchange(request, limits),
    close: async () => {
      closed++
    },
  }
  const carriers = { stoq: () => envelopeCarrier(channel) }
  client = new HypermeshClient({ endpoints: [STOQ], carriers, passesMax: 1 })
})
afterEach(() => client.close())

describe('calls in envelopes', () => {
  it('get verdicts, statuses and health from the handler of the node', async () => {
    const verdict = await client.validateCertificate(certificateRequest('id-1'))
    expect(verdict).toMatchObject({ isValid: true, endpoint: STOQ, answer: { validatorId: 'n-1' } })
    expect((await client.validateProofs(fourProofRequest())).isValid).toBe(true)
    expect(await client.status('id-1')).toMatchObject({ kind: 'valid' })
    expect(await client.health()).toMatchObject([
      { isReady: true, health: { service: 'hypermesh-consensus' } },
    ])
    network.failures = [{ subject: 'work', reason: 'none was done' }]
    expect((await client.validateCertificate(certificateRequest('id-2'))).isValid).toBe(false)
    await client.close()
    expect(closed).toBe(1)
  })

  it('make batches one by one', async () => {
    const results = await client.batch([
      { certificate: certificateRequest('a') },
      { fourProof: fourProofRequest() },
    ])
    expect(results.map(({ ok }) => ok)).toEqual([true, true])
  })

  it('tell what passes from what does not', async () => {
    network.notReady = 'no quorum'
    await expect(client.validateCertificate(certificateRequest())).rejects.toMatchObject({
      code: 'E_NO_VERDICT',
      attempts: [{ outcome: 'not-ready', why: 'CONSENSUS_NOT_INITIALIZED: no quorum' }],
    })
    await expect(client.validateCertificate(Buffer.from('{}'))).rejects.toMatchObject({
      code: 'E_REFUSED',
      attempts: [{ outcome: 'refused' }],
    })
    rate = { perSecond: 1, burst: 0 }
    await expect(client.validateCertificate(certificateRequest())).rejects.toMatchObject({
      code: 'E_NO_ANSWER',
      attempts: [{ outcome: 'not-ready', why: expect.stringContaining('TOO_MANY_REQUESTS') }],
    })
  })

  it.each<[string, Uint8Array, string]>([
    ['is garbage', Uint8Array.of(1, 2, 3), 'the answer is no envelope'],
    [
      'is to another request',
      encodeEnvelopeResponse({
        requestId: 'x',
        success: true,
        payload: new Uint8Array(),
        error: null,
        metadata: [],
      }),
      'the answer is to another request',
    ],
  ])('do not take an answer that %s', async (_name, bytes, why) => {
    exchange = async () => bytes
    await expect(client.validateCertificate(certificateRequest())).rejects.toMatchObject({
      code: 'E_NO_ANSWER',
      attempts: [{ outcome: 'unreachable', why: expect.stringContaining(why) }],
    })
  })
})
