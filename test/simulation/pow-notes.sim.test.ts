/**
 * Notes on branches that are mined and undone: what one branch spent another can spend, a note that was spent twice is
 * spent once in the end, and nothing is lost of what waited. As the engine of a network, and beside BFT without a quorum.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/codec/hex.ts'
import type { SealedBlock } from '../../src/types/pow.ts'
import type { ShieldedTransaction } from '../../src/types/shielded.ts'
import { totalSupply } from '../../src/types/staking.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { type OwnNote, Spender } from '../support/shielded/spender.ts'
import { Cluster } from './cluster.ts'
import { lostTransactions } from './final-checks.ts'
import { NOTES, OWNERS } from './notes/note-genesis.ts'
import { Companions } from './pow-companion.ts'
import { type Replayed, replay } from './pow-replay.ts'
import { MiningWorld, type SimulatedMiner } from './pow-world.ts'

const TIMEOUT_MS = 120_000

type Shielded = HashedTransaction<ShieldedTransaction>

const shieldedOf = (chain: readonly SealedBlock[]): Shielded[] =>
  chain.flatMap(({ block }) =>
    block.transactions.flatMap((hashed) => {
      const { transaction } = hashed
      return transaction.kind === 'shielded' ? [{ ...hashed, transaction }] : []
    }),
  )

/** The owner of the first notes of genesis, who pays with one note each time. */
function holderOf({ genesis, openProofs }: MiningWorld) {
  const owner = new Spender(genesis.rules.genesisHash, OWNERS[0] ?? 0)
  owner.begin(NOTES)
  const pay = (note: OwnNote | undefined, amount: bigint): Shielded => {
    if (note === undefined) throw new Error('no such note')
    return openProofs.numbered(owner.spend({ inputs: [note], amount, fee: 2n, openly: true }).transaction)
  }
  return { owner, pay }
}

/** The ledger's rules hold along the chain, no note is spent twice in it, and all there is follows the rule. */
function expectSound(world: MiningWorld, miner: SimulatedMiner): Replayed {
  const chain = miner.chain()
  const replayed = replay(world.genesis, chain)
  const { staking, accumulators } = replayed.state
  const { pool, issued } = accumulators.shielded
  expect(new Set(replayed.nullifiers).size).toBe(replayed.nullifiers.length)
  expect(issued).toBe(0n)
  expect(totalSupply(staking) + pool).toBe(world.genesis.rules.genesisSupply)
  // Nobody proposes mined blocks: their fees are burnt.
  expect(staking.burnt).toBe(2n * BigInt(shieldedOf(chain).length))
  const reader = new Spender(world.genesis.rules.genesisHash, 99)
  reader.begin(NOTES)
  for (const { transaction } of shieldedOf(chain)) reader.read(transaction)
  expect(chain.at(-1)?.block.header.noteCommitmentRoot).toBe(toHex(reader.tree.root))
  expect(miner.fatal).toEqual([])
  return replayed
}

describe('three miners', () => {
  it.each([1, 2, 3, 4])(
    'spend a note on either side of a partition, and once in the end, seed %i',
    (seed) => {
      const world = new MiningWorld({
        seed,
        mining: { targetIntervalMs: 2_000 },
        hashRates: [0, 0, 0].map(() => 64 / 2 / 3),
        drop: 0.05,
        hasNotes: true,
      })
      const [lone, ...others] = world.miners as [SimulatedMiner, SimulatedMiner, SimulatedMiner]
      const { owner, pay } = holderOf(world)
      const [first, second, third] = owner.notes
      expect(world.runFor(60_000, () => world.isOne && lone.chain().length >= 3)).toBe(true)

      world.separate([lone])
      const rivals = [pay(first, 10n), pay(first, 20n)] as const
      const [alone, together] = [pay(second, 30n), pay(third, 40n)]
      world.offer(rivals[0], [lone])
      world.offer(alone, [lone])
      world.offer(rivals[1], others)
      world.offer(together, others)
      // A note has one nullifier, whatever branch it is spent on.
      expect(rivals[0].transaction.nullifiers[0]).toBe(rivals[1].transaction.nullifiers[0])
      const count = (miner: SimulatedMiner): number => shieldedOf(miner.chain()).length
      expect(world.runFor(200_000, () => world.miners.every((miner) => count(miner) === 2))).toBe(true)
      const branches = [lone, others[0]].map((miner) => expectSound(world, miner))
      expect(branches[0]?.stateRoot).not.toBe(branches[1]?.stateRoot)

      world.heal()
      const isWhole = (): boolean => world.isOne && world.miners.every((miner) => count(miner) === 3)
      expect(world.runFor(600_000, isWhole)).toBe(true)
      const ends = world.miners.map((miner) => expectSound(world, miner))
      expect(new Set(ends.map(({ stateRoot }) => stateRoot)).size).toBe(1)
      expect(world.miners.some(({ rolledBack }) => rolledBack > 0)).toBe(true)
      const keys = shieldedOf(lone.chain()).map(({ requestKey }) => requestKey)
      expect(keys).toContain(alone.requestKey)
      expect(keys).toContain(together.requestKey)
      const winners = rivals.filter(({ requestKey }) => keys.includes(requestKey))
      expect(winners).toHaveLength(1)
      // Until it is settled which of the two it is, the other one waits.
      const [loser] = rivals.filter((rival) => !winners.includes(rival))
      expect(world.miners.some(({ pool }) => loser !== undefined && pool.has(loser.requestKey))).toBe(true)
      // What either branch spent is spent, under the name that it had there.
      for (const spent of branches.flatMap(({ nullifiers }) => nullifiers)) {
        const isOfLoser = loser?.transaction.nullifiers.indexOf(spent) === 1
        expect(ends[0]?.nullifiers.includes(spent)).toBe(!isOfLoser)
      }
    },
    TIMEOUT_MS,
  )

  it('settle the one of two that spend a note, and the other waits no more', async () => {
    const world = new MiningWorld({
      seed: 5,
      mining: { targetIntervalMs: 2_000, maturityBlocks: 6 },
      hashRates: [0, 0, 0].map(() => 64 / 2 / 3),
      hasNotes: true,
    })
    const { owner, pay } = holderOf(world)
    const rivals = [pay(owner.notes[0], 10n), pay(owner.notes[0], 20n)] as const
    const [one, other] = world.miners as [SimulatedMiner, SimulatedMiner, SimulatedMiner]
    world.offer(rivals[0], [one])
    world.offer(rivals[1], [other])
    expect(one.pool.admit(rivals[1], null)).toMatchObject({ ok: false, code: 'nullifier-waiting' })
    const isSettled = (): boolean => world.miners.every(({ settled }) => settled.length >= 12)
    for (let turn = 0; turn < 600 && !isSettled(); turn++) {
      world.runFor(1_000, isSettled)
      // Settling is asynchronous, as on a disk.
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(isSettled()).toBe(true)
    for (const miner of world.miners) {
      expectSound(world, miner)
      expect(shieldedOf(miner.chain())).toHaveLength(1)
      expect(miner.pool.size).toBe(0)
      for (const rival of rivals) {
        expect(miner.pool.admit(rival, null)).toMatchObject({ ok: false, code: 'nullifier-spent' })
      }
    }
  })
})

const OUTAGE_AT_MS = 2_000
const HEAL_AT_MS = 14_000

describe('a network that has lost its quorum', () => {
  it.each([31, 32, 33])(
    'mines a spent note on either side, and BFT makes one of the two final, seed %i',
    async (seed) => {
      const cluster = new Cluster({
        seed,
        stakes: [1n, 1n, 1n, 1n],
        notes: { everyMs: 1e9, countMax: 0, blockReward: 7n, isPatient: true },
      })
      const companions = new Companions(cluster, seed)
      companions.isGossipCut = true
      for (const [i, companion] of companions.all.entries()) companion.side = i < 2 ? 0 : 1
      await cluster.runUntil(OUTAGE_AT_MS)
      await cluster.runFor(2_000, () => new Set(cluster.nodes.map(({ height }) => height)).size === 1)
      const [left, right] = [cluster.nodes.slice(0, 2), cluster.nodes.slice(2)] as const
      cluster.separate(left)
      const clients = cluster.noteClients
      if (clients === null) throw new Error('a network with notes')
      // Each with a node of its own, on either side.
      clients.act('double', [cluster.node('v0'), cluster.node('v2')])
      clients.act('pay', [cluster.node('v1')])
      clients.act('pay', [cluster.node('v3')])
      clients.act('mint', [cluster.node('v3')])
      await cluster.runUntil(HEAL_AT_MS)
      expect(clients.figures).toEqual({ asked: 5, taken: 5, refused: 0 })
      const orders = [left, right].map(([node]) => companions.of(node as (typeof left)[number]).miner.order())
      expect(orders.map((order) => order.length)).toEqual([2, 3])

      companions.isGossipCut = false
      cluster.heal()
      const isDone = (): boolean =>
        cluster.nodes.every(({ waiting, height }) => waiting === 0 && height > 0) &&
        cluster.noteChecker.finalCount === 4 &&
        companions.all.every(({ miner }) => miner.order().length === 0)
      expect(await cluster.runFor(40_000, isDone)).toBe(true)
      expect(cluster.violations).toEqual([])
      expect(lostTransactions(cluster.taken)).toEqual([])
      for (const { fatal } of companions.all) expect(fatal).toEqual([])
    },
    TIMEOUT_MS,
  )
})
