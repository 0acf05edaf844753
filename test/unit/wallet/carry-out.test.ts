/** Orders carried out through a node: merges one after the other, and what happens when the node loses, refuses or is silent. */
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/client/clock.ts'
import { asHeight, type GenesisHash } from '../../../src/types/primitives.ts'
import { carryOut } from '../../../src/wallet/node/carry-out.ts'
import { NodeApi, refusalError } from '../../../src/wallet/node/node-api.ts'
import type { Order } from '../../../src/wallet/send/prepare.ts'
import type { Wallet } from '../../../src/wallet/wallet.ts'
import { FakeLedger } from '../../support/wallet/fake-ledger.ts'
import { FakeShieldedNode } from '../../support/wallet/fake-shielded-node.ts'
import { genesisNote, newWallet, proveNothing } from '../../support/wallet/wallets.ts'

const genesis = [1n, 2n, 3n, 4n].map((i) => genesisNote(1, 100n * i))

/** Time passes by waiting only. */
function waitingClock(): Clock {
  let now = 0
  return {
    nowMs: () => now,
    wait: async (ms, signal) => {
      signal.throwIfAborted()
      // Deadlines of single calls are never reached here; waits between two questions are short.
      if (ms > 1_000) return new Promise(() => {})
      now += ms
    },
  }
}

function api(
  node: FakeShieldedNode,
  clock = waitingClock(),
  network: GenesisHash = node.ledger.genesisHash,
): NodeApi {
  const options = { apis: ['http://node'], fetch: node.fetch, clock, random: () => 0.5 }
  return new NodeApi(options, network)
}

interface Scene {
  readonly node: FakeShieldedNode
  readonly wallet: Wallet
  readonly run: (amount: bigint) => ReturnType<typeof carryOut>
  readonly to: string
}

async function scene(notes = genesis): Promise<Scene> {
  const node = new FakeShieldedNode(new FakeLedger(notes))
  const { wallet } = await newWallet(1, notes)
  const { wallet: other } = await newWallet(2, notes)
  const to = other.address
  const clock = waitingClock()
  const order = (amount: bigint): Order => ({ kind: 'send', to, amount, fee: 1n })
  return {
    node,
    wallet,
    to,
    run: (amount) => carryOut(wallet, api(node, clock), order(amount), { prove: proveNothing, clock }),
  }
}

describe('an order', () => {
  it('is done when it is final, and known to the wallet', async () => {
    const { node, wallet, run, to } = await scene()
    expect(await run(390n)).toMatchObject([{ kind: 'send', amount: 390n, to, state: 'final', height: 1 }])
    expect(wallet.balance()).toEqual({ spendable: 609n, held: 0n, expected: 0n })
    expect(node.received).toHaveLength(1)
  })

  it('of more than two notes is carried out by merging first', async () => {
    const { node, wallet, run } = await scene()
    expect((await run(950n)).map(({ kind }) => kind)).toEqual(['merge', 'merge', 'send'])
    expect(wallet.balance().spendable).toBe(1_000n - 950n - 3n)
    expect(node.ledger.height).toBe(3)
  })

  it('asks a node about no note of its own', async () => {
    const { node, run } = await scene()
    const [sent] = await run(390n)
    const routes = node.asked.map((route) => route.replace(sent?.key ?? '', '…'))
    expect(new Set(routes)).toEqual(
      new Set([
        '/v1/status',
        '/v1/shielded/entries?from=0&limit=256',
        '/v1/transactions',
        '/v1/transactions/…',
        '/v1/shielded/entries?from=0&limit=256',
      ]),
    )
  })

  it('is sent again when the node has lost it', async () => {
    const { node, wallet, run } = await scene()
    node.losses = 2
    await run(390n)
    expect(node.received).toHaveLength(3)
    expect(new Set(node.received.map(({ hash }) => hash)).size).toBe(1)
    expect(wallet.balance().spendable).toBe(609n)
  })

  it('is proven anew when its root is too old, and given up after three times', async () => {
    const { node, wallet, run } = await scene()
    let stale = 2
    node.override = (route) =>
      route === '/v1/transactions' && stale-- > 0
        ? { status: 409, body: { code: 'E_TRANSACTION_REFUSED', detail: 'shielded-anchor: too old' } }
        : null
    await run(100n)
    expect(wallet.history().map(({ state }) => state)).toEqual(['final', 'final', 'refused', 'refused'])
    stale = 3
    await expect(run(100n)).rejects.toMatchObject({ code: 'E_WALLET_STALE_ANCHOR' })
    expect(wallet.balance().held).toBe(0n)
  })

  it('that is proven anew spends the same notes, whatever came meanwhile: never both can be final', async () => {
    const notes = [genesisNote(1, 400n), genesisNote(2, 500n)]
    const node = new FakeShieldedNode(new FakeLedger(notes))
    const [{ wallet }, { wallet: other }] = [await newWallet(1, notes), await newWallet(2, notes)]
    await other.scan(node.ledger)
    const gift: Order = { kind: 'send', to: wallet.address, amount: 395n, fee: 1n }
    const { transaction } = await other.prepare(gift, { expiresAtHeight: asHeight(9), prove: proveNothing })
    let isStale = true
    node.override = (route) => {
      if (route !== '/v1/transactions' || !isStale) return null
      isStale = false
      node.ledger.submit(transaction.transaction)
      return { status: 409, body: { code: 'E_TRANSACTION_REFUSED', detail: 'shielded-anchor: too old' } }
    }
    const order: Order = { kind: 'send', to: other.address, amount: 390n, fee: 1n }
    const clock = waitingClock()
    await carryOut(wallet, api(node, clock), order, { prove: proveNothing, clock })
    // The note of 395 that came meanwhile would have been enough, and is smaller.
    expect(wallet.balance().spendable).toBe(395n + 9n)
    expect(wallet.notes.filter(({ spentIn }) => spentIn !== null)).toMatchObject([{ value: 400n }])
  })

  it('that is refused frees its notes, and says why', async () => {
    const { node, wallet, run } = await scene()
    node.override = (route) =>
      route === '/v1/transactions'
        ? { status: 409, body: { code: 'E_TRANSACTION_REFUSED', detail: 'nullifier-spent: by another' } }
        : null
    await expect(run(100n)).rejects.toMatchObject({
      code: 'E_WALLET_SPENT',
      advice: { why: 'nullifier-spent: by another' },
    })
    expect(wallet.balance().spendable).toBe(1_000n)
  })

  it('that a node is silent about stays on its way', async () => {
    const { node, wallet, run } = await scene()
    node.override = (route) =>
      route.startsWith('/v1/transactions/')
        ? { status: 200, body: { key: '', state: 'pending', height: null } }
        : null
    await expect(run(100n)).rejects.toMatchObject({
      code: 'E_WALLET_NOT_FINAL',
      exitCode: 1,
      advice: { fix: expect.stringContaining('up to height 600') },
    })
    expect(wallet.history().at(-1)).toMatchObject({ state: 'pending' })
    expect(wallet.balance()).toEqual({ spendable: 800n, held: 200n, expected: 99n })
  })

  it('is waited for where the pages come from a node that is behind', async () => {
    const { node, wallet, run } = await scene()
    await run(390n)
    const before = await node.ledger.page(0, 256)
    let late = 3
    node.override = (route) => {
      if (!route.startsWith('/v1/shielded') || node.ledger.entries.length < 2 || late-- <= 0) return null
      const page = { ...before, from: 1, entries: [] }
      return { status: 200, body: late === 1 ? { ...page, total: 0 } : page }
    }
    expect(await run(200n)).toMatchObject([{ state: 'final', height: 2 }])
    expect(late).toBe(-1)
    expect(wallet.balance().held).toBe(0n)
  })

  it('that is refused when it is sent again may be final: the chain says so', async () => {
    const { node, wallet, run } = await scene()
    node.losses = 1
    let posts = 0
    node.override = (route) => {
      if (route !== '/v1/transactions' || ++posts !== 2) return null
      // Another node has put it into a block meanwhile.
      node.ledger.submit((node.received[0] as (typeof node.received)[0]).transaction)
      return { status: 409, body: { code: 'E_TRANSACTION_REFUSED', detail: 'nullifier-spent: by itself' } }
    }
    await expect(run(390n)).rejects.toMatchObject({ code: 'E_WALLET_NOT_FINAL' })
    expect(wallet.history().at(-1)).toMatchObject({ state: 'pending' })
    await wallet.scan(node.ledger)
    expect(wallet.history().at(-1)).toMatchObject({ state: 'final' })
  })
})

describe('a node', () => {
  it('can give a page of the largest size', async () => {
    const { node, wallet, run } = await scene()
    await run(390n)
    const page = await node.ledger.page(0, 1)
    const [one] = page.entries as [(typeof page.entries)[0]]
    const height = 2 ** 47
    const entries = Array.from({ length: 256 }, (_, i) => ({ ...one, index: 2 ** 31 - 257 + i, height }))
    node.override = (route) =>
      route.startsWith('/v1/shielded')
        ? { status: 200, body: { ...page, from: 2 ** 31 - 257, total: 2 ** 31 - 2, height, entries } }
        : null
    // It is read to its end, and then it is the wrong one.
    await expect(wallet.scan(api(node))).rejects.toMatchObject({
      advice: { why: expect.stringMatching(/^asked for transactions from 1/) },
    })
  })

  it('of another network is not believed', async () => {
    const { node, wallet } = await scene()
    const other = 'cd'.repeat(32) as GenesisHash
    await expect(wallet.scan(api(node, waitingClock(), other))).rejects.toMatchObject({
      code: 'E_OTHER_NETWORK',
      exitCode: 65,
    })
    expect(node.asked).toEqual(['/v1/status'])
  })

  it('tells how much shielded money there is', async () => {
    const { node } = await scene()
    const root = node.ledger.root
    expect(await api(node).summary(new AbortController().signal)).toEqual({
      height: 0,
      notes: 4,
      entries: 0,
      root,
      pool: '1000',
      issued: '0',
      genesisNotes: 4,
    })
  })

  it('without shielded money is no help', async () => {
    const { node, wallet } = await scene()
    node.override = (route) =>
      route.startsWith('/v1/shielded')
        ? { status: 404, body: { code: 'E_NO_ROUTE', detail: 'no such route' } }
        : null
    await expect(wallet.scan(api(node))).rejects.toMatchObject({ code: 'E_ANSWER', exitCode: 69 })
  })

  it.each([
    ['shielded-anchor: …', 'E_WALLET_STALE_ANCHOR'],
    ['nullifier-spent: …', 'E_WALLET_SPENT'],
    ['proof-invalid: …', 'E_WALLET_REFUSED'],
    ['', 'E_WALLET_REFUSED'],
  ])('refuses with "%s", which is %s', (detail, code) => {
    expect(refusalError(detail).code).toBe(code)
  })

  it('says what to do about a fee that is too low', () => {
    expect(refusalError('shielded-fee: the fee of 1 is below the minimum of 3').advice.fix).toContain('--fee')
  })
})
