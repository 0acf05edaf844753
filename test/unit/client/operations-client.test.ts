/** Operations from a program: what it signs and sends, what it makes of each answer, and when it gives up. */
import { describe, expect, it } from 'vitest'
import { ClientError } from '../../../src/client/client-error.ts'
import type { OperationSigner } from '../../../src/client/operation-bytes.ts'
import { OperationsClient, type ProposalOptions } from '../../../src/client/operations-client.ts'
import { accountId } from '../../../src/codec/genesis.ts'
import { operationSigningPayload } from '../../../src/codec/signing-payloads.ts'
import { decodeTransaction } from '../../../src/codec/transaction.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { nobleMlDsa65 } from '../../../src/crypto/ml-dsa-noble.ts'
import type { NetworkOperation } from '../../../src/types/operations.ts'
import type { GenesisHash } from '../../../src/types/primitives.ts'
import { VirtualClock } from '../../support/client/virtual-clock.ts'

const NETWORK = 'aa'.repeat(32) as GenesisHash
const ID = 'cd'.repeat(32)
const A = 'http://127.0.0.1:1'
const B = 'http://127.0.0.1:2'
const STATUS = { genesisHash: NETWORK, final: { height: 40, hash: ID }, network: 'more is ignored' }
const OPERATION: NetworkOperation = { kind: 'other', name: 'rename', payload: Uint8Array.of(1, 2) }

const keyPair = nobleMlDsa65.keyPairFromSeed(new Uint8Array(32).fill(7))
const publicKey = keyPair.publicKey.raw
const account = accountId(publicKey)
const signer: OperationSigner = { publicKey, sign: (payload, context) => keyPair.sign(payload, context) }

/** What a node says to one call: a body, a problem, or a reason that it says nothing. */
type Said = { readonly body: unknown; readonly status?: number } | Error
const said = (body: unknown): Said => ({ body })
const problem = (status: number, detail: string): Said => ({ status, body: { status, detail, code: 'E_X' } })

interface Sent {
  readonly url: string
  readonly body: string | null
}

/** @param answers by URL behind the method, said in turn; the last one is said for ever */
function clientOf(answers: Readonly<Record<string, readonly Said[]>>, apis: readonly string[] = [A]) {
  const sent: Sent[] = []
  const clock = new VirtualClock()
  const turn = new Map<string, number>()
  const client = new OperationsClient({
    apis,
    clock,
    random: () => 1,
    fetch: async (input, init) => {
      const key = `${init?.method ?? 'GET'} ${input}`
      sent.push({ url: key, body: typeof init?.body === 'string' ? init.body : null })
      const all = answers[key] ?? []
      const at = turn.get(key) ?? 0
      turn.set(key, at + 1)
      const now = all[Math.min(at, all.length - 1)]
      if (now === undefined) throw new Error(`nobody was to ask ${key}`)
      if (now instanceof Error) throw now
      return new Response(JSON.stringify(now.body), { status: now.status ?? 200 })
    },
  })
  return { client, clock, sent }
}

function transactionIn(body: string | null) {
  const { transaction } = JSON.parse(body ?? '') as { transaction: string }
  const decoded = decodeTransaction(Uint8Array.from(Buffer.from(transaction, 'base64')))
  if (!decoded.ok || decoded.value.transaction.kind !== 'operation') throw new Error('no operation')
  return { key: decoded.value.requestKey, ...decoded.value.transaction }
}

const pending = (state: 'pending' | 'final' | 'unknown'): Said => said({ key: ID, state, height: null })
const ready = {
  [`GET ${A}/v1/status`]: [said(STATUS)],
  [`GET ${A}/v1/accounts/${account}`]: [said({ sequence: 8 })],
}

describe('proposeOperation', () => {
  it('signs the next transaction of the account for this network, and waits until it is final', async () => {
    const { client, clock, sent } = clientOf({
      ...ready,
      [`POST ${A}/v1/transactions`]: [pending('pending'), pending('final')],
    })
    // The id is known before: the same bytes give the same one, so the first call tells what is asked for then.
    const proposing = clock.settle(
      client.proposeOperation(OPERATION, { signer, network: NETWORK, deadlineMs: 900 }),
    )
    await expect(proposing).rejects.toMatchObject({ code: 'E_NO_ANSWER' })
    const posted = sent.find(({ url }) => url.startsWith('POST'))
    const { key, signature, kind: _kind, ...content } = transactionIn(posted?.body ?? null)
    expect(content).toEqual({
      publicKey,
      sequence: 9,
      expiresAtHeight: 240,
      operation: { kind: 'propose', operation: OPERATION, opensAt: 140, authority: [] },
    })
    const payload = operationSigningPayload(NETWORK, content)
    expect(keyPair.publicKey.verify(payload, signature, SIGNATURE_CONTEXTS.operation)).toBe(true)

    const steps = [pending('pending'), pending('unknown'), pending('final')]
    const again = clientOf({
      ...ready,
      [`POST ${A}/v1/transactions`]: [pending('pending')],
      [`GET ${A}/v1/transactions/${key}`]: steps,
    })
    const id = await again.clock.settle(
      again.client.proposeOperation(OPERATION, { signer: fixed(signature), network: NETWORK }),
    )
    expect(id).toBe(key)
    // What a node has lost is sent to it again, the very same bytes.
    const posts = again.sent.filter(({ url }) => url.startsWith('POST'))
    expect(posts.map(({ body }) => body)).toEqual([posted?.body, posted?.body])

    const slow = clientOf({
      ...ready,
      [`POST ${A}/v1/transactions`]: [pending('pending')],
      [`GET ${A}/v1/transactions/${key}`]: [pending('pending')],
    })
    const late = slow.client.proposeOperation(OPERATION, { signer: fixed(signature), network: NETWORK })
    await expect(slow.clock.settle(late)).rejects.toMatchObject({ code: 'E_NOT_FINAL' })
    expect(slow.clock.nowMs()).toBeLessThanOrEqual(60_000)
  })

  it('brings a certificate, and then nobody votes: it opens at no height', async () => {
    const authority = [{ account, signature: new Uint8Array(3_309) }]
    const task: NetworkOperation = { kind: 'maintenance-task', key: 'maintenance/a', value: 'b', version: 1 }
    const { client, clock, sent } = clientOf({ ...ready, [`POST ${A}/v1/transactions`]: [pending('final')] })
    await clock.settle(client.proposeOperation(task, { signer, network: NETWORK, authority }))
    expect(transactionIn(sent.at(-1)?.body ?? null).operation).toMatchObject({ opensAt: 0, authority })
  })

  it.each<[code: string, why: RegExp, Record<string, readonly Said[]>, Partial<OperationSigner>?]>([
    [
      'E_OTHER_NETWORK',
      /its genesis is bb/,
      { [`GET ${A}/v1/status`]: [said({ ...STATUS, genesisHash: 'bb'.repeat(32) })] },
    ],
    [
      'E_NO_ACCOUNT',
      /no such/,
      { ...ready, [`GET ${A}/v1/accounts/${account}`]: [problem(404, 'no such account')] },
    ],
    [
      'E_REFUSED',
      /operation-open-full/,
      { ...ready, [`POST ${A}/v1/transactions`]: [problem(409, 'operation-open-full: 64')] },
    ],
    ['E_SIGNER', /^$/, ready, { sign: () => new Uint8Array(64) }],
    ['E_SIGNER', /^$/, ready, { publicKey: new Uint8Array(32) }],
  ])('says what is wrong: %s', async (code, why, answers, wrong = {}) => {
    const { client, clock } = clientOf(answers)
    const failed = clock.settle(
      client.proposeOperation(OPERATION, { signer: { ...signer, ...wrong }, network: NETWORK }),
    )
    await expect(failed).rejects.toMatchObject({ code })
    const error = (await failed.catch((thrown: unknown) => thrown)) as { advice: { why?: string } }
    expect(error.advice.why ?? '').toMatch(why)
  })
})

/** What a method of the client rejects with, without a word to any node. */
async function refusalOf(call: (client: OperationsClient) => Promise<unknown>) {
  const { client, clock, sent } = clientOf({})
  const error: unknown = await clock.settle(call(client)).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ClientError)
  expect(sent).toEqual([])
  const { code, advice } = error as ClientError
  expect(advice.fix).toMatch(/^(give|write) /)
  return { code, why: advice.why }
}

describe('what cannot be signed is told before anything is sent', () => {
  const task = { kind: 'service-deployment', key: 'service/a', value: 'b', version: 1 }
  const policy = { kind: 'security-policy-update', policy: { minimumStake: 5 } }
  it.each<[why: RegExp, operation: unknown, authority?: unknown]>([
    [/^value is missing$/, { ...task, value: undefined }],
    [/^version is missing$/, { kind: 'network-configuration', key: 'network.notice', value: 'b' }],
    [/^value is not a text/, { ...task, value: 7 }],
    [/^weight is no field of it$/, { ...task, weight: 1 }],
    [/^policy\.maxTimeOffsetMs is missing$/, policy],
    [/^kind is not one of network-configuration, /, { kind: 'nope' }],
    [/^kind is not one of /, null],
    [/^account is not 32 bytes/, { kind: 'node-admission', account: 'zz' }],
    [/^evidence cannot be written$/, { kind: 'node-exclusion', account, evidence: { kind: 'vote' } }],
    [/^payload is not 0 to 4096 bytes/, { ...OPERATION, payload: new Uint8Array(4_097) }],
    [/^authority\[0\]\.account is missing$/, task, [{}]],
    [/^authority is not a list/, task, 'all'],
  ])('%s', async (why, operation, authority = []) => {
    const refusal = await refusalOf((client) =>
      client.proposeOperation(operation as NetworkOperation, {
        signer,
        network: NETWORK,
        authority: authority as [],
      }),
    )
    expect(refusal).toEqual({ code: 'E_OPERATION', why: expect.stringMatching(why) })
  })

  it.each<[code: string, options: unknown]>([
    ['E_OPTION', undefined],
    ['E_OPTION', null],
    ['E_OPTION', { signer }],
    ['E_OPTION', { signer, network: 'devnet' }],
    ['E_SIGNER', { network: NETWORK }],
    ['E_SIGNER', { network: NETWORK, signer: { publicKey: 'ab', sign: signer.sign } }],
    ...[0, 1.5, -3, Number.NaN, 100_001, '7'].map((opensAfterBlocks): [string, unknown] => [
      'E_OPTION',
      { signer, network: NETWORK, opensAfterBlocks },
    ]),
    ...[Number.NaN, Number.POSITIVE_INFINITY, 0, -1, '900'].map((deadlineMs): [string, unknown] => [
      'E_OPTION',
      { signer, network: NETWORK, deadlineMs },
    ]),
  ])('%s for options %o', async (code, options) => {
    const refusal = await refusalOf((client) =>
      client.proposeOperation(OPERATION, options as ProposalOptions),
    )
    expect(refusal).toEqual({ code, why: expect.stringMatching(/^it (is|has) /) })
  })

  it('nor does anything wait for ever', async () => {
    const call = { deadlineMs: Number.NaN }
    const refused = { code: 'E_OPTION', why: 'it is NaN' }
    expect(await refusalOf((client) => client.awaitResult(ID, call))).toEqual(refused)
    expect(await refusalOf((client) => client.getTrustScore(ID, call))).toEqual(refused)
    expect(() => new OperationsClient({ apis: [A], attemptDeadlineMs: Number.NaN })).toThrow(
      expect.objectContaining({ code: 'E_OPTION' }),
    )
    const none = undefined as unknown as string
    expect(await refusalOf((client) => client.awaitResult(none))).toMatchObject({ code: 'E_OPERATION_ID' })
  })

  it('takes what the ledger takes: a key of configuration that nobody knows yet is for the validators', async () => {
    const operation: NetworkOperation = {
      kind: 'network-configuration',
      key: 'network.motto',
      value: '',
      version: 1,
    }
    const { client, clock, sent } = clientOf({ ...ready, [`POST ${A}/v1/transactions`]: [pending('final')] })
    await clock.settle(client.proposeOperation(operation, { signer, network: NETWORK }))
    expect(transactionIn(sent.at(-1)?.body ?? null).operation).toMatchObject({ operation })
  })
})

describe('an address that is not of a node of the network', () => {
  const other = { ...STATUS, genesisHash: 'bb'.repeat(32) }
  const noRoute: Said = {
    status: 404,
    body: { status: 404, detail: 'there is no such route here', code: 'E_NO_ROUTE' },
  }
  const trusted = said({ account, now: { ppm: 500_000 } })
  const trust = `/v1/validators/${ID}/trust`
  const good = {
    [`GET ${B}/v1/status`]: [said(STATUS)],
    [`GET ${B}/v1/accounts/${account}`]: [said({ sequence: 8 })],
    [`POST ${B}/v1/transactions`]: [pending('final')],
    [`GET ${B}${trust}`]: [trusted],
  }

  it.each([
    ['another network', { [`GET ${A}/v1/status`]: [said(other)] }],
    ['a listener without the route', { [`GET ${A}/v1/status`]: [noRoute] }],
    ['something that refuses', { [`GET ${A}/v1/status`]: [problem(401, 'who are you')] }],
  ])('is passed over, whatever it says: %s', async (_what, wrong) => {
    const said404 = problem(404, 'no such account')
    const { client, clock, sent } = clientOf(
      { ...good, ...wrong, [`GET ${A}/v1/accounts/${account}`]: [said404], [`GET ${A}${trust}`]: [said404] },
      [A, B],
    )
    await clock.settle(client.proposeOperation(OPERATION, { signer, network: NETWORK }))
    expect(await clock.settle(client.getTrustScore(ID, { network: NETWORK }))).toBe(0.5)
    expect(sent.filter(({ url }) => url.includes(A)).every(({ url }) => url.endsWith('/v1/status'))).toBe(
      true,
    )
    // Once to know its network, once for the final height.
    expect(sent.filter(({ url }) => url === `GET ${B}/v1/status`).length).toBe(2)
  })

  it.each([
    ['E_OTHER_NETWORK', [said(other)]],
    ['E_ANSWER', [noRoute]],
  ])('is told at once when there is no other: %s', async (code, status) => {
    const { client, clock } = clientOf({ [`GET ${A}/v1/status`]: status })
    const call = clock.settle(client.getTrustScore(ID, { network: NETWORK }))
    await expect(call).rejects.toMatchObject({ code, advice: { fix: expect.any(String) } })
    expect(clock.nowMs()).toBe(0)
  })

  it('is waited for when another may be the right one', async () => {
    const answers = { ...good, [`GET ${A}/v1/status`]: [said(other)] }
    const down = [new Error('ECONNREFUSED'), said(STATUS)]
    const { client, clock } = clientOf({ ...answers, [`GET ${B}/v1/status`]: down }, [A, B])
    expect(await clock.settle(client.getTrustScore(ID, { network: NETWORK }))).toBe(0.5)
  })

  it.each([
    ['a node that is behind', problem(404, 'no validator of this id')],
    ['a listener without the route', noRoute],
  ])('does not speak for the others without a network either: %s', async (_what, answer) => {
    const { client, clock } = clientOf({ ...good, [`GET ${A}${trust}`]: [answer] }, [A, B])
    expect(await clock.settle(client.getTrustScore(ID))).toBe(0.5)
  })

  it('leaves a 404 to count when the node that may know is back, and at the deadline', async () => {
    const answers = { [`GET ${A}${trust}`]: [problem(404, 'none')] }
    const back = clientOf({ ...answers, [`GET ${B}${trust}`]: [new Error('ECONNREFUSED'), trusted] }, [A, B])
    expect(await back.clock.settle(back.client.getTrustScore(ID))).toBe(0.5)
    const gone = clientOf({ ...answers, [`GET ${B}${trust}`]: [new Error('ECONNREFUSED')] }, [A, B])
    const none = gone.clock.settle(gone.client.getTrustScore(ID, { deadlineMs: 2_000 }))
    await expect(none).rejects.toMatchObject({ code: 'E_NO_VALIDATOR' })
    expect(gone.clock.nowMs()).toBeLessThanOrEqual(2_000)
  })
})

describe('proposals of one account', () => {
  /** A node on which a transaction is final at once, and then counts; the sequences that it was sent. */
  function ledger() {
    let sequence = 8
    const taken: number[] = []
    const clock = new VirtualClock()
    const client = new OperationsClient({
      apis: [A],
      clock,
      fetch: async (input, init) => {
        if (`${input}`.endsWith('/v1/status')) return Response.json(STATUS)
        if (init?.method !== 'POST') return Response.json({ sequence })
        taken.push(transactionIn(`${init.body}`).sequence)
        sequence += 1
        return Response.json({ key: ID, state: 'final' })
      },
    })
    const propose = (options: Partial<ProposalOptions> = {}) =>
      client.proposeOperation(OPERATION, { signer, network: NETWORK, ...options })
    return { clock, taken, propose }
  }

  it('go one after the other, whoever starts them together, and one that fails stops none', async () => {
    const { clock, taken, propose } = ledger()
    const sign = () => Promise.reject(new Error('the key is locked'))
    const all = [propose(), propose({ signer: { publicKey, sign } }), propose(), propose()]
    const ends = await clock.settle(Promise.allSettled(all))
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(taken).toEqual([9, 10, 11])
  })

  it('wait no longer than their deadline and their signal, and then send nothing', async () => {
    const { clock, taken, propose } = ledger()
    let sign: (signature: Uint8Array) => void = () => undefined
    const slow = propose({
      signer: {
        publicKey,
        sign: () =>
          new Promise((resolve) => {
            sign = resolve
          }),
      },
    })
    const stop = new AbortController()
    const stopped = propose({ signal: stop.signal })
    const late = propose({ deadlineMs: 900 })
    const last = propose()
    await expect(clock.settle(late)).rejects.toMatchObject({ code: 'E_BUSY' })
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
    expect(taken).toEqual([])
    sign(new Uint8Array(3_309))
    await clock.settle(Promise.all([slow, last]))
    expect(taken).toEqual([9, 10])
  })

  it('are 64 at most; another account has its own', async () => {
    const { clock, propose } = ledger()
    const all = Array.from({ length: 64 }, () => propose())
    const other = nobleMlDsa65.keyPairFromSeed(new Uint8Array(32).fill(8))
    const beside = propose({
      signer: { publicKey: other.publicKey.raw, sign: (payload, context) => other.sign(payload, context) },
    })
    await expect(clock.settle(propose())).rejects.toMatchObject({ code: 'E_BUSY' })
    const ids = await clock.settle(Promise.all([...all, beside]))
    expect(new Set(ids).size).toBe(65)
  })
})

/** Says one signature whatever it is given: noble's are hedged, so two are never the same. */
function fixed(signature: Uint8Array): OperationSigner {
  return { publicKey, sign: async () => signature }
}

const decided = {
  id: ID,
  kind: 'other',
  route: 'full-bft',
  state: 'done',
  outcome: 'Approved',
  height: 77,
  participatingNodes: [account],
  trustAdjustments: [{ account, before: 800_000, after: 760_000 }],
}

describe('awaitResult', () => {
  it('waits until it is known and decided, and gives what the node says of it', async () => {
    const { client, clock, sent } = clientOf({
      [`GET ${A}/v1/operations/${ID}`]: [
        problem(404, 'there is no such operation in the final state'),
        said({ ...decided, state: 'voting', outcome: null, height: null }),
        said(decided),
      ],
    })
    expect(await clock.settle(client.awaitResult(ID))).toEqual({
      id: ID,
      outcome: 'Approved',
      route: 'full-bft',
      height: 77,
      participatingNodes: [account],
      trustAdjustments: [{ account, before: 800_000, after: 760_000 }],
    })
    expect(sent.length).toBe(3)
  })

  it('asks another node while one is down, and whoever is no node is passed over', async () => {
    const { client, clock } = clientOf(
      {
        [`GET ${A}/v1/operations/${ID}`]: [new Error('ECONNREFUSED'), said({ hello: 'world' })],
        [`GET ${B}/v1/operations/${ID}`]: [problem(503, 'not ready'), said(decided)],
      },
      [A, B],
    )
    expect(await clock.settle(client.awaitResult(ID))).toMatchObject({ outcome: 'Approved', height: 77 })
  })

  it.each<[code: string, Said]>([
    ['E_NO_OPERATION', problem(404, 'there is no such operation')],
    ['E_NOT_DECIDED', said({ ...decided, state: 'waiting', outcome: null, height: null })],
    ['E_NO_ANSWER', new Error('ECONNREFUSED')],
    ['E_NO_ANSWER', said({ ...decided, height: null })],
    ['E_NO_ANSWER', said({ ...decided, outcome: 'Maybe' })],
    ['E_NO_ANSWER', said({ ...decided, participatingNodes: Array.from({ length: 257 }, () => account) })],
    ['E_NO_ANSWER', { status: 404, body: 'a page of something else' }],
  ])('gives up at its deadline with %s', async (code, answer) => {
    const { client, clock } = clientOf({ [`GET ${A}/v1/operations/${ID}`]: [answer] })
    await expect(clock.settle(client.awaitResult(ID, { deadlineMs: 4_000 }))).rejects.toMatchObject({ code })
    expect(clock.nowMs()).toBeLessThanOrEqual(4_000)
  })

  it('ends with the reason of its signal, and takes no name that is none', async () => {
    const { client, clock } = clientOf({ [`GET ${A}/v1/operations/${ID}`]: [problem(404, 'none')] })
    const stop = new AbortController()
    const waiting = client.awaitResult(ID, { signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(clock.settle(waiting)).rejects.toThrow('enough')
    await expect(client.awaitResult('AB')).rejects.toMatchObject({ code: 'E_OPERATION_ID' })
  })
})

describe('getTrustScore', () => {
  it('is a fraction for reading', async () => {
    const { client, clock } = clientOf({
      [`GET ${A}/v1/validators/${ID}/trust`]: [
        said({ account, now: { ppm: 737_893, score: 0.7 }, changes: [] }),
      ],
    })
    expect(await clock.settle(client.getTrustScore(ID))).toBe(0.737893)
  })

  it('says when there is none', async () => {
    const { client, clock } = clientOf({ [`GET ${A}/v1/validators/..%2Fx/trust`]: [problem(404, 'none')] })
    await expect(clock.settle(client.getTrustScore('../x'))).rejects.toMatchObject({ code: 'E_NO_VALIDATOR' })
  })
})

describe('the nodes to ask', () => {
  it.each([
    ['E_NO_ENDPOINT', []],
    ['E_ENDPOINT', ['stoq://127.0.0.1:9292']],
    ['E_ENDPOINT', ['127.0.0.1:9441']],
    ['E_ENDPOINT', ['ftp://x']],
    ['E_ENDPOINT', [7]],
    ['E_NO_ENDPOINT', undefined],
  ])('are addresses of HTTP: %s', (code, apis) => {
    const fix = code === 'E_ENDPOINT' ? /http:\/\/ or https:\/\/ .* API/ : /base URL of a node/
    expect(() => new OperationsClient({ apis: apis as string[] })).toThrow(
      expect.objectContaining({
        code,
        advice: { why: expect.any(String), fix: expect.stringMatching(fix) },
      }),
    )
    expect(() => new OperationsClient(undefined as unknown as { apis: [] })).toThrow(ClientError)
  })
})
