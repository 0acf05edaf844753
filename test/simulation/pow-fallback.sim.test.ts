/**
 * BFT networks that lose their quorum: they mine on the last final block, find each other again, and BFT makes
 * the mined order final; by seed. None of it changes one byte of a safety record or one effect of a replica.
 */
import { describe, expect, it } from 'vitest'
import { isValidation } from '../../src/types/transaction.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { Companions } from './pow-companion.ts'
import type { SimulatedNode } from './simulated-node.ts'
import { TRANSACTIONS } from './swarm.ts'

const TIMEOUT_MS = 120_000
const OUTAGE_AT_MS = 2_000
const HEAL_AT_MS = 16_000

const make = (seed: number, options: Partial<ClusterOptions> = {}): Cluster =>
  new Cluster({ seed, stakes: [1n, 1n, 1n, 1n], ...options })

const heights = (cluster: Cluster): number[] => cluster.nodes.map(({ height }) => height)
const keysOf = (node: SimulatedNode): string[] =>
  node.finalBlocks.flatMap(({ transactions }) =>
    transactions.filter(isValidation).map(({ requestKey }) => requestKey),
  )

/** Cuts the four in two halves; transactions come in on either side. */
async function loseQuorum(cluster: Cluster): Promise<void> {
  await cluster.runUntil(OUTAGE_AT_MS)
  await cluster.runFor(2_000, () => new Set(heights(cluster)).size === 1)
  cluster.separate(cluster.nodes.slice(0, 2))
  TRANSACTIONS.forEach((transaction, i) => {
    const node = cluster.nodes[i % 4]
    if (node !== undefined) cluster.at(OUTAGE_AT_MS + 500 + i * 1_500, () => cluster.offer(transaction, node))
  })
}

/**
 * Requests that spend what one before them does, or have a lower sequence number: when BFT orders them after that
 * one's verdict, they are later than they were mined (ledger/verdicts/README.md). Each with the one that it waits for.
 */
function waitsIn(mined: readonly string[]): ReadonlyMap<string, string> {
  const [replayA, replayB, , second, first] = TRANSACTIONS.slice(4).map(({ requestKey }) => requestKey)
  const isBefore = (a: string, b: string): boolean => mined.indexOf(a) < mined.indexOf(b)
  const waits = new Map<string, string>()
  if (replayA === undefined || replayB === undefined) throw new Error('no replays')
  if (isBefore(replayA, replayB)) waits.set(replayB, replayA)
  else waits.set(replayA, replayB)
  if (second === undefined || first === undefined) throw new Error('no sequence')
  if (isBefore(second, first)) waits.set(first, second)
  return waits
}

/** The miners have heard of the newest final blocks: they look every few milliseconds. */
async function expectNothingMined(cluster: Cluster, { all }: Companions): Promise<void> {
  expect(await cluster.runFor(1_000, () => all.every(({ miner }) => miner.order().length === 0))).toBe(true)
}

/** The quorum is back: every transaction is final on every node, and more blocks follow. */
async function expectHealed(cluster: Cluster): Promise<void> {
  const goal = Math.max(...heights(cluster)) + 5
  const isDone = (): boolean =>
    cluster.nodes.every((node) => node.height >= goal && keysOf(node).length >= TRANSACTIONS.length)
  expect(await cluster.runFor(40_000, isDone)).toBe(true)
  expect(cluster.violations).toEqual([])
  for (const node of cluster.nodes) {
    const keys = keysOf(node)
    expect(new Set(keys).size).toBe(keys.length)
    expect([...keys].sort()).toEqual(TRANSACTIONS.map(({ requestKey }) => requestKey as string).sort())
    // A mined block has view 0, which no block of BFT above genesis has.
    expect(node.finalBlocks.slice(1).every(({ header }) => header.view > 0)).toBe(true)
  }
  // The slowest may lack the newest blocks; what they have is one chain.
  const common = Math.min(...heights(cluster))
  const chains = cluster.nodes.map(({ finalBlocks }) =>
    finalBlocks.slice(0, common + 1).map(({ hash }) => hash),
  )
  expect(new Set(chains.map((chain) => chain.join())).size).toBe(1)
}

describe('a network that has lost its quorum', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'mines one chain while gossip still works, and BFT makes its order final, seed %i',
    async (seed) => {
      // An idle chain, so that all four stop at one block.
      const cluster = make(seed, { parameters: { heartbeatMs: 700 } })
      const companions = new Companions(cluster, seed)
      await loseQuorum(cluster)
      await cluster.runUntil(HEAL_AT_MS)
      // The last transaction came late, to one half: it takes a block of that half's.
      const isMined = (): boolean =>
        companions.all.every(({ miner }) => miner.order().length === TRANSACTIONS.length)
      expect(await cluster.runFor(20_000, isMined)).toBe(true)
      const stuckAt = heights(cluster)
      const looks = companions.all.map(({ miner }) => miner.look())
      expect(looks.every(({ isMining, size }) => isMining && size > 10)).toBe(true)
      cluster.heal()
      // What is mined in the moments before the first final block belongs to the chain as well.
      const isStuck = (): boolean => heights(cluster).every((height, i) => height === stuckAt[i])
      let chain = companions.all[0]?.miner.order() ?? []
      while (isStuck()) {
        chain = companions.all[0]?.miner.order() ?? []
        await cluster.runFor(1)
      }
      expect(chain.length).toBe(TRANSACTIONS.length)
      await expectHealed(cluster)
      await expectNothingMined(cluster, companions)
      const mined = chain.map(({ requestKey }) => requestKey as string)
      const waits = waitsIn(mined)
      const steady = mined.filter((key) => !waits.has(key))
      const final = keysOf(cluster.nodes[0] as SimulatedNode)
      for (const node of cluster.nodes) expect(keysOf(node)).toEqual(final)
      expect(final.filter((key) => !waits.has(key))).toEqual(steady)
      for (const [later, earlier] of waits) {
        expect(final.indexOf(later)).toBeGreaterThan(final.indexOf(earlier))
      }
      for (const { miner, reconciled, fatal } of companions.all) {
        expect(fatal).toEqual([])
        // Mined blocks have become final in their place, up to the first transaction that had to wait.
        const isInPlace = final.join() === mined.join()
        expect(reconciled.some(({ isContradicted }) => isContradicted)).toBe(!isInPlace)
        const finalized = reconciled.flatMap(({ finalized: blocks }) => blocks)
        const keys = finalized.flatMap(({ block }) =>
          block.transactions.map(({ requestKey }) => requestKey as string),
        )
        expect(keys).toEqual(isInPlace ? mined : mined.slice(0, keys.length))
        expect(keys.length).toBeGreaterThan(0)
        expect(miner.look()).toMatchObject({ isMining: false, size: 0 })
        expect(miner.order()).toEqual([])
      }
    },
    TIMEOUT_MS,
  )

  it.each([11, 12, 13, 14, 15, 16])(
    'mines two chains when it is cut in two, and BFT finalizes without contradiction, seed %i',
    async (seed) => {
      const cluster = make(seed)
      const companions = new Companions(cluster, seed)
      companions.isGossipCut = true
      for (const [i, companion] of companions.all.entries()) companion.side = i < 2 ? 0 : 1
      await loseQuorum(cluster)
      await cluster.runUntil(HEAL_AT_MS)
      const tips = new Set(companions.all.map(({ miner }) => miner.look().tip.sealHash))
      expect(tips.size).toBeGreaterThanOrEqual(2)
      companions.isGossipCut = false
      cluster.heal()
      // Only the sides' own pools and mined chains hold the transactions: both come through.
      await expectHealed(cluster)
      await expectNothingMined(cluster, companions)
      for (const { fatal } of companions.all) expect(fatal).toEqual([])
    },
    TIMEOUT_MS,
  )

  it.each([21, 22])(
    'says and records byte for byte what it would without mining, seed %i',
    async (seed) => {
      const run = async (isMining: boolean) => {
        const cluster = make(seed, { drop: 0.1, healAtMs: HEAL_AT_MS, crashChance: 0.0005, downMaxMs: 500 })
        const companions = isMining ? new Companions(cluster, seed) : null
        for (const companion of companions?.all ?? []) companion.ordersPool = false
        await loseQuorum(cluster)
        await cluster.runUntil(HEAL_AT_MS)
        const mined = Math.min(...(companions?.all ?? []).map(({ miner }) => miner.look().size))
        cluster.heal()
        await cluster.runUntil(HEAL_AT_MS + 2_000)
        expect(cluster.violations).toEqual([])
        const records = cluster.nodes.map(({ safety: { records: bytes } }) =>
          bytes.map((each) => Buffer.from(each).toString('hex')),
        )
        return { records, trace: cluster.checker.trace, heights: heights(cluster), mined }
      }
      const without = await run(false)
      const { mined, ...withMining } = await run(true)
      expect(mined).toBeGreaterThan(10)
      expect(withMining).toEqual({ records: without.records, trace: without.trace, heights: without.heights })
      expect(without.records.every((log) => log.length > 0)).toBe(true)
    },
    TIMEOUT_MS,
  )

  it('does not mine while blocks become final', async () => {
    const cluster = make(31)
    const companions = new Companions(cluster, 31)
    await cluster.runUntil(7_000)
    expect(companions.all.every(({ miner }) => !miner.look().isMining && miner.look().size === 0)).toBe(true)
    expect(Math.min(...heights(cluster))).toBeGreaterThan(50)
  })
})
