/** What the CA endpoint does besides single calls, over real sockets: batches, refusals by status, deadlines, callers that leave. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import type { ListenerOptions } from '../../src/rpc/http/listener.ts'
import { makeSelfSigned } from '../../src/rpc/http/self-signed.ts'
import type { ObservedCall } from '../../src/validation/ports.ts'
import type { ValidationServiceOptions } from '../../src/validation/validation-service.ts'
import { verdictOf } from '../support/fake-network.ts'
import { CaEndpoint, rawHttp, resultIn } from '../support/http-calls.ts'
import { certificateRequest, vector } from '../support/requests.ts'

const BATCH = '/consensus/validation/batch'
const CERTIFICATE = '/consensus/validation/certificate'

let open: CaEndpoint[] = []
afterEach(async () => {
  const ended = open
  open = []
  for (const endpoint of ended) {
    await endpoint.close()
    expect(endpoint.errors).toEqual([])
  }
})

async function started(
  options: Partial<ListenerOptions> = {},
  serviceOptions: Partial<ValidationServiceOptions> = {},
): Promise<CaEndpoint> {
  const endpoint = new CaEndpoint(options, serviceOptions)
  await endpoint.listener.start()
  open.push(endpoint)
  return endpoint
}

const certificate = (id: string): string =>
  `{"certificate":${vector('certreq_json').replace('"request_id":"', `"request_id":"${id}-`)}}`
const fourProof = `{"four_proof":${vector('fpreq_json')}}`

const resultsIn = (body: string) =>
  (JSON.parse(body) as unknown[]).map((item) => resultIn(JSON.stringify(item)).result)

describe('a batch', () => {
  it('is answered in its order, each item by itself', async () => {
    const ca = await started()
    ca.network.answersAtOnce = true
    const broken = certificate('b').replace('18446744073709551557', '-1')
    const items = [
      certificate('a'),
      fourProof,
      broken,
      '{"certificate":1,"four_proof":2}',
      '{"x":1e}',
      certificate('a'),
    ]
    const reply = await ca.call(BATCH, { body: `[ ${items.join(' ,\n')} ]` })
    expect(reply.status).toBe(200)
    const results = resultsIn(reply.body)
    expect(results.map(({ kind }) => kind)).toEqual(['valid', 'valid', 'error', 'error', 'error', 'valid'])
    expect(results.slice(2, 5)).toEqual([
      {
        kind: 'error',
        errorCode: 'INVALID_PROOF_FORMAT',
        message:
          '[2].certificate.certificate_request.consensus_proof.time_proof.nonce: expected an unsigned 64-bit integer, got -1',
      },
      {
        kind: 'error',
        errorCode: 'INVALID_PROOF_FORMAT',
        message: '[3]: expected an object with either "certificate" or "four_proof"',
      },
      { kind: 'error', errorCode: 'INVALID_PROOF_FORMAT', message: expect.stringMatching(/^\[4\]: /) },
    ])
  })

  it('hands every item on before any is answered', async () => {
    const ca = await started()
    const ids = Array.from({ length: 100 }, (_, i) => `item-${i}`)
    const asked = ca.call(BATCH, { body: `[${ids.map(certificate).join(',')}]` })
    await expect.poll(() => ca.network.submitted.length).toBe(100)
    ca.network.finalize(...ca.network.submitted.toReversed().map((hashed) => verdictOf(hashed)))
    const results = resultsIn((await asked).body)
    expect(results).toEqual(ids.map(() => ({ kind: 'valid' })))
    expect(ca.clock.timers).toBe(0)
  })

  it.each([
    ['nothing', ''],
    ['no array', '{"certificate":1}'],
    ['no end', `[${fourProof}`],
    ['another bracket at its end', `[${fourProof}}`],
    ['something after it', `[${fourProof}] x`],
    ['an item missing', `[${fourProof},]`],
    ['more than 100 items', `[${Array.from({ length: 101 }, () => fourProof).join(',')}]`],
  ])('with %s is refused as a whole, as one full result', async (_, body) => {
    const ca = await started()
    const reply = await ca.call(BATCH, { body })
    expect(reply.status).toBe(400)
    expect(resultIn(reply.body).result).toMatchObject({ errorCode: 'INVALID_PROOF_FORMAT' })
    expect(ca.network.submitted).toEqual([])
  })

  it('of no item has no result', async () => {
    const ca = await started()
    expect(await ca.call(BATCH, { body: ' [ ] ' })).toMatchObject({ status: 200, body: '[]' })
  })

  it('counts by its items against the rate', async () => {
    const rate = { perSecond: 2, burst: 10 }
    let nowMs = 0
    const limiter = new ClientLimiter(() => nowMs, { remote: rate, loopback: rate, clientsMax: 8 })
    const ca = await started({ limiter })
    ca.network.answersAtOnce = true
    const six = `[${Array.from({ length: 6 }, () => fourProof).join(',')}]`
    expect((await ca.call(BATCH, { body: six })).status).toBe(200)
    const refused = await ca.call(BATCH, { body: six })
    // Four were left, one of which went for the call itself; two more come in a second.
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    expect(resultIn(refused.body).result).toEqual({
      kind: 'error',
      errorCode: 'TOO_MANY_REQUESTS',
      message:
        'the limit is 2 requests a second from one client, 10 at once (ca.rate); try again in 1 s; send fewer at once',
    })
    nowMs += 2_000
    expect((await ca.call(BATCH, { body: six })).status).toBe(200)
  })
})

describe('a refusal', () => {
  it.each([
    ['PUT', CERTIFICATE, 'POST'],
    ['GET', CERTIFICATE, 'POST'],
    ['GET', BATCH, 'POST'],
    ['PROPFIND', CERTIFICATE, 'POST'],
    ['DELETE', '/consensus/validation/status/x', 'GET, HEAD'],
    ['POST', '/consensus/health', 'GET, HEAD'],
    ['OPTIONS', '/consensus/metrics', 'GET, HEAD'],
  ])('of %s %s is 405 and names %s', async (method, path, allow) => {
    const ca = await started()
    const reply = await ca.call(path, { method })
    expect([reply.status, reply.headers['allow']]).toEqual([405, allow])
    expect(resultIn(reply.body).result).toMatchObject({
      kind: 'error',
      errorCode: 'METHOD_NOT_ALLOWED',
      message: expect.stringContaining(`which takes ${allow}`),
    })
  })

  it('is no answer to HEAD where there is GET', async () => {
    const ca = await started()
    expect(await ca.call('/consensus/health', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  it.each([
    [{ 'content-encoding': 'gzip' }, 'a body in the coding "gzip" cannot be read here'],
    [{ 'content-type': 'application/xml' }, 'a body of the type application/xml cannot be read here'],
    [
      { 'content-type': 'multipart/form-data; boundary=x' },
      'a body of the type multipart/form-data cannot be read here',
    ],
    [
      { 'content-type': 'application/json; charset=utf-16' },
      'a body in the character set utf-16 cannot be read here',
    ],
  ])('of a body with %j is 415', async (headers, detail) => {
    const ca = await started()
    const reply = await ca.call(CERTIFICATE, { body: vector('certreq_json'), headers })
    expect(reply.status).toBe(415)
    expect(resultIn(reply.body).result).toMatchObject({
      errorCode: 'UNSUPPORTED_MEDIA_TYPE',
      message: `${detail}; send JSON in UTF-8 as application/json, not compressed`,
    })
  })

  it.each([
    'application/json',
    'application/problem+json',
    'text/plain',
    'x',
    'application/json; charset="UTF-8"',
  ])('is no answer to a body called %s', async (type) => {
    const ca = await started()
    ca.network.answersAtOnce = true
    const headers = { 'content-type': type, 'content-encoding': 'identity' }
    expect((await ca.call(CERTIFICATE, { body: vector('certreq_json'), headers })).status).toBe(200)
  })

  it.each([
    ['a head', 'POST /consensus/validation/certificate HTTP/1.1\r\nHost: x\r\n'],
    ['a body', 'POST /consensus/validation/certificate HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'],
  ])('of %s that does not arrive in time is 408', async (_, bytes) => {
    const ca = await started({ arrivalMs: 150 })
    const answer = await rawHttp(ca.listener.url, bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(resultIn(answer.slice(answer.indexOf('\r\n\r\n') + 4)).result).toMatchObject({
      errorCode: 'REQUEST_TIMEOUT',
    })
  })

  it.each([
    ['nothing', ''],
    ['what is no TLS', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('of a connection that says %s where TLS is spoken is its end', async (_, bytes) => {
    const ca = await started({ tls: makeSelfSigned(['127.0.0.1'], Date.now()), handshakeMs: 150 })
    const { hostname, port } = new URL(ca.listener.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    socket.write(bytes)
    await once(socket.resume(), 'close')
  })

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'INVALID_PROOF_FORMAT'],
    ['HTTP/1.1 without a host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'INVALID_PROOF_FORMAT'],
    [
      'an expectation that nobody knows',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: cake\r\nConnection: close\r\n\r\n',
      417,
      'INVALID_PROOF_FORMAT',
    ],
    ['a head without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, 431, 'REQUEST_TOO_LARGE'],
  ])('of %s is a full result too', async (_, bytes, status, errorCode) => {
    const ca = await started()
    const answer = await rawHttp(ca.listener.url, bytes)
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
    expect(resultIn(answer.slice(answer.indexOf('\r\n\r\n') + 4)).result).toMatchObject({ errorCode })
  })

  it.each([['one client', { requestsPerClientMax: 1, requestsInFlightMax: 1 }, 503, 'NODE_BUSY']])(
    'for lack of room says when to come back',
    async (_, limits, status, errorCode) => {
      const ca = await started({}, { limits })
      const asked = ca.call(CERTIFICATE, { body: vector('certreq_json') })
      await expect.poll(() => ca.network.submitted.length).toBe(1)
      const refused = await ca.call('/consensus/validation/four-proof', { body: vector('fpreq_json') })
      expect([refused.status, refused.headers['retry-after']]).toEqual([status, '1'])
      expect(resultIn(refused.body).result).toMatchObject({ errorCode })
      ca.network.finalize(...ca.network.submitted.map((hashed) => verdictOf(hashed)))
      expect((await asked).status).toBe(200)
    },
  )
})

describe('a caller', () => {
  it('says with Prefer how long it waits', async () => {
    const ca = await started()
    const asked = ca.call(CERTIFICATE, {
      body: vector('certreq_json'),
      headers: { prefer: 'respond-async, wait=3' },
    })
    await expect.poll(() => ca.clock.timers).toBe(1)
    ca.clock.advance(3_000)
    const reply = await asked
    expect(reply.status).toBe(504)
    expect(resultIn(reply.body).result).toMatchObject({
      errorCode: 'VALIDATION_TIMEOUT',
      message: 'no verdict within 3000 ms; the request goes on, ask for its status',
    })
  })

  it.each([
    ['one call', CERTIFICATE, vector('certreq_json'), 1],
    ['a batch', BATCH, `[${Array.from({ length: 30 }, (_, i) => certificate(`${i}`)).join(',')}]`, 30],
  ])('that closes its connection in the middle of %s leaves nothing behind', async (_, path, body, count) => {
    const observed: ObservedCall['result'][] = []
    const ca = await started({}, { observe: ({ result }) => observed.push(result) })
    const { hostname, port } = new URL(ca.listener.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    await expect.poll(() => ca.clock.timers).toBe(count)
    socket.destroy()
    await expect.poll(() => ca.clock.timers).toBe(0)
    await expect.poll(() => observed).toEqual(Array(count).fill('abandoned'))
    expect(ca.service.metrics().pendingValidations).toBe(count)
    const request = hashTransaction({ kind: 'validate-certificate', request: certificateRequest() })
    ca.network.finalize(...ca.network.submitted.map((hashed) => verdictOf(hashed)), verdictOf(request))
    expect(ca.service.metrics().pendingValidations).toBe(0)
  })
})
