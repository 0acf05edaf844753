/** The public API's staking routes over real HTTP: shapes, statuses, bounds. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { OperationsClient } from '../../src/client/operations-client.ts'
import { uniformAssurance } from '../../src/ledger/validation-policy.ts'
import { ClientLimiter, clientLimitsOf } from '../../src/rpc/client-limiter.ts'
import type { ApiPorts, TrustHistoryView } from '../../src/rpc/http/api-ports.ts'
import { makeApiServer } from '../../src/rpc/http/api-server.ts'
import type { OperationResultView } from '../../src/rpc/http/operation-ports.ts'
import type { OperatorView } from '../../src/rpc/http/operator-ports.ts'
import type { StakingPorts, SubmitRefusal } from '../../src/rpc/http/staking-ports.ts'
import { TRANSACTION_BODY_BYTES_MAX } from '../../src/rpc/http/staking-routes.ts'
import type { MonotonicMs } from '../../src/types/primitives.ts'
import { POLICY } from '../unit/ledger/fixtures.ts'

const KEY = 'ab'.repeat(32)
const NOBODY = '00'.repeat(32)
const account = {
  id: KEY,
  balance: 2n ** 63n,
  sequence: 3,
  bonded: 5n,
  unbonding: [{ amount: 1n, matureHeight: 9, matureTime: null }],
  isJoined: true,
  validatorId: KEY,
  validatorIndex: 0,
  tombstonedAt: null,
}

const operator: OperatorView = {
  operatorId: 'acme',
  account: KEY,
  keyScheme: 'falcon-1024',
  publicKey: 'ab',
  bondedStake: 2n ** 63n,
  space: { bytes: 2n ** 40n, leafSize: 1_024, root: KEY },
  authorityLevel: 7n,
  aliases: ['acme.eu'],
  registeredAt: 3,
  retirement: null,
}

const decided: OperationResultView = {
  id: KEY,
  kind: 'node-admission',
  route: 'full-bft',
  state: 'done',
  proposer: KEY,
  proposedAt: 3,
  opensAt: 5,
  height: 8,
  operation: { kind: 'node-admission', account: KEY },
  outcome: 'Approved',
  tally: {
    status: 'valid',
    round: 0,
    decidedAt: 7,
    agreeing: { validators: 3, stake: 2n ** 60n },
    dissenting: 0,
    eligibleStake: 2n ** 61n,
  },
  participatingNodes: [KEY],
  trustAdjustments: [{ account: KEY, before: 800_000, after: 760_000 }],
}

const trust: TrustHistoryView = {
  account: KEY,
  now: {
    score: 0.76,
    ppm: 760_000,
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
  changes: [],
}

async function served(submit: StakingPorts['submit']): Promise<string> {
  const unused = (): never => {
    throw new Error('not asked for')
  }
  const ports: ApiPorts = {
    trustHistory: (id) => (id === KEY ? trust : null),
    shielded: { state: unused, page: unused },
    staking: {
      account: (id) => (id === KEY ? account : null),
      slashes: () => [{ account: KEY, height: 4, time: 5, stake: 1_000n, burnt: 750n }],
      transaction: (key) => ({ key, state: 'final', height: 7 }),
      submit,
    },
    operators: {
      operator: (name) => (name === 'acme.eu' ? operator : null),
      policy: () => ({ ...POLICY, assurance: uniformAssurance('attested') }),
    },
    operations: {
      operations: () => ({ open: [], decided: [], entries: [] }),
      operation: (id) => (id === KEY ? decided : null),
    },
    status: unused,
    lowestHeight: unused,
    peers: unused,
    validators: unused,
    block: unused,
    readiness: () => [],
  }
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const server = makeApiServer(ports, {
    tls: null,
    listen: { host: '127.0.0.1', port: 0 },
    limiter: new ClientLimiter(() => performance.now() as MonotonicMs, clientLimitsOf(10_000)),
    logger: silent,
  })
  await server.start()
  onTestFinished(() => server.close())
  return server.url
}
const post = (url: string, body: string) => fetch(`${url}/v1/transactions`, { method: 'POST', body })
const bodyOf = (bytes: Uint8Array): string =>
  JSON.stringify({ transaction: Buffer.from(bytes).toString('base64') })

describe('the operator routes', () => {
  it('show operators by any name, and the policy, amounts with every digit', async () => {
    const url = await served(() => ({ key: KEY, state: 'pending', height: null }))
    const get = async (path: string) => (await fetch(url + path)).json()
    expect(await get('/v1/operators/acme.eu')).toEqual({
      ...operator,
      bondedStake: '9223372036854775808',
      space: { bytes: '1099511627776', leafSize: 1_024, root: KEY },
      authorityLevel: '7',
    })
    expect(await get('/v1/operators/nobody')).toMatchObject({ status: 404, code: 'E_NO_OPERATOR' })
    expect(await get('/v1/policy')).toMatchObject({
      minimumStake: '100',
      assurance: {
        certificates: { RootCA: 'attested' },
        minimumWorkBits: 16,
        authority: [{ level: '1', bondedStake: '1' }, {}, {}],
      },
    })
  })
})

describe('the operation routes', () => {
  it('show all, one with every digit of its tally, and say what is wrong with a name', async () => {
    const url = await served(() => ({ key: KEY, state: 'pending', height: null }))
    const get = async (path: string) => (await fetch(url + path)).json()
    expect(await get('/v1/operations')).toEqual({ open: [], decided: [], entries: [] })
    expect(await get(`/v1/operations/${KEY}`)).toMatchObject({
      outcome: 'Approved',
      tally: { agreeing: { stake: '1152921504606846976' }, eligibleStake: '2305843009213693952' },
    })
    expect(await get(`/v1/operations/${NOBODY}`)).toMatchObject({ status: 404, code: 'E_NO_OPERATION' })
    expect(await get('/v1/operations/AB')).toMatchObject({ status: 400, code: 'E_OPERATION_ID' })
  })
})

describe('the client of operations', () => {
  it('reads what the API says', async () => {
    const client = new OperationsClient({
      apis: [await served(() => ({ key: KEY, state: 'final', height: 7 }))],
    })
    expect(await client.awaitResult(KEY)).toEqual({
      id: KEY,
      outcome: 'Approved',
      route: 'full-bft',
      height: 8,
      participatingNodes: [KEY],
      trustAdjustments: [{ account: KEY, before: 800_000, after: 760_000 }],
    })
    expect(await client.getTrustScore(KEY)).toBe(0.76)
    await expect(client.awaitResult(NOBODY, { deadlineMs: 200 })).rejects.toMatchObject({
      code: 'E_NO_OPERATION',
    })
    await expect(client.getTrustScore(NOBODY)).rejects.toMatchObject({ code: 'E_NO_VALIDATOR' })
  })
})

describe('the staking routes', () => {
  it('show accounts, punishments and transactions, amounts with every digit', async () => {
    const url = await served(() => ({ key: KEY, state: 'pending', height: null }))
    const get = async (path: string) => (await fetch(url + path)).json()
    expect(await get(`/v1/accounts/${KEY}`)).toEqual({
      ...account,
      balance: '9223372036854775808',
      bonded: '5',
      unbonding: [{ amount: '1', matureHeight: 9, matureTime: null }],
    })
    expect(await get('/v1/evidence')).toEqual([
      { account: KEY, height: 4, time: 5, stake: '1000', burnt: '750' },
    ])
    expect(await get(`/v1/transactions/${KEY}`)).toEqual({ key: KEY, state: 'final', height: 7 })
    expect(await get(`/v1/accounts/${NOBODY}`)).toMatchObject({ status: 404, code: 'E_NO_ACCOUNT' })
    expect(await get('/v1/accounts/AB')).toMatchObject({ status: 400, code: 'E_ACCOUNT_ID' })
    expect(await get('/v1/transactions/7')).toMatchObject({ status: 400, code: 'E_TRANSACTION_KEY' })
  })

  it('hand on the very bytes, and tell waiting from final', async () => {
    const taken: Uint8Array[] = []
    let state: 'pending' | 'final' = 'pending'
    const url = await served((bytes) => {
      taken.push(bytes)
      return { key: KEY, state, height: state === 'final' ? 8 : null }
    })
    const bytes = Uint8Array.from({ length: 11_000 }, (_, i) => i % 251)
    const waiting = await post(url, bodyOf(bytes))
    expect([waiting.status, await waiting.json()]).toEqual([
      202,
      { key: KEY, state: 'pending', height: null },
    ])
    state = 'final'
    expect((await post(url, bodyOf(bytes))).status).toBe(200)
    expect(taken).toEqual([bytes, bytes])
  })

  it.each<[SubmitRefusal['is'], number, string | null]>([
    ['malformed', 400, null],
    ['illegal', 409, null],
    ['busy', 503, '1'],
  ])('answer what is %s with %d and the reason', async (is, status, retryAfter) => {
    const url = await served(() => ({ is, code: 'staking-balance', detail: '5 is more than 4' }))
    const reply = await post(url, bodyOf(new Uint8Array(9)))
    expect(reply.status).toBe(status)
    expect(reply.headers.get('retry-after')).toBe(retryAfter)
    expect(await reply.json()).toMatchObject({
      code: 'E_TRANSACTION_REFUSED',
      detail: 'staking-balance: 5 is more than 4',
    })
  })

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['null', 'null'],
    ['another field', '{"tx":"AAAA"}'],
    ['a number', '{"transaction":7}'],
    ['an empty transaction', '{"transaction":""}'],
    ['hex in odd length', '{"transaction":"abc"}'],
    ['another alphabet', '{"transaction":"-_-_"}'],
  ])('refuse a body of %s', async (_, body) => {
    const url = await served(() => {
      throw new Error('a body that cannot be read went on')
    })
    const reply = await post(url, body)
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ status: 400 })
  })

  it('refuse a body that is too long before reading it', async () => {
    const url = await served(() => {
      throw new Error('read')
    })
    const reply = await post(url, bodyOf(new Uint8Array(TRANSACTION_BODY_BYTES_MAX)))
    expect(reply.status).toBe(413)
  })
})
