/** What becomes of a wallet's transactions: on their way, final, expired, refused, overtaken; and what can be spent meanwhile. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AccountId, asHeight } from '../../../src/types/primitives.ts'
import type { Order, Prepared } from '../../../src/wallet/send/prepare.ts'
import type { Wallet } from '../../../src/wallet/wallet.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { FakeLedger } from '../../support/wallet/fake-ledger.ts'
import { carryOut, genesisNote, newWallet, openWallet, proveNothing } from '../../support/wallet/wallets.ts'

const genesis = [genesisNote(1, 1_000n), genesisNote(1, 500n)]
const ACCOUNT = 'cd'.repeat(32) as AccountId
const KEY = new Uint8Array(1_952).fill(7)

function prepare(wallet: Wallet, order: Order, expiresAt = 10): Promise<Prepared> {
  return wallet.prepare(order, { expiresAtHeight: asHeight(expiresAt), prove: proveNothing })
}

async function begin(): Promise<{
  ledger: FakeLedger
  wallet: Wallet
  path: string
  pay: (amount: bigint) => Order
}> {
  const ledger = new FakeLedger(genesis)
  const { wallet, path } = await newWallet(1, genesis)
  const { wallet: other } = await newWallet(2, genesis)
  await wallet.scan(ledger)
  return { ledger, wallet, path, pay: (amount) => ({ kind: 'send', to: other.address, amount, fee: 1n }) }
}

const deposit = (amount: bigint): Order => ({
  kind: 'deposit',
  from: ACCOUNT,
  amount,
  fee: 1n,
  source: { publicKey: KEY, sequence: 1, sign: () => new Uint8Array(3_309) },
})

describe('a transaction on its way', () => {
  it('holds its notes, and tells what will come of them', async () => {
    const { wallet, path, pay } = await begin()
    const { outgoing } = await prepare(wallet, pay(900n))
    const waiting = { spendable: 500n, held: 1_000n, expected: 99n }
    expect(wallet.balance()).toEqual(waiting)
    expect(outgoing).toMatchObject({ kind: 'send', amount: 900n, change: 99n, state: 'pending', spends: [0] })
    await expect(prepare(wallet, pay(600n))).rejects.toMatchObject({
      code: 'E_WALLET_INSUFFICIENT',
      advice: { why: expect.stringMatching(/^500 can be spent now; 99 more is on its way/) },
    })
    await wallet.close()
    expect((await openWallet(path)).balance()).toEqual(waiting)
  })

  it('is final when the chain has it', async () => {
    const { ledger, wallet, pay } = await begin()
    ledger.submit((await prepare(wallet, pay(900n))).transaction.transaction)
    await wallet.scan(ledger)
    expect(wallet.balance()).toEqual({ spendable: 599n, held: 0n, expected: 0n })
    expect(wallet.history().at(-1)).toMatchObject({ kind: 'send', state: 'final', height: 1 })
  })

  it.each([
    ['another hash', { hash: 'cd'.repeat(32) }],
    ['other nullifiers', { nullifiers: ['00', '01'].map((byte) => byte.repeat(32)) }],
    ['other commitments', { commitments: ['00', '01'].map((byte) => byte.repeat(32)) }],
  ])('is not believed to have become final with %s: or it would be paid once more', async (_, altered) => {
    const { ledger, wallet, pay } = await begin()
    ledger.submit((await prepare(wallet, pay(900n))).transaction.transaction)
    const liar = {
      page: async (from: number, limit: number) => {
        const page = await ledger.page(from, limit)
        return { ...page, entries: page.entries.map((entry) => ({ ...entry, ...altered })) }
      },
    }
    await expect(wallet.scan(liar)).rejects.toMatchObject({
      code: 'E_WALLET_NODE',
      advice: { why: expect.stringMatching(/is one that this wallet made, and not as it made it$/) },
    })
    expect(wallet.history().at(-1)).toMatchObject({ state: 'pending' })
    await wallet.scan(ledger)
    expect(wallet.history().at(-1)).toMatchObject({ state: 'final', height: 1 })
  })

  it('expires at its last height, and not before; its notes are free again', async () => {
    const { ledger, wallet, pay } = await begin()
    const { transaction } = await prepare(wallet, pay(900n))
    ledger.pass(9)
    await wallet.scan(ledger)
    expect(wallet.history().at(-1)).toMatchObject({ state: 'pending' })
    ledger.pass(1)
    await wallet.scan(ledger)
    expect(wallet.history().at(-1)).toMatchObject({ state: 'expired', height: null })
    expect(wallet.balance()).toEqual({ spendable: 1_500n, held: 0n, expected: 0n })
    expect(() => ledger.submit(transaction.transaction)).toThrow('expired')
  })

  it('that a node refused frees its notes; when another took it all the same, the chain says so', async () => {
    const { ledger, wallet, pay } = await begin()
    const { transaction, outgoing } = await prepare(wallet, pay(900n))
    await wallet.markRefused(outgoing.key)
    expect(wallet.balance().spendable).toBe(1_500n)
    expect(wallet.history().at(-1)).toMatchObject({ state: 'refused' })
    ledger.submit(transaction.transaction)
    await wallet.scan(ledger)
    expect(wallet.history().at(-1)).toMatchObject({ state: 'final' })
    expect(wallet.balance().spendable).toBe(599n)
  })

  it('is overtaken when the same seed spends its note elsewhere', async () => {
    const { ledger, wallet, pay } = await begin()
    const { wallet: twin } = await newWallet(1, genesis)
    await twin.scan(ledger)
    const { transaction } = await prepare(wallet, pay(900n))
    ledger.submit((await prepare(twin, pay(700n))).transaction.transaction)
    expect(() => ledger.submit(transaction.transaction)).toThrow('nullifier-spent')
    await wallet.scan(ledger)
    expect(wallet.history().map(({ kind, state, amount }) => [kind, state, amount])).toEqual([
      ['received', 'final', 1_500n],
      ['spent', 'final', 701n],
      ['send', 'replaced', 900n],
    ])
    expect(wallet.balance()).toEqual({ spendable: 799n, held: 0n, expected: 0n })
  })
})

describe('an account', () => {
  it('pays in, and is paid out', async () => {
    const { ledger, wallet } = await begin()
    const { transaction, outgoing } = await prepare(wallet, deposit(250n))
    expect(transaction.transaction.mint).toMatchObject({ amount: 251n, sequence: 1 })
    expect(outgoing).toMatchObject({ kind: 'deposit', from: ACCOUNT, spends: [] })
    expect(wallet.balance()).toEqual({ spendable: 1_500n, held: 0n, expected: 250n })
    ledger.submit(transaction.transaction)
    await wallet.scan(ledger)
    expect(wallet.balance().spendable).toBe(1_750n)

    await carryOut(wallet, ledger, { kind: 'withdraw', to: ACCOUNT, amount: 1_200n, fee: 2n })
    expect(wallet.balance().spendable).toBe(548n)
    expect(wallet.history().slice(1)).toMatchObject([
      { kind: 'deposit', amount: 250n, from: ACCOUNT },
      { kind: 'withdraw', amount: 1_200n, to: ACCOUNT, fee: 2n },
    ])
    expect(ledger.pool).toBe(548n)
  })

  it('is not paid when its key will not sign', async () => {
    const { wallet } = await begin()
    const order = deposit(5n) as Extract<Order, { kind: 'deposit' }>
    const sign = () => {
      throw new Error('no')
    }
    await expect(prepare(wallet, { ...order, source: { ...order.source, sign } })).rejects.toThrow('no')
    expect(wallet.history()).toHaveLength(1)
  })
})

describe('all money', () => {
  it('is somewhere, whatever wallets do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const random = seededRandom(seed)
        const draw = (below: number): number => Math.floor(random() * below)
        const ledger = new FakeLedger(genesis)
        const wallets = await Promise.all([1, 2, 3].map(async (of) => (await newWallet(of, genesis)).wallet))
        for (let step = 0; step < 8; step++) {
          const wallet = wallets[draw(3)] as Wallet
          const to = (wallets[draw(3)] as Wallet).address
          const amount = BigInt(1 + draw(400))
          const orders: Order[] = [
            { kind: 'send', to, amount, fee: 1n },
            { kind: 'send', to, amount, fee: 0n },
            { kind: 'withdraw', to: ACCOUNT, amount, fee: 1n },
            deposit(amount),
          ]
          await wallet.scan(ledger)
          await carryOut(wallet, ledger, orders[draw(4)] as Order).catch((error: { code?: string }) => {
            if (error.code !== 'E_WALLET_INSUFFICIENT') throw error
          })
          await Promise.all(wallets.map((one) => one.scan(ledger)))
          const sum = wallets.reduce((total, one) => total + one.balance().spendable, 0n)
          expect(sum).toBe(ledger.pool)
        }
        await Promise.all(wallets.map((one) => one.close()))
      }),
      { numRuns: 5 },
    )
  })
})
