/** The client over real HTTP: servers that misbehave, nodes' own endpoints, TLS that is trusted and TLS that is not. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configuredEndpoints } from '../../src/client/endpoint.ts'
import { type ClientOptions, HypermeshClient } from '../../src/client/hypermesh-client.ts'
import { httpsCarrier, type TlsTrust } from '../../src/client/node/https-carrier.ts'
import { nodeClient } from '../../src/client/node/node-client.ts'
import { certificateRequestBytes, fourProofRequestBytes } from '../../src/client/request-bytes.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import { makeCaServer } from '../../src/rpc/http/ca-server.ts'
import type { HttpListener } from '../../src/rpc/http/listener.ts'
import { makeSelfSigned, type TlsMaterial } from '../../src/rpc/http/self-signed.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { type Behaviour, MisbehavingServer } from '../support/client/misbehaving-server.ts'
import { FakeClock, FakeNetwork } from '../support/fake-network.ts'
import { certificateRequest, fourProofRequest } from '../support/requests.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const made: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const open of made.splice(0).reverse()) await open.close()
})

async function server(behaviour: Behaviour): Promise<MisbehavingServer> {
  const started = await MisbehavingServer.start(behaviour)
  made.push(started)
  return started
}

const CARRIERS = {
  fetch: undefined,
  "Node's own": { http: httpsCarrier(), https: httpsCarrier() },
} as const

function client(
  endpoints: readonly string[],
  carrier: keyof typeof CARRIERS,
  options: Partial<ClientOptions> = {},
): HypermeshClient {
  const carriers = CARRIERS[carrier]
  const asked = new HypermeshClient({
    endpoints: configuredEndpoints(endpoints, 'as-given'),
    attemptDeadlineMs: 500,
    deadlineMs: 5_000,
    ...(carriers === undefined ? {} : { carriers }),
    ...options,
  })
  made.push(asked)
  return asked
}

describe.each(Object.keys(CARRIERS) as (keyof typeof CARRIERS)[])('over %s HTTP', (carrier) => {
  it.each<[Behaviour, outcome: string, why: string | RegExp]>([
    ['closes in the middle of its answer', 'unreachable', /./],
    ['closes at once', 'unreachable', /./],
    ['hangs', 'unreachable', 'no answer within 500 ms'],
    ['is not ready', 'not-ready', 'CONSENSUS_NOT_INITIALIZED: no quorum'],
    ['says 503 with a page', 'not-ready', 'HTTP 503'],
    ['says something else in JSON', 'foreign', /^something else than a verdict: result: expected Valid/],
    ['says no JSON', 'foreign', /^something else than a verdict: /],
    ['redirects', 'foreign', 'a redirect, which is not followed'],
    ['never ends its answer', 'unreachable', 'the answer is longer than 2097152 bytes'],
    ['has a verdict under 403', 'foreign', 'HTTP 403 with a verdict in it'],
  ])('a server that %s is left for the next, and it is told why', async (behaviour, outcome, why) => {
    const [bad, good] = [await server(behaviour), await server('valid')]
    bad.target = `${good.url}/consensus/validation/certificate`
    const attempts: object[] = []
    const asked = client([bad.url, good.url], carrier, { onAttempt: (attempt) => attempts.push(attempt) })
    const verdict = await asked.validateCertificate(certificateRequest())
    expect(verdict).toMatchObject({ isValid: true, endpoint: good.url })
    const reason: unknown = typeof why === 'string' ? why : expect.stringMatching(why)
    expect(attempts).toMatchObject([{ endpoint: bad.url, outcome, why: reason }, { outcome: 'answered' }])
    expect(good.seen.map(({ body }) => body)).toEqual([bad.seen[0]?.body])
  })

  it('keeps its connection', async () => {
    const good = await server('valid')
    const asked = client([good.url], carrier)
    for (let i = 0; i < 10; i++) await asked.validateCertificate(certificateRequest())
    expect(good.seen).toHaveLength(10)
    // The platform's fetch opens a second one when the first is not yet free again.
    expect(new Set(good.seen.map(({ port }) => port)).size).toBeLessThanOrEqual(carrier === 'fetch' ? 2 : 1)
  })

  it('comes back to a server that has been started again', async () => {
    const first = await server('valid')
    const asked = client([first.url], carrier)
    await asked.validateCertificate(certificateRequest())
    first.behaviour = 'closes at once'
    const waiting = asked.validateCertificate(certificateRequest())
    await expect.poll(() => first.seen.length).toBeGreaterThan(2)
    first.behaviour = 'valid'
    expect((await waiting).isValid).toBe(true)
  })

  it('gives up when it is told to', async () => {
    const silent = await server('hangs')
    const asked = client([silent.url], carrier, { attemptDeadlineMs: 5_000 })
    const call = asked.validateCertificate(certificateRequest(), { signal: AbortSignal.timeout(100) })
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})

describe("a node's CA endpoint", () => {
  const tls: TlsMaterial = makeSelfSigned(['localhost', '::1', '127.0.0.1'], Date.now())
  let network: FakeNetwork
  let node: HttpListener

  beforeEach(async () => {
    network = new FakeNetwork()
    network.answersAtOnce = true
    const service = new ValidationService({
      ...network,
      clock: new FakeClock(),
      nodeName: 'n-1',
      version: '1.2.3',
    })
    node = makeCaServer(service, {
      listen: { host: '127.0.0.1', port: 0 },
      tls,
      limiter: new ClientLimiter(() => performance.now()),
      logger,
    })
    await node.start()
    made.push(node)
  })

  function trusting(trust?: TlsTrust): HypermeshClient {
    const asked = nodeClient({
      endpoints: [node.url],
      passesMax: 1,
      ...(trust === undefined ? {} : { tls: trust }),
    })
    made.push(asked)
    return asked
  }

  it.each<[string, TlsTrust | undefined]>([
    ['on loopback with its self-signed certificate', undefined],
    ['with its certificate pinned', { kind: 'pinned', certificate: tls.cert }],
    ['with its certificate as the CA', { kind: 'ca', ca: tls.cert }],
    ['trusting anybody', { kind: 'any' }],
  ])('answers %s', async (_name, trust) => {
    expect((await trusting(trust).validateCertificate(certificateRequest())).isValid).toBe(true)
  })

  it.each<[string, TlsTrust]>([
    ['the system has no CA for it', { kind: 'system' }],
    [
      'another certificate is pinned',
      { kind: 'pinned', certificate: makeSelfSigned(['127.0.0.1'], Date.now()).cert },
    ],
    ['another CA is trusted', { kind: 'ca', ca: makeSelfSigned(['127.0.0.1'], Date.now()).cert }],
  ])('is refused when %s', async (_name, trust) => {
    const call = trusting(trust).validateCertificate(certificateRequest())
    await expect(call).rejects.toMatchObject({
      code: 'E_NO_ANSWER',
      advice: { why: expect.stringMatching(/certificate/) },
    })
    expect(network.submitted).toEqual([])
  })

  it('cannot be pinned with what is no certificate', () => {
    expect(() => httpsCarrier({ tls: { kind: 'pinned', certificate: 'x' } })).toThrow(
      expect.objectContaining({
        code: 'E_TLS_TRUST',
        advice: expect.objectContaining({
          why: expect.stringMatching(/^it holds no certificate between lines/),
        }),
      }),
    )
  })

  it('gives typed answers, exact to the last digit, and the bytes they were', async () => {
    const { answer, payload, endpoint } = await trusting().validateCertificate(certificateRequest())
    expect(answer.metrics).toMatchObject({
      validationTimeUs: 1_234n,
      validatorNodes: 3,
      confidenceLevel: 0.75,
    })
    expect(answer.proofHash).toEqual(new Uint8Array(32).fill(0xab))
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({
      result: 'Valid',
      validator_id: 'n-1',
    })
    expect(endpoint).toBe(node.url)
  })

  it('tells Invalid with its reason, status, and health', async () => {
    const asked = trusting()
    network.failures = [{ subject: 'space', reason: 'total_storage is 1024' }]
    const verdict = await asked.validateCertificate(certificateRequest('odd/id ü?#'))
    expect(verdict).toMatchObject({
      isValid: false,
      result: { kind: 'invalid', failedProofs: ['space_proof'], reason: 'total_storage is 1024' },
    })
    expect(await asked.status('odd/id ü?#')).toMatchObject({ kind: 'invalid' })
    expect(await asked.waitForVerdict('odd/id ü?#')).toMatchObject({ isValid: false })
    expect(await asked.status('nobody knows it')).toBeNull()
    expect(await asked.health()).toMatchObject([
      { endpoint: node.url, isReady: true, why: '', health: { status: 'healthy', version: '1.2.3' } },
    ])
    network.notReady = 'no quorum seen for 12 s'
    expect(await asked.health()).toMatchObject([{ isReady: false, why: 'no quorum seen for 12 s' }])
  })

  it('refuses a request that cannot be read, once and for all', async () => {
    const call = trusting().validateCertificate(Buffer.from('{"certificate_request":{}}'))
    await expect(call).rejects.toMatchObject({
      code: 'E_REFUSED',
      advice: { why: expect.stringContaining('INVALID_PROOF_FORMAT: certificate_request: missing field') },
      attempts: { length: 1 },
    })
  })

  it('takes a batch, item by item where it has no route for one', async () => {
    const asked = nodeClient({ endpoints: [node.url], deadlineMs: 10_000 })
    made.push(asked)
    const results = await asked.batch([
      { certificate: certificateRequest('one') },
      { certificate: Buffer.from('{"certificate_request":{}}') },
      { fourProof: fourProofRequestBytes(fourProofRequest()) },
      { certificate: certificateRequestBytes(certificateRequest('two')) },
    ])
    expect(results.map((result) => (result.ok ? result.verdict.result.kind : result.error.code))).toEqual([
      'valid',
      'E_REFUSED',
      'valid',
      'valid',
    ])
    expect(network.submitted).toHaveLength(3)
  })
})

describe('discovered and dead endpoints', () => {
  it('tell in health who is there and who is not', async () => {
    const page = await server('says no JSON')
    const asked = client(['http://127.0.0.1:1', page.url], "Node's own")
    expect(await asked.health()).toMatchObject([
      {
        endpoint: 'http://127.0.0.1:1',
        isReady: false,
        health: null,
        why: expect.stringContaining('ECONNREFUSED'),
      },
      {
        endpoint: page.url,
        isReady: false,
        health: null,
        why: expect.stringContaining('something else than a health'),
      },
    ])
  })
})
