/** STOQ over real UDP sockets, with our own client: calls, bounds, half-open streams, floods, draining. */
import { createSocket } from 'node:dgram'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import {
  decodeEnvelopeResponse,
  ENVELOPE_BYTES_MAX,
  type EnvelopeRequest,
  type EnvelopeResponse,
  encodeEnvelopeRequest,
} from '../../src/rpc/envelope.ts'
import { makeSelfSigned } from '../../src/rpc/http/self-signed.ts'
import { readJson } from '../../src/rpc/json-shape.ts'
import { StoqError } from '../../src/rpc/stoq/errors.ts'
import { dialQuic, type QuicClient, type QuicStream } from '../../src/rpc/stoq/quic.ts'
import { StoqClient } from '../../src/rpc/stoq/stoq-client.ts'
import { StoqListener, type StoqListenerOptions } from '../../src/rpc/stoq/stoq-listener.ts'
import { validationAnswer } from '../../src/rpc/trustchain-json-response.ts'
import type { Logger } from '../../src/types/logger.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock, FakeNetwork, verdictOf } from '../support/fake-network.ts'
import { vector } from '../support/requests.ts'

const MIB = 1024 * 1024
/** For a hang; a busy machine takes a part of it. */
const DEADLINE_MS = 60_000
const tls = makeSelfSigned(['localhost', '::1'], Date.now())

let network: FakeNetwork
let service: ValidationService
let listener: StoqListener
let toClose: { close(): Promise<void> }[]
let problems: unknown[]
let calls: string[]
let connections: { accepted: number; refused: number; open: number }

const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (fields) => problems.push(fields),
  error: (fields) => problems.push(fields),
}

async function listen(overrides: Partial<StoqListenerOptions> = {}): Promise<StoqListener> {
  const made = new StoqListener({
    listen: { host: '::1', port: 0 },
    tls,
    service,
    limiter: new ClientLimiter(() => performance.now()),
    logger,
    observe: {
      connection: (result, open) => {
        connections[result] += 1
        connections.open = open
      },
      closed: (open) => {
        connections.open = open
      },
      call: (result) => calls.push(result),
    },
    ...overrides,
  })
  await made.start()
  toClose.unshift(made)
  return made
}

const portOf = (of: StoqListener): number => Number(new URL(of.url).port)

async function connect(of: StoqListener = listener): Promise<StoqClient> {
  const client = await StoqClient.connect({ host: '::1', port: portOf(of) }, DEADLINE_MS)
  toClose.unshift(client)
  return client
}

async function dial(of: StoqListener = listener): Promise<QuicClient> {
  const options = { host: '::1', port: portOf(of), serverName: 'hypermesh' }
  const connection = await dialQuic({ ...options, deadlineMs: DEADLINE_MS, idleTimeoutMs: 60_000 })
  toClose.unshift(connection)
  return connection
}

function requestOf(method: string, payload: string | Uint8Array = 'null', id = 'id-1'): EnvelopeRequest {
  return { id, service: 'hypermesh', method, payload: Buffer.from(payload), metadata: [] }
}

/** Makes the verdicts final that are waited for. */
function decide(): void {
  network.finalize(...network.submitted.map((transaction) => verdictOf(transaction)))
}

/** What comes back on a stream until its end. */
function answerOn(stream: QuicStream): Promise<EnvelopeResponse> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    stream.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    stream.on('error', reject)
    stream.on('end', () => {
      const answer = decodeEnvelopeResponse(Buffer.concat(chunks))
      if (answer.ok) resolve(answer.value)
      else reject(new Error(answer.detail))
    })
  })
}

async function failureOf(promise: Promise<unknown>): Promise<StoqError> {
  const error = await promise.then(
    () => new Error('it went well'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof StoqError) return error
  throw error
}

beforeEach(async () => {
  network = new FakeNetwork()
  network.answersAtOnce = true
  service = new ValidationService({
    ...network,
    clock: new FakeClock(),
    nodeName: 'node-1',
    version: '1.2.3',
  })
  toClose = []
  problems = []
  calls = []
  connections = { accepted: 0, refused: 0, open: 0 }
  listener = await listen()
})
afterEach(async () => {
  for (const open of toClose) await open.close()
  service.close()
  expect(problems).toEqual([])
})

describe('a call', () => {
  it('is answered by the same handler as over the other carriers', async () => {
    const client = await connect()
    const health = await client.call(requestOf('consensus/health'), DEADLINE_MS)
    expect(health).toMatchObject({ requestId: 'id-1', success: true, error: null })
    expect(JSON.parse(Buffer.from(health.payload).toString())).toMatchObject({ status: 'healthy' })

    const certificate = requestOf('consensus/validate_certificate', vector('certreq_json'))
    const verdict = await client.call(certificate, DEADLINE_MS)
    const answer = readJson(validationAnswer, verdict.payload)
    expect(answer.ok && answer.value.result.kind).toBe('valid')
    expect((await client.call(certificate, DEADLINE_MS)).payload).toEqual(verdict.payload)

    const proofs = await client.call(
      requestOf('consensus/validate_proofs', vector('fpreq_json')),
      DEADLINE_MS,
    )
    expect(proofs.success).toBe(true)
    const status = requestOf('consensus/validation_status', '{"request_id":"nobody-asked"}')
    const unknown = await client.call(status, DEADLINE_MS)
    expect(Buffer.from(unknown.payload).toString()).toContain('REQUEST_NOT_FOUND')
  })

  it.each([1, 10, 100, 500, 2_000])(
    'is answered among %i at a time on one connection',
    {
      timeout: 90_000,
    },
    async (count) => {
      const client = await connect()
      const answers = await Promise.all(
        Array.from({ length: count }, (_, i) =>
          client.call(requestOf('consensus/health', 'null', `id-${i}`), DEADLINE_MS),
        ),
      )
      expect(answers.map(({ requestId, success }) => [requestId, success])).toEqual(
        Array.from({ length: count }, (_, i) => [`id-${i}`, true]),
      )
    },
  )

  it('does not wait for one that takes long', async () => {
    network.answersAtOnce = false
    const client = await connect()
    const slow = client.call(
      requestOf('consensus/validate_certificate', vector('certreq_json'), 'slow'),
      DEADLINE_MS,
    )
    await eventually(() => expect(network.submitted).toHaveLength(1))
    const fast = await client.call(requestOf('consensus/health', 'null', 'fast'), DEADLINE_MS)
    expect(fast.requestId).toBe('fast')
    decide()
    expect((await slow).requestId).toBe('slow')
  })
})

describe('bad input', () => {
  it('gets an error envelope, and the connection goes on', async () => {
    const client = await connect()
    const garbage = decodeEnvelopeResponse(await client.exchange(Buffer.from('no envelope'), DEADLINE_MS))
    expect(garbage.ok && garbage.value).toMatchObject({ requestId: '', success: false })
    expect(garbage.ok && garbage.value.error).toMatch(/^Invalid request format: /)
    const empty = decodeEnvelopeResponse(await client.exchange(new Uint8Array(), DEADLINE_MS))
    expect(empty.ok && empty.value.error).toMatch(/^Invalid request format: /)
    const unknown = await client.call(requestOf('consensus/make_coffee'), DEADLINE_MS)
    expect(unknown).toMatchObject({ requestId: 'id-1', success: false })
    expect(unknown.error).toBe('Handler not found: hypermesh/consensus/make_coffee')
    const noJson = await client.call(requestOf('consensus/validate_certificate', '{'), DEADLINE_MS)
    expect(noJson.error).toMatch(/^Invalid request: Invalid certificate request: /)
    expect((await client.call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
  })

  it('is told that its payload is too long, and that its request is', async () => {
    const client = await connect()
    const long = requestOf('consensus/validate_certificate', Buffer.alloc(9 * MIB, ' '))
    const payload = await client.call(long, DEADLINE_MS)
    expect(payload).toMatchObject({ requestId: 'id-1', success: false })
    expect(payload.error).toMatch(/9437184 bytes/)

    const tooLong = decodeEnvelopeResponse(
      await client.exchange(Buffer.alloc(ENVELOPE_BYTES_MAX + 1), DEADLINE_MS),
    )
    expect(tooLong.ok && tooLong.value.error).toBe(
      `Invalid request format: more than ${ENVELOPE_BYTES_MAX} bytes`,
    )
    expect(calls.filter((result) => result === 'too-long')).toHaveLength(1)
    expect((await client.call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
  })

  it('is refused when one client asks for more than the rate', async () => {
    const limiter = new ClientLimiter(() => 0, {
      remote: { perSecond: 1, burst: 1 },
      loopback: { perSecond: 2, burst: 2 },
      clientsMax: 4,
    })
    const client = await connect(await listen({ limiter }))
    const answers = []
    for (let i = 0; i < 3; i++) answers.push(await client.call(requestOf('consensus/health'), DEADLINE_MS))
    expect(answers.map(({ success }) => success)).toEqual([true, true, false])
    expect(answers[2]?.error).toBe(
      'Handler error: TOO_MANY_REQUESTS: the limit is 2 requests a second from one client, 2 at once; try again in 1 s',
    )
  })
})

describe('a stream that is left half open', () => {
  it('is answered and cut after the deadline', async () => {
    const hasty = await listen({ limits: { requestDeadlineMs: 200 } })
    const connection = await dial(hasty)
    const stream = connection.open()
    const answer = answerOn(stream)
    stream.write(encodeEnvelopeRequest(requestOf('consensus/health')).subarray(0, 10))
    expect((await answer).error).toBe('Invalid request format: not finished within 0.2 s')
    // What is still written comes to a stream that the other side has given up.
    const closed = new Promise((resolve) => stream.on('close', resolve))
    const drip = setInterval(() => stream.write('x'), 50)
    await closed.finally(() => clearInterval(drip))
    expect(calls).toEqual(['late'])
    expect((await (await connect(hasty)).call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
  })

  it('leaves the node serving when there are as many as a connection may have', async () => {
    const hasty = await listen({ limits: { requestDeadlineMs: 500 } })
    const connection = await dial(hasty)
    const half = Array.from({ length: 990 }, () => connection.open())
    for (const stream of half) {
      stream.on('error', () => {})
      stream.resume()
      stream.write('x')
    }
    const client = await connect(hasty)
    expect((await client.call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
    await eventually(() => expect(calls.filter((result) => result === 'late')).toHaveLength(990))
    expect((await client.call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
  })

  it('is forgotten when the caller resets it or goes away', async () => {
    const connection = await dial()
    const stream = connection.open()
    stream.on('error', () => {})
    stream.write('x')
    const other = connection.open()
    other.on('error', () => {})
    other.write('x')
    const client = await connect()
    await client.call(requestOf('consensus/health'), DEADLINE_MS)
    stream.close(7)
    await eventually(() => expect(calls).toEqual(['answered', 'gone']))
    await connection.close()
    await eventually(() => expect(calls).toEqual(['answered', 'gone', 'gone']))
    expect((await client.call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
  })
})

describe('the listener', () => {
  it('lets one client have so many connections and no more', async () => {
    const narrow = await listen({ limits: { connectionsPerLoopback: 2 } })
    const first = await connect(narrow)
    const second = await connect(narrow)
    // A refusal may overtake the end of the handshake, and then says no why: the next one need not.
    let attempts = 0
    const refused = await eventually(async () => {
      attempts++
      const third = connect(narrow).then((client) => client.call(requestOf('consensus/health'), DEADLINE_MS))
      const failure = await failureOf(third)
      expect(failure.code).toBe('E_STOQ_CONNECTION')
      return failure
    })
    expect(refused.advice.why).toMatch(/code 0: too many connections from this client/)
    expect(connections).toEqual({ accepted: 2, refused: attempts, open: 2 })
    await first.close()
    await eventually(() => expect(connections.open).toBe(1))
    expect((await second.call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
    expect((await (await connect(narrow)).call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(
      true,
    )
  })

  it('pings idle connections', async () => {
    const lively = await listen({ limits: { keepAliveMs: 100 } })
    const connection = await dialQuic({
      ...{ host: '::1', port: portOf(lively), serverName: 'hypermesh' },
      ...{ deadlineMs: DEADLINE_MS, idleTimeoutMs: 1_000 },
    })
    toClose.unshift(connection)
    // Three times what the client waits for a sign of life.
    const goneEarly = await Promise.race([
      new Promise((resolve) => connection.gone.addEventListener('abort', () => resolve(true))),
      new Promise((resolve) => setTimeout(() => resolve(false), 3_000)),
    ])
    expect(goneEarly).toBe(false)
    const stream = connection.open()
    const answer = answerOn(stream)
    stream.end(encodeEnvelopeRequest(requestOf('consensus/health')))
    expect((await answer).success).toBe(true)
  })

  it('finishes what is being answered, refuses what comes, and ends connections with code 0', async () => {
    network.answersAtOnce = false
    const client = await connect()
    const connection = await dial()
    const slow = client.call(
      requestOf('consensus/validate_certificate', vector('certreq_json'), 'slow'),
      DEADLINE_MS,
    )
    await eventually(() => expect(network.submitted).toHaveLength(1))
    const closing = listener.close()
    const refused = await client.call(requestOf('consensus/health'), DEADLINE_MS)
    expect(refused.error).toBe('Handler error: the node is stopping, try again')
    decide()
    expect((await slow).requestId).toBe('slow')
    await closing
    await eventually(() => expect(connection.gone.aborted).toBe(true))
    expect((connection.gone.reason as StoqError).advice.why).toBe('closed with code 0: closing')
    const gone = await failureOf(client.call(requestOf('consensus/health'), DEADLINE_MS))
    expect(gone.code).toBe('E_STOQ_CONNECTION')
    expect(connections.open).toBe(0)
  })

  it('says so when the port is taken, and when the address is not of this machine', async () => {
    const taken = await failureOf(listen({ listen: { host: '::1', port: portOf(listener) } }))
    expect(taken.code).toBe('E_PORT_IN_USE')
    expect(taken.message).toContain(`udp [::1]:${portOf(listener)} is in use`)
    expect(taken.advice.fix).toContain('stoq.listen')
    const foreign = await failureOf(listen({ listen: { host: '2001:db8::1', port: 0 } }))
    expect(foreign.code).toBe('E_LISTEN')
    expect(foreign.advice.why).toMatch(/EADDRNOTAVAIL/)
  })

  it('takes packets that are no QUIC', async () => {
    const socket = createSocket('udp6')
    const send = (bytes: Uint8Array): Promise<void> =>
      new Promise((resolve, reject) =>
        socket.send(bytes, portOf(listener), '::1', (error) => (error === null ? resolve() : reject(error))),
      )
    try {
      for (let i = 0; i < 200; i++) {
        const bytes = Buffer.alloc(1 + ((i * 37) % 1_300), i)
        bytes[0] = i % 2 === 0 ? 0xc0 | (i & 0x3f) : 0x40 | (i & 0x3f)
        await send(bytes)
      }
    } finally {
      socket.close()
    }
    expect((await (await connect()).call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
  })
})

describe('the client', () => {
  it('gives up at its deadline, and goes on', async () => {
    network.answersAtOnce = false
    const client = await connect()
    const certificate = requestOf('consensus/validate_certificate', vector('certreq_json'))
    expect((await failureOf(client.call(certificate, 200))).code).toBe('E_STOQ_LATE')
    decide()
    expect((await client.call(requestOf('consensus/health'), DEADLINE_MS)).success).toBe(true)
  })

  it('fails the calls under way when it is closed', async () => {
    network.answersAtOnce = false
    const client = await connect()
    const certificate = requestOf('consensus/validate_certificate', vector('certreq_json'))
    const failing = failureOf(client.call(certificate, DEADLINE_MS))
    await eventually(() => expect(network.submitted).toHaveLength(1))
    await client.close()
    expect((await failing).code).toBe('E_STOQ_CONNECTION')
    decide()
  })

  it('says that nobody answers', async () => {
    const closed = await listen()
    await closed.close()
    const nobody = await failureOf(StoqClient.connect({ host: '::1', port: portOf(closed) }, 300))
    expect(nobody.code).toBe('E_STOQ_CONNECT')
    expect(nobody.message).toBe(`no STOQ connection to ::1 port ${portOf(closed)}`)
  })
})
