/** The client over STOQ: real UDP sockets, the node's own listener, and a platform that has no QUIC. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EndpointChoice } from '../../src/client/endpoint.ts'
import type { HypermeshClient } from '../../src/client/hypermesh-client.ts'
import { nodeClient } from '../../src/client/node/node-client.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import { makeCaServer } from '../../src/rpc/http/ca-server.ts'
import { makeSelfSigned } from '../../src/rpc/http/self-signed.ts'
import { StoqListener } from '../../src/rpc/stoq/stoq-listener.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { endAll, run } from '../support/cli/processes.ts'
import { FakeClock, FakeNetwork } from '../support/fake-network.ts'
import { certificateRequest, fourProofRequest } from '../support/requests.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const limiter = new ClientLimiter(() => performance.now())

let network: FakeNetwork
let service: ValidationService
let listener: StoqListener
let accepted: number
let calls: string[]
/** What the service says of its calls. */
let served: string[]
/** What carried those that an audit log would keep. */
let carriers: Set<string>
let made: { close(): Promise<unknown> }[]

async function listen(host: string, port = 0): Promise<StoqListener> {
  const started = new StoqListener({
    listen: { host, port },
    tls: makeSelfSigned(['localhost'], Date.now()),
    service,
    limiter,
    logger,
    observe: {
      connection: () => {
        accepted++
      },
      closed: () => {},
      call: (result) => calls.push(result),
    },
    limits: { closeGraceMs: 200 },
  })
  await started.start()
  made.push(started)
  return started
}

function clientOf(options: Partial<Parameters<typeof nodeClient>[0]> = {}): HypermeshClient {
  const client = nodeClient({ endpoints: [listener.url], deadlineMs: 10_000, passesMax: 1, ...options })
  made.push(client)
  return client
}

beforeEach(async () => {
  network = new FakeNetwork()
  network.answersAtOnce = true
  served = []
  carriers = new Set()
  service = new ValidationService({
    ...network,
    clock: new FakeClock(),
    nodeName: 'n-1',
    version: '1',
    observe: ({ result }) => served.push(result),
    audit: { record: ({ carrier }) => carriers.add(carrier), refusesBecause: () => null },
  })
  accepted = 0
  calls = []
  made = []
  listener = await listen('::1')
})
afterEach(async () => {
  for (const open of made.reverse()) await open.close()
  service.close()
  await endAll()
})

it('gets verdicts, statuses and health over one connection, many at a time', async () => {
  const client = clientOf()
  const verdict = await client.validateCertificate(certificateRequest('id-1'))
  expect(verdict).toMatchObject({ isValid: true, endpoint: listener.url, answer: { validatorId: 'n-1' } })
  expect((await client.validateProofs(fourProofRequest())).isValid).toBe(true)
  expect(await client.status('id-1')).toMatchObject({ kind: 'valid' })
  expect(await client.health()).toMatchObject([{ isReady: true }])
  const verdicts = await Promise.all(
    Array.from({ length: 100 }, (_, i) => client.validateCertificate(certificateRequest(`many-${i}`))),
  )
  expect(verdicts.filter(({ isValid }) => isValid)).toHaveLength(100)
  const batch = await client.batch([
    { certificate: certificateRequest('b') },
    { fourProof: fourProofRequest() },
  ])
  expect(batch).toMatchObject([{ verdict: { isValid: true } }, { verdict: { isValid: true } }])
  expect(accepted).toBe(1)
  expect([...carriers]).toEqual(['stoq'])
})

it('dials again when the node has been started again', async () => {
  const port = Number(new URL(listener.url).port)
  const client = clientOf({ passesMax: 100 })
  await client.validateCertificate(certificateRequest('before'))
  await listener.close()
  const waiting = client.validateCertificate(certificateRequest('while it is down'))
  await listen('::1', port)
  expect((await waiting).isValid).toBe(true)
  expect(accepted).toBeGreaterThan(1)
})

it('cuts a call that it gives up, and the node does not go on waiting for it', async () => {
  network.answersAtOnce = false
  const client = clientOf()
  const giveUp = new AbortController()
  const call = client.validateCertificate(certificateRequest('id-1'), { signal: giveUp.signal })
  await expect.poll(() => network.submitted.length).toBe(1)
  giveUp.abort(new Error('no longer wanted'))
  await expect(call).rejects.toThrow('no longer wanted')
  await expect.poll(() => [calls, served], { timeout: 5_000 }).toEqual([['gone'], ['abandoned']])
})

it('says why a node does not answer', async () => {
  const client = clientOf({ deadlineMs: 500 })
  await listener.close()
  await expect(client.validateCertificate(certificateRequest())).rejects.toMatchObject({
    code: 'E_NO_ANSWER',
  })
})

const TRUST = /cannot be verified: a node makes its STOQ certificate itself$/

it('asks another machine only when any certificate is fine', async () => {
  const local = await listen('127.0.0.1')
  // Not a form of loopback that is known to be one.
  const mapped = local.url.replace('127.0.0.1', '[::ffff:127.0.0.1]')
  for (const tls of [undefined, { kind: 'system' }] as const) {
    const wary = clientOf({ endpoints: [mapped], ...(tls === undefined ? {} : { tls }) })
    const refused = wary.validateCertificate(certificateRequest())
    await expect(refused).rejects.toMatchObject({
      code: 'E_STOQ_TRUST',
      message: expect.stringMatching(TRUST),
    })
  }
  const trusting = clientOf({ endpoints: [mapped], tls: { kind: 'any' } })
  expect(await trusting.validateCertificate(certificateRequest())).toMatchObject({ endpoint: mapped })
})

it('passes over published listeners that it may not ask', async () => {
  const origin = { kind: 'srv', name: '_stoq._udp.x', priority: 1, weight: 1, isStale: false } as const
  const far: EndpointChoice = { endpoint: 'stoq://192.0.2.1', priority: 0, weight: 1, origin }
  const near: EndpointChoice = { endpoint: listener.url, priority: 1, weight: 1, origin }
  const client = clientOf({ endpoints: [far, near] })
  expect((await client.validateCertificate(certificateRequest())).endpoint).toBe(listener.url)
  expect(client.endpoints().map(({ endpoint }) => endpoint)).toEqual([listener.url])
  const alone = clientOf({ endpoints: [far] }).validateCertificate(certificateRequest())
  await expect(alone).rejects.toMatchObject({
    code: 'E_NO_ENDPOINT',
    advice: { why: expect.stringMatching(TRUST) },
  })
})

it('asks over HTTP where there is no QUIC for the platform', async () => {
  const http = makeCaServer(service, { listen: { host: '::1', port: 0 }, tls: null, limiter, logger })
  await http.start()
  made.push(http)
  const script = `
    const { nodeClient } = await import('${join(import.meta.dirname, '../../src/client/node/node-client.ts')}')
    const { configuredEndpoints } = await import('${join(import.meta.dirname, '../../src/client/endpoint.ts')}')
    const [stoq, http] = process.argv.slice(1)
    const attempts = []
    const client = nodeClient({
      endpoints: configuredEndpoints([stoq, http], 'as-given'), passesMax: 1,
      onAttempt: ({ endpoint, outcome, why }) => attempts.push({ endpoint, outcome, why }),
    })
    await client.status('nobody-asked')
    await client.close()
    console.log(JSON.stringify(attempts))
  `
  const command = [process.execPath, '--input-type=module', '-e', script, listener.url, http.url]
  // The library's own setting: look for its native part there, and nowhere else.
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere/http3.node' }
  const { code, stdout, stderr } = await run(command, { env }).ended
  expect([code, stderr]).toEqual([0, ''])
  expect(JSON.parse(stdout)).toMatchObject([
    {
      endpoint: listener.url,
      outcome: 'unreachable',
      why: expect.stringContaining('there is no QUIC for STOQ on this platform'),
    },
    { endpoint: http.url, outcome: 'unknown' },
  ])
})
