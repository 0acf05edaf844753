/** A wallet as a whole, against a ledger in memory: paying with change, merging, account and back, restarts. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { InvariantViolation } from '../../../src/types/assert.ts'
import { asHeight, COUNTER_MAX } from '../../../src/types/primitives.ts'
import { ThreadProver } from '../../../src/wallet/send/thread-prover.ts'
import { FakeLedger } from '../../support/wallet/fake-ledger.ts'
import { carryOut, genesisNote, newWallet, openWallet, proveNothing } from '../../support/wallet/wallets.ts'

const send = (to: string, amount: bigint, fee = 1n) => ({ kind: 'send' as const, to, amount, fee })

describe('a wallet', () => {
  it('pays another with change, by a proof that the ledger verifies', async () => {
    const prover = new ThreadProver()
    onTestFinished(() => prover.close())
    const genesis = [genesisNote(1, 1_000n)]
    const ledger = new FakeLedger(genesis, { verifiesProofs: true })
    const { wallet: alice } = await newWallet(1, genesis)
    const { wallet: bob } = await newWallet(2, genesis)
    await alice.scan(ledger)
    expect(await carryOut(alice, ledger, send(bob.address, 300n, 5n), prover.prove)).toBe(1)
    await bob.scan(ledger)
    expect(alice.balance()).toEqual({ spendable: 695n, held: 0n, expected: 0n })
    expect(bob.balance()).toEqual({ spendable: 300n, held: 0n, expected: 0n })
    expect(await carryOut(bob, ledger, send(alice.address, 299n), prover.prove)).toBe(1)
    await alice.scan(ledger)
    expect(alice.balance().spendable).toBe(994n)
    expect(bob.balance().spendable).toBe(0n)
    expect(ledger.pool).toBe(994n)
  })

  it('merges notes where two are not enough, and tells its history', async () => {
    const genesis = [1, 2, 3, 4, 5].map((i) => genesisNote(1, 100n + BigInt(i)))
    const ledger = new FakeLedger(genesis)
    const { wallet: alice } = await newWallet(1, genesis)
    const { wallet: bob } = await newWallet(2, genesis)
    await alice.scan(ledger)
    expect(await carryOut(alice, ledger, send(bob.address, 500n, 2n))).toBe(4)
    await bob.scan(ledger)
    expect(alice.balance().spendable).toBe(515n - 500n - 8n)
    expect(alice.history().map(({ kind, amount, state }) => [kind, amount, state])).toEqual([
      ['received', 515n, 'final'],
      ['merge', 201n, 'final'],
      ['merge', 205n, 'final'],
      ['merge', 304n, 'final'],
      ['send', 500n, 'final'],
    ])
    expect(bob.history()).toMatchObject([{ kind: 'received', amount: 500n, fee: 0n, to: null, height: 4 }])
  })

  it('can be opened after a node has said a height that no chain has', async () => {
    const genesis = [genesisNote(1, 1_000n)]
    const ledger = new FakeLedger(genesis)
    const { wallet, path } = await newWallet(1, genesis)
    const { wallet: other } = await newWallet(2, genesis)
    await wallet.scan(ledger)
    const liar = {
      page: async (from: number, limit: number) => ({
        ...(await ledger.page(from, limit)),
        height: COUNTER_MAX,
      }),
    }
    await expect(wallet.scan(liar)).rejects.toMatchObject({ code: 'E_WALLET_NODE' })
    const expiresAtHeight = asHeight(COUNTER_MAX + 1)
    const prepared = wallet.prepare(send(other.address, 1n), { expiresAtHeight, prove: proveNothing })
    await expect(prepared).rejects.toThrow(InvariantViolation)
    await wallet.close()
    expect((await openWallet(path)).balance().spendable).toBe(1_000n)
  })

  it('writes nothing that it could not read: the file keeps what it had', async () => {
    const genesis = [genesisNote(1, 1_000n)]
    const ledger = new FakeLedger(genesis)
    const { wallet, path } = await newWallet(1, genesis)
    await wallet.scan(ledger)
    const order = {
      kind: 'deposit' as const,
      from: 'no account' as never,
      amount: 1n,
      fee: 1n,
      source: {
        publicKey: new Uint8Array(1_952),
        sequence: 1,
        sign: () => new Uint8Array(3_309),
      },
    }
    const prepared = wallet.prepare(order, { expiresAtHeight: asHeight(9), prove: proveNothing })
    await expect(prepared).rejects.toThrow(InvariantViolation)
    await wallet.close()
    expect((await openWallet(path)).balance().spendable).toBe(1_000n)
  })
})
