/**
 * Shielded money on four real validators, with real proofs: a payment with change that the receiver finds by reading the
 * chain, of which the bytes of its block say nothing; balances that outlast everything that runs; and a note that is spent
 * twice, which no node takes.
 */
import { copyFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readPublicKeys } from '../../src/cli/node-keys.ts'
import { demoWalletFiles } from '../../src/cli/node-location.ts'
import { decodeBlock } from '../../src/codec/block.ts'
import { readGenesisFile } from '../../src/config/read-genesis-file.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import { type AccountId, asHeight, type Height } from '../../src/types/primitives.ts'
import type { GenesisNote } from '../../src/types/shielded.ts'
import { decodeAddress } from '../../src/wallet/address.ts'
import { treeFileOf } from '../../src/wallet/file/wallet-storage.ts'
import { walletKeys } from '../../src/wallet/keys.ts'
import { carryOut } from '../../src/wallet/node/carry-out.ts'
import { NodeApi } from '../../src/wallet/node/node-api.ts'
import type { Order, Prepared } from '../../src/wallet/send/prepare.ts'
import { ThreadProver } from '../../src/wallet/send/thread-prover.ts'
import { Wallet } from '../../src/wallet/wallet.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { until } from '../support/e2e/until.ts'
import { type TestNetwork, testNetwork } from '../support/network-node.ts'
import { seededBytes } from '../support/shielded/join-splits.ts'
import { CHEAP, PASSPHRASE } from '../support/wallet/wallets.ts'

/** Large enough that none of their encodings is among some 90,000 random bytes by chance. */
const NOTES = [6_000_000_000_017n, 4_000_000_000_039n] as const
const PAID = 2_517_000_000_411n
const WITHDRAWN = 1_913_000_000_777n
const FEE = 1n
const CHANGE = NOTES[1] - PAID - FEE
const BOBS_SEED = seededBytes(2, 32)

let network: LocalNetwork
let observer: TestNetwork
let genesisNotes: readonly GenesisNote[]
const paths = { alice: '', twin: '', bob: '' }
let alice: Wallet
let bob: Wallet
let account: AccountId
const prover = new ThreadProver()

const node = (i: number): NodeApi => new NodeApi({ apis: [network.node(i).api] }, network.genesisHash)
const openAlice = (path = paths.alice): Promise<Wallet> => Wallet.open(path, alicesPassphrase())
const alicesPassphrase = (): string =>
  readFileSync(join(dirname(paths.alice), 'wallet.passphrase'), 'utf8').trim()

beforeAll(async () => {
  network = await LocalNetwork.start({ walletNotes: NOTES })
  const folder = dirname(network.node(0).folder)
  paths.alice = demoWalletFiles(folder).wallet
  paths.twin = join(folder, 'twin.json')
  paths.bob = join(folder, 'bob.json')
  for (const of of [(path: string) => path, treeFileOf]) copyFileSync(of(paths.alice), of(paths.twin))
  genesisNotes = readGenesisFile(network.genesisFile).shielded?.notes ?? []
  alice = await openAlice()
  const { genesisHash } = network
  bob = await Wallet.create(paths.bob, PASSPHRASE, {
    genesisHash,
    genesisNotes,
    seed: BOBS_SEED,
    kdfCost: CHEAP,
  })
  account = (await readPublicKeys(network.node(0).folder)).id as string as AccountId
  observer = await testNetwork({ listen: [], genesisHash, bootstrap: [network.address(3, 'tcp')] })
  observer.network.setValidators([])
  await observer.network.start()
})

afterAll(async () => {
  await observer?.network.stop()
  await Promise.all([alice?.close(), bob?.close()])
  await prover.close()
  await network?.destroy()
})

/** Carries out an order at node 0. @returns the height of its block */
async function pay(wallet: Wallet, order: Order): Promise<Height> {
  const [made, ...more] = await carryOut(wallet, node(0), order, { prove: prover.prove })
  expect(more).toEqual([])
  return made?.height as Height
}

/** A final block as another peer gets it from a node. */
async function blockAt(height: Height): Promise<HashedBlock> {
  return until(
    async () => {
      const answer = await observer.network.blocks.fetchRange(height, 1)
      const bytes = answer.ok ? answer.value.value.blocks[0] : undefined
      const block = bytes === undefined ? undefined : decodeBlock(bytes)
      return block?.ok === true ? block.value : null
    },
    10_000,
    `block ${height} comes from a peer`,
  )
}

/** The ways in which somebody would write an amount who does not hide it. */
function encodings(amount: bigint): [what: string, bytes: Buffer][] {
  const [little, big, limbs] = [Buffer.alloc(8), Buffer.alloc(8), Buffer.alloc(16)]
  little.writeBigUInt64LE(amount)
  big.writeBigUInt64BE(amount)
  for (let i = 0; i < 4; i++) limbs.writeUInt32LE(little.readUInt16LE(2 * i), 4 * i)
  return [
    ['u64, little endian', little],
    ['u64, big endian', big],
    ['field elements', limbs],
    ['digits', Buffer.from(`${amount}`)],
    ['hex digits', Buffer.from(amount.toString(16))],
  ]
}

/** Which of them the bytes hold. */
const found = (bytes: Uint8Array, amount: bigint): string[] =>
  encodings(amount).flatMap(([what, encoding]) => (Buffer.from(bytes).includes(encoding) ? [what] : []))

it('pays with change, and the receiver finds it by reading the chain', { timeout: 120_000 }, async () => {
  const height = await pay(alice, { kind: 'send', to: bob.address, amount: PAID, fee: FEE })
  await until(async () => (await bob.scan(node(3))).entries === 1, 10_000, 'node 3 has the block')
  expect(bob.balance()).toEqual({ spendable: PAID, held: 0n, expected: 0n })
  expect(bob.history()).toMatchObject([{ kind: 'received', amount: PAID, height }])
  expect(alice.balance()).toEqual({ spendable: NOTES[0] + CHANGE, held: 0n, expected: 0n })
  for (const i of [0, 1, 2, 3]) {
    await until(async () => (await network.node(i).height()) >= height, 10_000, `node ${i} has the block`)
    const block = await network.node(i).block(height)
    expect(block).toMatchObject({ isFinal: true, transactions: [{ kind: 'shielded', verdict: null }] })
  }
})

it('says in its block neither how much nor who', { timeout: 120_000 }, async () => {
  const [sent] = alice.history().slice(-1)
  const { bytes, transactions } = await blockAt(sent?.height as Height)
  expect(transactions.map(({ hash }) => hash)).toEqual([sent?.hash])
  for (const amount of [PAID, CHANGE, ...NOTES, NOTES[0] + NOTES[1]]) expect(found(bytes, amount)).toEqual([])

  const { owner, kem, nullifierKey, spendingKey } = walletKeys(BOBS_SEED)
  const alices = decodeAddress(alice.address, network.genesisHash)
  if (!alices.ok) throw new Error(alices.detail)
  const secret = [BOBS_SEED, owner, nullifierKey, spendingKey, kem.publicKey, ...Object.values(alices.value)]
  const block = Buffer.from(bytes)
  for (const key of secret) {
    for (const text of ['hex', 'base64', 'base64url'] as const) {
      expect(block.includes(Buffer.from(key.subarray(0, 30)).toString(text))).toBe(false)
    }
    // Of a long one any part would do.
    for (let at = 0; at + 16 <= key.length; at += 16) {
      expect(block.includes(Buffer.from(key.subarray(at, at + 16)))).toBe(false)
    }
  }
  for (const { address } of [alice, bob]) expect(block.includes(address.slice(0, 64))).toBe(false)

  // What is public is found by the same search: the nullifiers, and the amount of a withdrawal.
  const shielded = transactions[0]?.transaction
  if (shielded?.kind !== 'shielded') throw new Error('no shielded transaction')
  for (const nullifier of shielded.nullifiers)
    expect(block.includes(Buffer.from(nullifier, 'hex'))).toBe(true)
  const height = await pay(bob, { kind: 'withdraw', to: account, amount: WITHDRAWN, fee: FEE })
  const withdrawal = await blockAt(height)
  expect(found(withdrawal.bytes, WITHDRAWN)).toEqual(['u64, little endian'])
  expect(found(withdrawal.bytes, PAID - WITHDRAWN - FEE)).toEqual([])
})

it('is there after a crash of every node and both wallets, and when the chain is read anew', {
  timeout: 120_000,
}, async () => {
  const before = [alice, bob].map((wallet) => ({ balance: wallet.balance(), history: wallet.history() }))
  await Promise.all([...network.nodes.map((of) => of.kill()), alice.close(), bob.close()])
  await network.startAll()
  for (const again of [undefined, genesisNotes]) {
    const options = again === undefined ? {} : { again }
    alice = await Wallet.open(paths.alice, alicesPassphrase(), options)
    bob = await Wallet.open(paths.bob, PASSPHRASE, options)
    for (const [i, wallet] of [alice, bob].entries()) {
      await wallet.scan(node(2))
      expect({ balance: wallet.balance(), history: wallet.history() }).toEqual(before[i])
    }
    if (again === undefined) await Promise.all([alice.close(), bob.close()])
  }
})

/** Sends it as anybody can. */
async function submit(i: number, { transaction }: Prepared): Promise<{ status: number; code: string }> {
  const answer = await fetch(`${network.node(i).api}/v1/transactions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ transaction: Buffer.from(transaction.bytes).toString('base64') }),
  })
  const { detail } = (await answer.json()) as { detail?: string }
  return { status: answer.status, code: detail?.split(':')[0] ?? '' }
}

it('is refused a second time: while the first spend waits at another node, and when it is final', {
  timeout: 120_000,
}, async () => {
  const twin = await openAlice(paths.twin)
  try {
    await twin.scan(node(0))
    expect(twin.balance()).toEqual(alice.balance())
    const order = { kind: 'send', to: bob.address, amount: NOTES[0] - FEE, fee: FEE } as const
    const options = { expiresAtHeight: asHeight(twin.cursor.height + 600), prove: prover.prove }
    const first = await alice.prepare(order, options)
    const second = await twin.prepare(order, options)
    const spent = [first, second].flatMap(({ outgoing }) => outgoing.nullifiers)
    // One note that is the same, and two fillers.
    expect(new Set(spent).size).toBe(3)

    // Without a quorum the first one waits, in the pool of every node that hears of it.
    for (const i of [2, 3]) network.node(i).pause()
    expect(await submit(0, first)).toEqual({ status: 202, code: '' })
    const { requestKey } = first.transaction
    const stateAt = async (i: number) => (await node(i).state(requestKey, AbortSignal.timeout(5_000))).state
    await until(async () => (await stateAt(1)) === 'pending', 10_000, 'node 1 has heard of the first')
    expect(await submit(1, second)).toEqual({ status: 409, code: 'nullifier-waiting' })
    await expect(node(1).submit(second.transaction, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'E_WALLET_SPENT',
    })

    for (const i of [2, 3]) network.node(i).resume()
    await until(async () => (await stateAt(1)) === 'final', 60_000, 'the first is final')
    for (const i of [1, 2]) {
      await until(async () => (await stateAt(i)) === 'final', 10_000, `node ${i} has it`)
      expect(await submit(i, second)).toEqual({ status: 409, code: 'nullifier-spent' })
    }
    for (const wallet of [twin, alice]) {
      await wallet.scan(node(1))
      expect(wallet.balance()).toEqual({ spendable: CHANGE, held: 0n, expected: 0n })
    }
    expect(twin.outgoing(second.transaction.requestKey)?.state).toBe('replaced')
    await bob.scan(node(1))
    expect(bob.balance().spendable).toBe(PAID - WITHDRAWN - FEE + NOTES[0] - FEE)
  } finally {
    await twin.close()
  }
})
