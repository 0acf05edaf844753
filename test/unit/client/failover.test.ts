/** What the client does next, by what the nodes say: whom it asks, with which bytes, how long it waits, when it gives up. */
import { describe, expect, it } from 'vitest'
import type { ClientError } from '../../../src/client/client-error.ts'
import { configuredEndpoints } from '../../../src/client/endpoint.ts'
import {
  type CallOptions,
  type ClientOptions,
  HypermeshClient,
} from '../../../src/client/hypermesh-client.ts'
import { certificateRequestBytes, fourProofRequestBytes } from '../../../src/client/request-bytes.ts'
import { type Line, ScriptedNetwork } from '../../support/client/scripted-carrier.ts'
import { VirtualClock } from '../../support/client/virtual-clock.ts'
import { certificateRequest, fourProofRequest } from '../../support/requests.ts'

const A = 'https://a'
const B = 'https://b'
const C = 'https://c'

interface Run {
  readonly network: ScriptedNetwork
  readonly clock: VirtualClock
  readonly client: HypermeshClient
}

/** Endpoints in the order of the scripts; every wait is half of its bound. */
function setUp(
  scripts: Readonly<Record<string, readonly Line[]>>,
  options: Partial<ClientOptions> = {},
): Run {
  const network = new ScriptedNetwork(scripts)
  const clock = new VirtualClock()
  const client = new HypermeshClient({
    endpoints: configuredEndpoints(Object.keys(scripts), 'as-given'),
    carriers: { https: network.carrier },
    clock,
    random: () => 0.5,
    ...options,
  })
  return { network, clock, client }
}

async function validate({ clock, client }: Run, call: CallOptions = {}): Promise<string> {
  const asked = client.validateCertificate(certificateRequest('id-1'), call)
  return clock.settle(
    asked.then(
      ({ result, endpoint }) => `${result.kind} by ${endpoint}`,
      (error: ClientError) => error.code,
    ),
  )
}

describe('a call', () => {
  it.each<[name: string, scripts: Record<string, Line[]>, ending: string, asked: string[]]>([
    ['asks one node where one answers', { [A]: ['valid'], [B]: ['valid'] }, `valid by ${A}`, [A]],
    ['takes Invalid for the answer that it is', { [A]: ['invalid'], [B]: ['valid'] }, `invalid by ${A}`, [A]],
    [
      'leaves a dead node for the next',
      { [A]: ['refuses connections'], [B]: ['valid'] },
      `valid by ${B}`,
      [A, B],
    ],
    [
      'leaves one that is not ready',
      { [A]: ['CONSENSUS_NOT_INITIALIZED'], [B]: ['valid'] },
      `valid by ${B}`,
      [A, B],
    ],
    [
      'leaves one that failed',
      { [A]: ['INTERNAL_CONSENSUS_ERROR'], [B]: ['valid'] },
      `valid by ${B}`,
      [A, B],
    ],
    ['leaves one that hangs', { [A]: ['hangs'], [B]: ['valid'] }, `valid by ${B}`, [A, B]],
    ['leaves a proxy without a node', { [A]: ['HTTP 502'], [B]: ['valid'] }, `valid by ${B}`, [A, B]],
    ['leaves one that is asked too often', { [A]: ['HTTP 429'], [B]: ['valid'] }, `valid by ${B}`, [A, B]],
    [
      'leaves what is no node',
      { [A]: ['a web page'], [B]: ['a redirect'], [C]: ['valid'] },
      `valid by ${C}`,
      [A, B, C],
    ],
    ['stops where the request is wrong', { [A]: ['INVALID_PROOF_FORMAT'], [B]: ['valid'] }, 'E_REFUSED', [A]],
    [
      'stops where the requester is excluded',
      { [A]: ['BYZANTINE_NODE_DETECTED'], [B]: ['valid'] },
      'E_REFUSED',
      [A],
    ],
    ['never asks a web page again', { [A]: ['a web page'] }, 'E_ANSWER', [A]],
    [
      'comes back to all after a wait',
      { [A]: ['refuses connections', 'valid'], [B]: ['CONSENSUS_NOT_INITIALIZED'] },
      `valid by ${A}`,
      [A, B, A],
    ],
    [
      'asks for the status of what is under way',
      { [A]: ['VALIDATION_TIMEOUT', 'pending', 'valid'], [B]: ['valid'] },
      `valid by ${A}`,
      [A, `${A} status`, `${A} status`],
    ],
    [
      'asks another for the status when the first dies',
      { [A]: ['VALIDATION_TIMEOUT', 'refuses connections'], [B]: ['valid'] },
      `valid by ${B}`,
      [A, `${A} status`, `${B} status`],
    ],
    [
      'sends again what nobody knows any more',
      { [A]: ['VALIDATION_TIMEOUT', 'refuses connections'], [B]: ['REQUEST_NOT_FOUND', 'valid'] },
      `valid by ${B}`,
      [A, `${A} status`, `${B} status`, B],
    ],
  ])('%s', async (_name, scripts, ending, asked) => {
    const run = setUp(scripts)
    expect(await validate(run)).toBe(ending)
    expect(run.network.asked).toEqual(asked)
  })

  it('sends the very same bytes every time', async () => {
    const run = setUp({ [A]: ['refuses connections', 'refuses connections', 'valid'], [B]: ['HTTP 502'] })
    expect(await validate(run)).toBe(`valid by ${A}`)
    const texts = run.network.calls.map(({ text }) => text)
    expect(texts).toHaveLength(5)
    expect([...new Set(texts)]).toEqual([
      Buffer.from(certificateRequestBytes(certificateRequest('id-1'))).toString(),
    ])
  })

  it('asks for the status under the id of the request', async () => {
    const run = setUp({ [A]: ['VALIDATION_TIMEOUT', 'valid'] })
    await validate(run)
    expect(run.network.calls[1]).toMatchObject({ method: 'validation_status', text: '{"request_id":"id-1"}' })
  })

  it('sends a four-proof set again, which has no id', async () => {
    const { network, clock, client } = setUp({ [A]: ['VALIDATION_TIMEOUT', 'VALIDATION_TIMEOUT', 'valid'] })
    const verdict = await clock.settle(client.validateProofs(fourProofRequest()))
    expect(verdict.isValid).toBe(true)
    const text = Buffer.from(fourProofRequestBytes(fourProofRequest())).toString()
    expect(network.calls).toEqual(Array(3).fill({ endpoint: A, method: 'validate_proofs', text }))
  })

  it('waits between passes longer and longer, and nothing between endpoints', async () => {
    const run = setUp({ [A]: ['refuses connections'], [B]: ['refuses connections'] }, { deadlineMs: 2_000 })
    const attempts: string[] = []
    const { client, clock } = setUp(
      { [A]: ['refuses connections'], [B]: ['refuses connections'] },
      { deadlineMs: 2_000, onAttempt: ({ endpoint }) => attempts.push(`${clock.nowMs()} ${endpoint}`) },
    )
    expect(await validate({ ...run, client, clock })).toBe('E_NO_ANSWER')
    // Half of 100, 200, 400, 800 ms; the next wait (half of 1,600) would end behind the deadline.
    const at = [0, 50, 150, 350, 750, 1_550].flatMap((ms) => [`${ms}`, `${ms}`])
    expect(attempts.map((attempt) => attempt.split(' ')[0])).toEqual(at)
  })

  it('gives no attempt more than its deadline, and the call no more than its own', async () => {
    const run = setUp({ [A]: ['hangs'], [B]: ['hangs'] }, { attemptDeadlineMs: 4_000, deadlineMs: 6_000 })
    const error = run.client
      .validateCertificate(certificateRequest('id-1'))
      .catch((thrown: unknown) => thrown)
    expect(await run.clock.settle(error)).toMatchObject({
      code: 'E_NO_ANSWER',
      exitCode: 69,
      attempts: [
        { endpoint: A, outcome: 'unreachable', why: 'no answer within 4000 ms', tookMs: 4_000 },
        { endpoint: B, outcome: 'unreachable', why: 'no answer within 2000 ms', tookMs: 2_000 },
      ],
    })
    expect(run.clock.nowMs()).toBe(6_000)
  })

  it('is not held up by a carrier that does not listen to its signal', async () => {
    const clock = new VirtualClock()
    const deaf = () => ({ call: () => new Promise<never>(() => {}), close: async () => {} })
    const options = { endpoints: [A], carriers: { https: deaf }, clock, passesMax: 1 }
    const call = new HypermeshClient(options).validateCertificate(certificateRequest())
    await expect(clock.settle(call)).rejects.toMatchObject({ code: 'E_NO_ANSWER' })
  })

  it('leaves one alone for as long as it asks for', async () => {
    const run = setUp({ [A]: ['HTTP 429', 'valid'] })
    expect(await validate(run)).toBe(`valid by ${A}`)
    expect(run.clock.nowMs()).toBe(2_000)
  })

  it('ends at once with what is known when it is not to wait', async () => {
    const run = setUp({ [A]: ['VALIDATION_TIMEOUT'], [B]: ['valid'] })
    const call = run.client.validateCertificate(certificateRequest('id-1'), { waits: false })
    await expect(run.clock.settle(call)).rejects.toMatchObject({
      code: 'E_NO_VERDICT',
      advice: { why: 'VALIDATION_TIMEOUT: in words' },
      last: { endpoint: A, answer: { result: { kind: 'error', errorCode: 'VALIDATION_TIMEOUT' } } },
    })
    expect(run.network.asked).toEqual([A])
  })

  it('tells what was said last when there is no verdict in time', async () => {
    const run = setUp({ [A]: ['CONSENSUS_NOT_INITIALIZED'], [B]: ['refuses connections'] }, { passesMax: 1 })
    const call = run.client.validateCertificate(certificateRequest())
    await expect(run.clock.settle(call)).rejects.toMatchObject({
      code: 'E_NO_VERDICT',
      advice: { why: `${A}: CONSENSUS_NOT_INITIALIZED: in words; ${B}: connect ECONNREFUSED` },
      last: { endpoint: A },
    })
  })

  it('ends with the reason of its signal, in an attempt and in a wait', async () => {
    for (const line of ['hangs', 'refuses connections'] as const) {
      const run = setUp({ [A]: [line] })
      const end = new AbortController()
      const call = run.client.validateCertificate(certificateRequest(), { signal: end.signal })
      await new Promise((resolve) => setImmediate(resolve))
      end.abort(new Error('enough'))
      await expect(call).rejects.toThrow('enough')
    }
  })

  it('does not ask those it is told not to', async () => {
    const run = setUp({ [A]: ['valid'], [B]: ['valid'] })
    expect(await validate(run, { except: [A] })).toBe(`valid by ${B}`)
    expect(await validate(run, { except: [A, B] })).toBe('E_NO_ANSWER')
  })

  it('refuses what it cannot speak, and an empty list', async () => {
    const cases = [
      [['stoq://[::1]:9292'], 'E_ENDPOINT'],
      [['/ip4/127.0.0.1/tcp/1'], 'E_ENDPOINT'],
      [['nonsense'], 'E_ENDPOINT'],
      [[], 'E_NO_ENDPOINT'],
    ] as const
    for (const [endpoints, code] of cases) {
      const call = new HypermeshClient({ endpoints }).validateCertificate(certificateRequest())
      await expect(call).rejects.toMatchObject({ code })
    }
  })
})

describe('the order of endpoints', () => {
  it('has those that failed behind those that did not, for a while', async () => {
    const run = setUp({ [A]: ['refuses connections', 'valid'], [B]: ['valid'] })
    await validate(run)
    await validate(run)
    expect(run.network.asked).toEqual([A, B, B])
    await run.clock.settle(run.clock.wait(1_000, new AbortController().signal))
    await validate(run)
    expect(run.network.asked).toEqual([A, B, B, A])
  })

  it('gives equals a share by their health', async () => {
    const chances = [0.3, 0.3, 0.45, 0.3]
    const run = setUp(
      { [A]: ['refuses connections', 'valid'], [B]: ['valid'] },
      { endpoints: [A, B], random: () => chances.shift() ?? 0 },
    )
    await validate(run)
    await run.clock.settle(run.clock.wait(1_000, new AbortController().signal))
    expect(run.client.endpoints()).toMatchObject([
      { endpoint: A, health: 0.5, failures: 1 },
      { endpoint: B, health: 1, failures: 0 },
    ])
    // A's share is a third now: a chance of 0.45 is B's, where it was A's before.
    await validate(run)
    expect(run.network.asked).toEqual([A, B, B])
  })

  it('follows a list that changes, and closes what is gone', async () => {
    let names = [A]
    const endpoints = { current: async () => configuredEndpoints(names, 'as-given') }
    const run = setUp({ [A]: ['valid'], [B]: ['valid'] }, { endpoints })
    await validate(run)
    names = [B]
    await validate(run)
    expect(run.network.asked).toEqual([A, B])
    expect(run.network.closed).toEqual([A])
    await run.client.close()
    expect(run.network.closed).toEqual([A, B])
  })

  it('passes over records of a service that it cannot speak', async () => {
    const origin = { kind: 'srv', name: '_stoq._udp.x', priority: 1, weight: 1, isStale: false } as const
    const records = [
      { endpoint: 'stoq://x:1', priority: 0, weight: 1, origin },
      { endpoint: A, priority: 1, weight: 1, origin },
    ]
    const run = setUp({ [A]: ['valid'] }, { endpoints: records })
    expect(await validate(run)).toBe(`valid by ${A}`)
    expect(run.client.endpoints().map(({ endpoint }) => endpoint)).toEqual([A])
  })
})

describe('status and waiting', () => {
  it.each<[Line[], Line[], string | null]>([
    [['valid'], ['valid'], 'valid'],
    [['invalid'], ['valid'], 'invalid'],
    [['pending'], ['valid'], 'pending'],
    [['REQUEST_NOT_FOUND'], ['invalid'], 'invalid'],
    [['refuses connections'], ['REQUEST_NOT_FOUND'], null],
    [['REQUEST_NOT_FOUND'], ['REQUEST_NOT_FOUND'], null],
  ])('from %j and %j is %j', async (a, b, expected) => {
    const { clock, client } = setUp({ [A]: a, [B]: b })
    expect((await clock.settle(client.status('id-1')))?.kind ?? null).toBe(expected)
  })

  it('waits until one of them knows', async () => {
    const { network, clock, client } = setUp({ [A]: ['REQUEST_NOT_FOUND', 'pending', 'valid'] })
    expect((await clock.settle(client.waitForVerdict('id-1'))).isValid).toBe(true)
    expect(network.asked).toEqual(Array(3).fill(`${A} status`))
  })

  it('waits no longer than it may', async () => {
    const { network, clock, client } = setUp({ [A]: ['pending'] })
    const call = client.waitForVerdict('id-1', { deadlineMs: 5_000 })
    await expect(clock.settle(call)).rejects.toMatchObject({ code: 'E_NO_VERDICT' })
    // After 0, 50, 150, 350, 750 ms, and then every half second.
    expect(network.asked).toHaveLength(13)
    expect(clock.nowMs()).toBeLessThanOrEqual(5_000)
  })
})
