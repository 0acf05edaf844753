/** The HTTP listeners over real sockets: TrustChain's routes over TLS, the public API, metrics, probes. */

import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import type { ApiPorts, BlockReference, BlockView, TrustHistoryView } from '../../src/rpc/http/api-ports.ts'
import { makeApiServer } from '../../src/rpc/http/api-server.ts'
import { makeCaServer } from '../../src/rpc/http/ca-server.ts'
import { HttpError } from '../../src/rpc/http/errors.ts'
import type { HttpListener, ListenerOptions } from '../../src/rpc/http/listener.ts'
import { makeMetricsServer } from '../../src/rpc/http/metrics-server.ts'
import { loadOrMakeSelfSigned, makeSelfSigned, type TlsMaterial } from '../../src/rpc/http/self-signed.ts'
import type { StakingPorts } from '../../src/rpc/http/staking-ports.ts'
import type { Logger } from '../../src/types/logger.ts'
import type { ValidationAnswer } from '../../src/validation/answer.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork, verdictOf } from '../support/fake-network.ts'
import { type Call, callHttp, type Reply, resultIn } from '../support/http-calls.ts'
import { certificateRequest, vector } from '../support/requests.ts'

/** 512 bytes, the longest that the rules let through. */
const LONGEST_ID = 'ü'.repeat(256)
const tls: TlsMaterial = makeSelfSigned(['localhost', '::1', '127.0.0.1'], Date.now())

let network: FakeNetwork
let clock: FakeClock
let service: ValidationService
let open: HttpListener[]
let errors: unknown[]

const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields) => errors.push(fields),
}

function optionsOf(overrides: Partial<ListenerOptions> = {}): ListenerOptions {
  return {
    listen: { host: '::1', port: 0 },
    tls,
    limiter: new ClientLimiter(() => performance.now()),
    logger,
    ...overrides,
  }
}

async function started(listener: HttpListener): Promise<HttpListener> {
  await listener.start()
  open.push(listener)
  return listener
}

function call(listener: HttpListener, path: string, options: Call = {}): Promise<Reply> {
  return callHttp(listener.url, path, { ca: tls.cert, ...options })
}

const answerIn = (reply: Reply): ValidationAnswer => resultIn(reply.body)

beforeEach(() => {
  network = new FakeNetwork()
  clock = new FakeClock()
  service = new ValidationService({ ...network, clock, nodeName: 'node-1', version: '1.2.3' })
  open = []
  errors = []
})
afterEach(async () => {
  await Promise.all(open.map((listener) => listener.close()))
  service.close()
  expect(errors).toEqual([])
})

const CERTIFICATE = '/consensus/validation/certificate'
const FOUR_PROOF = '/consensus/validation/four-proof'

describe('the CA endpoint', () => {
  it.each([
    [CERTIFICATE, 'certreq_json', { 'content-type': 'application/json' }],
    [CERTIFICATE, 'certreq_json', { 'content-type': 'application/x-www-form-urlencoded' }],
    [CERTIFICATE, 'certreq_json', { 'content-type': 'nonsense;;;' }],
    [CERTIFICATE, 'certreq_json', {}],
    [FOUR_PROOF, 'fpreq_json', { 'content-type': 'application/json; charset=utf-8' }],
  ])('answers %s over TLS, whatever the body is called', async (path, name, headers) => {
    network.answersAtOnce = true
    const server = await started(makeCaServer(service, optionsOf()))
    const reply = await call(server, path, { body: vector(name), headers })
    expect(reply.status).toBe(200)
    expect(reply.headers['content-type']).toMatch(/^application\/json/)
    expect(answerIn(reply).result).toEqual({ kind: 'valid' })
    const again = await call(server, path, { body: vector(name), headers })
    expect(again.body).toBe(reply.body)
    expect(network.submitted).toHaveLength(1)
  })

  it('hands the nonce on with every digit', async () => {
    network.answersAtOnce = true
    const server = await started(makeCaServer(service, optionsOf()))
    await call(server, CERTIFICATE, { body: vector('certreq_json') })
    const { transaction } = network.submitted[0] ?? {}
    expect(
      transaction?.kind === 'validate-certificate' &&
        transaction.request.certificateRequest.consensusProof.timeProof.nonce,
    ).toBe(18446744073709551557n)
  })

  it('answers Invalid with 200', async () => {
    network.answersAtOnce = true
    network.failures = [{ subject: 'stake', reason: 'stake_amount is 5, at least 1000 is required' }]
    const server = await started(makeCaServer(service, optionsOf()))
    const reply = await call(server, CERTIFICATE, { body: vector('certreq_json') })
    expect(reply.status).toBe(200)
    expect(answerIn(reply).result).toMatchObject({ kind: 'invalid', failedProofs: ['stake_proof'] })
  })

  it('answers what cannot be read with 400, the path and the expectation', async () => {
    const server = await started(makeCaServer(service, optionsOf()))
    const body = vector('certreq_json').replace('18446744073709551557', '-1')
    const reply = await call(server, CERTIFICATE, { body })
    expect(reply.status).toBe(400)
    expect(answerIn(reply).result).toEqual({
      kind: 'error',
      errorCode: 'INVALID_PROOF_FORMAT',
      message:
        'certificate_request.consensus_proof.time_proof.nonce: expected an unsigned 64-bit integer, got -1',
    })
  })

  it.each(['', '{', 'null', '[]'])('answers the body %j with 400', async (body) => {
    const server = await started(makeCaServer(service, optionsOf()))
    const reply = await call(server, CERTIFICATE, { body })
    expect(reply.status).toBe(400)
    expect(answerIn(reply).result).toMatchObject({ errorCode: 'INVALID_PROOF_FORMAT' })
  })

  it('answers a body beyond the limit with 413 and goes on', async () => {
    const server = await started(makeCaServer(service, optionsOf()))
    const reply = await call(server, CERTIFICATE, { body: Buffer.alloc(2 * 1024 * 1024 + 1, 0x20) })
    expect(reply.status).toBe(413)
    expect(answerIn(reply).result).toMatchObject({
      errorCode: 'REQUEST_TOO_LARGE',
      message: 'the body has more than 2097152 bytes; send less in one request',
    })
    expect((await call(server, '/consensus/health')).status).toBe(200)
  })

  it('answers a verdict that does not come with 504, and the status later', async () => {
    const server = await started(makeCaServer(service, optionsOf()))
    const asked = call(server, CERTIFICATE, { body: vector('certreq_json') })
    await expect.poll(() => clock.timers).toBe(1)
    clock.advance(8_000)
    const reply = await asked
    expect(reply.status).toBe(504)
    expect(answerIn(reply).result).toMatchObject({ errorCode: 'VALIDATION_TIMEOUT' })
    const path = `/consensus/validation/status/${encodeURIComponent(certificateRequest().requestId)}`
    expect(answerIn(await call(server, path)).result.kind).toBe('pending')
    const [transaction] = network.submitted
    if (transaction === undefined) throw new Error('nothing was submitted')
    network.finalize(verdictOf(transaction))
    expect(answerIn(await call(server, path)).result.kind).toBe('valid')
  })

  it('answers 503 with the reason while it is not ready', async () => {
    network.notReady = 'still syncing'
    const server = await started(makeCaServer(service, optionsOf()))
    const reply = await call(server, CERTIFICATE, { body: vector('certreq_json') })
    expect(reply.status).toBe(503)
    expect(answerIn(reply).result).toMatchObject({ message: 'still syncing' })
    const health = await call(server, '/consensus/health')
    expect(health.status).toBe(503)
    expect(JSON.parse(health.body)).toMatchObject({ status: 'not-ready', reason: 'still syncing' })
  })

  it.each(['trustchain-1760000000200-*.hypermesh.online', 'with/slash and space', 'ümläut', '%', LONGEST_ID])(
    'finds the status of an id like %.50s',
    async (id) => {
      network.finalize(
        verdictOf(hashTransaction({ kind: 'validate-certificate', request: certificateRequest(id) })),
      )
      const server = await started(makeCaServer(service, optionsOf()))
      const reply = await call(server, `/consensus/validation/status/${encodeURIComponent(id)}`)
      expect([reply.status, answerIn(reply).result.kind]).toEqual([200, 'valid'])
    },
  )

  it.each(['unknown', 'trustchain-1-*.x', LONGEST_ID])(
    'answers the unknown id %.50s with 404',
    async (id) => {
      const server = await started(makeCaServer(service, optionsOf()))
      const reply = await call(server, `/consensus/validation/status/${encodeURI(id)}`)
      expect(reply.status).toBe(404)
      expect(answerIn(reply).result).toMatchObject({ errorCode: 'REQUEST_NOT_FOUND' })
    },
  )

  it.each([
    ['an escape that is none', '/consensus/validation/status/%zz', 400, 'INVALID_PROOF_FORMAT'],
    [
      'an id beyond every bound',
      `/consensus/validation/status/${'c'.repeat(9_000)}`,
      414,
      'REQUEST_TOO_LARGE',
    ],
    ['an unknown route', '/x', 404, 'ROUTE_NOT_FOUND'],
  ])('answers %s with a full result', async (_name, path, status, errorCode) => {
    const server = await started(makeCaServer(service, optionsOf()))
    const reply = await call(server, path)
    expect(reply.status).toBe(status)
    expect(answerIn(reply).result).toMatchObject({ kind: 'error', errorCode })
  })

  it('tells health and metrics', async () => {
    network.answersAtOnce = true
    const server = await started(makeCaServer(service, optionsOf()))
    await call(server, CERTIFICATE, { body: vector('certreq_json') })
    expect((await call(server, '/consensus/health')).body).toBe(
      '{"status":"healthy","service":"hypermesh-consensus","version":"1.2.3"}',
    )
    expect(JSON.parse((await call(server, '/consensus/metrics')).body)).toEqual({
      total_requests: 1,
      successful_validations: 1,
      failed_validations: 0,
      avg_validation_time_us: 0,
      pending_validations: 0,
      byzantine_faults_detected: 0,
      last_updated: { secs_since_epoch: 1_760_000_000, nanos_since_epoch: 0 },
    })
  })

  it('limits a client, and says when to come back', async () => {
    const rate = { perSecond: 0.001, burst: 2 }
    const limiter = new ClientLimiter(() => 0, { remote: rate, loopback: rate, clientsMax: 8 })
    const server = await started(makeCaServer(service, optionsOf({ limiter })))
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await call(server, '/consensus/health')).status)
    expect(statuses).toEqual([200, 200, 429])
  })

  it('serves plain HTTP when that is chosen', async () => {
    const server = await started(
      makeCaServer(service, optionsOf({ tls: null, listen: { host: '127.0.0.1', port: 0 } })),
    )
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await call(server, '/consensus/health')).status).toBe(200)
  })

  it('reports what it answered by route, never by path', async () => {
    const seen: string[] = []
    const observe = (route: string, status: number): void => {
      seen.push(`${status} ${route}`)
    }
    const server = await started(makeCaServer(service, optionsOf({ observe })))
    await call(server, '/consensus/validation/status/x')
    await call(server, '/nowhere')
    await expect.poll(() => seen).toEqual(['404 /consensus/validation/status/:id', '404 other'])
  })

  it('answers 200 requests over one connection at once', async () => {
    network.answersAtOnce = true
    const server = await started(makeCaServer(service, optionsOf()))
    const agent = new Agent({ keepAlive: true, maxSockets: 8, ca: tls.cert })
    try {
      const replies = await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          call(server, CERTIFICATE, {
            agent,
            body: vector('certreq_json').replace('"request_id":"', `"request_id":"${i}-`),
          }),
        ),
      )
      expect(replies.map((reply) => answerIn(reply).result.kind)).toEqual(Array(200).fill('valid'))
    } finally {
      agent.destroy()
    }
  })
})

describe('opening and closing', () => {
  it('names the address when the port is taken, with exit code 69', async () => {
    const first = await started(makeCaServer(service, optionsOf()))
    const port = Number(new URL(first.url).port)
    const second = makeCaServer(service, optionsOf({ listen: { host: '::1', port } }))
    const error = await second.start().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HttpError)
    expect(error).toMatchObject({ code: 'E_PORT_IN_USE', exitCode: 69 })
    expect(String(error)).toContain(`[::1]:${port}`)
    await second.close()
  })

  it('ends keep-alive connections, and lets a request under way be answered', async () => {
    const server = makeCaServer(service, optionsOf())
    await server.start()
    const agent = new Agent({ keepAlive: true, ca: tls.cert })
    await call(server, '/consensus/health', { agent })
    const asked = call(server, CERTIFICATE, { body: vector('certreq_json') })
    await expect.poll(() => network.submitted.length).toBe(1)
    const closing = server.close()
    const [transaction] = network.submitted
    if (transaction === undefined) throw new Error('nothing was submitted')
    network.finalize(verdictOf(transaction))
    expect((await asked).status).toBe(200)
    await closing
    agent.destroy()
  })
})

describe('the self-signed certificate', () => {
  it('is made once, names the loopback, and keeps its key to itself', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hypermesh-tls-'))
    try {
      const path = join(directory, 'tls')
      const made = await loadOrMakeSelfSigned(path, Date.now())
      const certificate = new X509Certificate(made.cert)
      expect(certificate.checkHost('localhost')).toBe('localhost')
      expect(certificate.checkIP('::1')).toBe('::1')
      expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
      expect(certificate.verify(certificate.publicKey)).toBe(true)
      expect(certificate.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
      expect((await stat(join(path, 'rpc.key'))).mode & 0o777).toBe(0o600)
      expect(await loadOrMakeSelfSigned(path, Date.now())).toEqual(made)
      const inElevenYears = Date.now() + 11 * 366 * 86_400_000
      expect((await loadOrMakeSelfSigned(path, inElevenYears)).cert).not.toBe(made.cert)
    } finally {
      await rm(directory, { recursive: true })
    }
  })

  it('says what to do about files that are none', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hypermesh-tls-'))
    try {
      await writeFile(join(directory, 'rpc.crt'), 'not a certificate')
      await writeFile(join(directory, 'rpc.key'), 'not a key')
      await expect(loadOrMakeSelfSigned(directory, Date.now())).rejects.toMatchObject({ code: 'E_TLS_FILES' })
      expect(await readFile(join(directory, 'rpc.key'), 'utf8')).toBe('not a key')
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

const BLOCK: BlockView = {
  hash: 'cd'.repeat(32),
  height: 7,
  view: 9,
  epoch: 0,
  parentHash: '00'.repeat(32),
  time: 1_760_000_000_000,
  proposer: 2,
  transactionsRoot: '11'.repeat(32),
  proofCommitment: '22'.repeat(48),
  noteCommitmentRoot: '33'.repeat(32),
  nullifierRoot: '44'.repeat(32),
  parentStateRoot: '55'.repeat(32),
  stateRoot: null,
  isFinal: true,
  voters: [0, 1, 2],
  bytes: 512,
  transactions: [],
}

const HISTORY: TrustHistoryView = {
  account: 'ef'.repeat(32),
  now: {
    score: 0.64,
    ppm: 640_000,
    status: 'active',
    exclusions: 0,
    excludedUntilPeriod: null,
    cleanPeriods: 0,
    slots: 1,
    agreed: 0,
    dissented: 1,
    withheld: 0,
    absent: 0,
  },
  changes: [
    {
      height: 7,
      period: 0,
      from: 800_000,
      ppm: 640_000,
      status: 'active',
      slots: 1,
      agreed: 0,
      dissented: 1,
      withheld: 0,
      absent: 0,
    },
  ],
}

describe('the public API and metrics', () => {
  const asked: BlockReference[] = []
  let ready = true
  const staking: StakingPorts = {
    account: () => null,
    slashes: () => [],
    transaction: (key) => ({ key, state: 'unknown', height: null }),
    submit: () => ({ is: 'busy', code: 'full', detail: 'no room' }),
  }
  const unused = (): never => {
    throw new Error('not asked for')
  }
  const ports: ApiPorts = {
    staking,
    shielded: { state: unused, page: unused },
    operators: { operator: unused, policy: unused },
    trustHistory: (id) => (id === 'ab'.repeat(32) ? HISTORY : null),
    operations: { operations: unused, operation: unused },
    status: () => {
      throw new Error('a fault')
    },
    lowestHeight: () => 5,
    peers: async () => [],
    validators: () => [
      {
        index: 0,
        validatorId: 'ab',
        stake: 2n ** 63n,
        nextStake: 0n,
        isThisNode: true,
        isConnected: false,
        trust: null,
      },
    ],
    block: (reference) => {
      asked.push(reference)
      return reference.kind === 'height' && (reference.height === 8 || reference.height < 5) ? null : BLOCK
    },
    readiness: () => [
      { name: 'database', ok: true, reason: null },
      { name: 'quorum', ok: ready, reason: ready ? null : 'no quorum seen for 12 s: 2 of 4 validators' },
    ],
  }
  const plain = { tls: null, listen: { host: '127.0.0.1', port: 0 } }

  it('shows amounts with every digit, and blocks by any name', async () => {
    const server = await started(makeApiServer(ports, optionsOf(plain)))
    expect((await call(server, '/v1/peers')).body).toBe('[]')
    expect(JSON.parse((await call(server, '/v1/validators')).body)[0].stake).toBe('9223372036854775808')
    expect(JSON.parse((await call(server, `/v1/validators/${'ab'.repeat(32)}/trust`)).body)).toEqual(HISTORY)
    for (const name of ['7', 'head', 'final', 'ef'.repeat(32)]) {
      expect(JSON.parse((await call(server, `/v1/blocks/${name}`)).body)).toEqual(BLOCK)
    }
    expect(asked).toEqual([
      { kind: 'height', height: 7 },
      { kind: 'head' },
      { kind: 'final' },
      { kind: 'hash', hash: 'ef'.repeat(32) },
    ])
  })

  it.each([
    [`/v1/validators/${'cd'.repeat(32)}/trust`, 404, 'E_NO_VALIDATOR'],
    ['/v1/validators/0/trust', 404, 'E_NO_VALIDATOR'],
    ['/v1/blocks/8', 404, 'E_NO_BLOCK'],
    ['/v1/blocks/4', 410, 'E_BLOCK_PRUNED'],
    ['/v1/blocks/08', 400, 'E_BLOCK_REFERENCE'],
    ['/v1/blocks/-1', 400, 'E_BLOCK_REFERENCE'],
    ['/v1/blocks/9999999999999999', 400, 'E_BLOCK_REFERENCE'],
    ['/v1/blocks/XY', 400, 'E_BLOCK_REFERENCE'],
    ['/v1/nothing', 404, 'E_NO_ROUTE'],
  ])('answers %s with a problem', async (path, status, code) => {
    const server = await started(makeApiServer(ports, optionsOf(plain)))
    const reply = await call(server, path)
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(reply.body)).toMatchObject({ status, code, requestId: expect.any(String) })
    expect(reply.status).toBe(status)
  })

  it('answers a fault of ours with 500, logs it, and tells nothing of it', async () => {
    const server = await started(makeApiServer(ports, optionsOf(plain)))
    const reply = await call(server, '/v1/status')
    expect(reply.status).toBe(500)
    expect(reply.body).not.toContain('a fault"')
    expect(errors).toHaveLength(1)
    errors = []
  })

  it('is alive, and ready exactly when every check holds', async () => {
    const server = await started(
      makeMetricsServer({ ...ports, metrics: async () => 'up 1\n' }, optionsOf(plain)),
    )
    ready = true
    expect((await call(server, '/livez')).status).toBe(200)
    expect((await call(server, '/readyz')).body).toBe('{"ready":true,"checks":[]}')
    expect(JSON.parse((await call(server, '/readyz?verbose')).body).checks).toHaveLength(2)
    ready = false
    const reply = await call(server, '/readyz')
    expect(reply.status).toBe(503)
    expect(JSON.parse(reply.body)).toEqual({
      ready: false,
      checks: [{ name: 'quorum', ok: false, reason: 'no quorum seen for 12 s: 2 of 4 validators' }],
    })
    ready = true
    const metrics = await call(server, '/metrics')
    expect(metrics.body).toBe('up 1\n')
    expect(metrics.headers['content-type']).toContain('version=0.0.4')
  })
})
