/**
 * Networks of miners by seed: they converge after a partition, roll nullifiers and state back and forward, keep
 * their interval, and never call anything final.
 */
import { describe, expect, it } from 'vitest'
import { sealBlock } from '../../src/codec/pow.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import { findNonce } from '../support/mining.ts'
import { certificateTransaction, numberedTransaction, timeProof } from '../unit/ledger/fixtures.ts'
import { type Replayed, replay } from './pow-replay.ts'
import { MINING, MiningWorld, type SimulatedMiner } from './pow-world.ts'

const TIMEOUT_MS = 120_000

/** The state that a miner has after its tip, by its own executor; what it told the node is the same chain. */
function expectStateOf(world: MiningWorld, miner: SimulatedMiner): Replayed {
  const chain = miner.chain()
  const replayed = replay(world.genesis, chain)
  const tip = chain.at(-1)
  expect(miner.told.map(({ sealHash }) => sealHash)).toEqual(chain.map(({ sealHash }) => sealHash))
  if (tip !== undefined && miner.shell.chain().length > 0) {
    expect(miner.executor.take(tip.block.hash).executed.stateRoot).toBe(replayed.stateRoot)
  }
  expect(new Set(replayed.nullifiers).size).toBe(replayed.nullifiers.length)
  expect(miner.fatal).toEqual([])
  return replayed
}

const equalShares = (targetIntervalMs: number): number[] => [0, 0, 0].map(() => 64_000 / targetIntervalMs / 3)

/** Two requests that spend one nonce: whichever is ordered first is Valid, and the other is not. */
const rivals = (n: number) =>
  ['a', 'b'].map((name) =>
    certificateTransaction({
      top: { requestId: `rival-${n}-${name}` },
      time: timeProof({ nonce: BigInt(1_000 + n) }),
    }),
  )

describe('three miners', () => {
  it.each([41, 42, 43])(
    'mine over the ends of epochs, settle them, and go on from there after a restart, seed %i',
    async (seed) => {
      const epochBlocks = 5
      const world = new MiningWorld({
        seed,
        mining: { targetIntervalMs: 2_000, maturityBlocks: 8 },
        hashRates: equalShares(2_000),
        drop: 0.02,
        epochBlocks,
      })
      const [first] = world.miners as [SimulatedMiner]
      const reach = async (height: number): Promise<void> => {
        const isThere = (): boolean =>
          world.isOne && world.miners.every(({ shell }) => shell.look().tip.block.header.height >= height)
        for (let turn = 0; turn < 600 && !isThere(); turn++) {
          world.runFor(1_000, isThere)
          await settledNow()
        }
        expect(isThere()).toBe(true)
      }
      await reach(17)
      first.restart()
      await reach(31)
      const ends = world.miners.map((miner) => expectStateOf(world, miner))
      expect(new Set(ends.map(({ stateRoot }) => stateRoot)).size).toBe(1)
      for (const { block } of first.chain()) {
        const { epoch, height } = block.header
        expect(epoch).toBe(Math.floor((height - 1) / epochBlocks))
      }
      expect(first.settled.at(-1)?.sealed.block.header.epoch).toBeGreaterThanOrEqual(3)
    },
    TIMEOUT_MS,
  )

  it.each([1, 2, 3, 4, 5, 6])(
    'converge after a partition and roll nullifiers back and forward, seed %i',
    (seed) => {
      const world = new MiningWorld({
        seed,
        mining: { targetIntervalMs: 2_000 },
        hashRates: equalShares(2_000),
        clockSkewMaxMs: 500,
        drop: 0.05,
      })
      const [lone, ...others] = world.miners as [SimulatedMiner, SimulatedMiner, SimulatedMiner]
      world.offer(numberedTransaction(1))
      expect(world.runFor(60_000, () => world.isOne && lone.chain().length >= 4)).toBe(true)

      world.separate([lone])
      const pairs = [1, 2, 3].map(rivals)
      for (const [a, b] of pairs) {
        if (a === undefined || b === undefined) throw new Error('a pair')
        world.offer(a, [lone])
        world.offer(b, others)
      }
      const judged = (miner: SimulatedMiner): VerdictRecord[] => [
        ...replay(world.genesis, miner.chain()).verdicts,
      ]
      expect(world.runFor(200_000, () => world.miners.every((miner) => judged(miner).length === 4))).toBe(
        true,
      )
      const alone = expectStateOf(world, lone)
      const together = expectStateOf(world, others[0])
      // Either side spent the nonces, each for its own request.
      expect([...alone.nullifiers].sort()).toEqual([...together.nullifiers].sort())
      expect(alone.stateRoot).not.toBe(together.stateRoot)
      expect(alone.verdicts.every(({ status }) => status === 'valid')).toBe(true)
      expect(together.verdicts.every(({ status }) => status === 'valid')).toBe(true)

      for (const pair of pairs) for (const transaction of pair) world.offer(transaction)
      world.heal()
      const all = 1 + 2 * pairs.length
      expect(
        world.runFor(
          600_000,
          () => world.isOne && world.miners.every((miner) => judged(miner).length === all),
        ),
      ).toBe(true)
      const ends = world.miners.map((miner) => expectStateOf(world, miner))
      expect(new Set(ends.map(({ stateRoot }) => stateRoot)).size).toBe(1)
      // One of each pair is Valid and spends; the loser is judged Invalid on the common chain.
      expect(ends[0]?.nullifiers).toHaveLength(4)
      expect(ends[0]?.verdicts.filter(({ status }) => status === 'valid')).toHaveLength(4)
      expect(world.miners.some(({ rolledBack }) => rolledBack > 0)).toBe(true)
    },
    TIMEOUT_MS,
  )
})

/** Blocks that the interval is measured over. */
const BLOCKS = 300

/** Mean time between blocks in simulated milliseconds, over so many blocks from the given height on. */
function meanInterval(miner: SimulatedMiner, from: number): number {
  const times = miner.chain().map(({ block }) => block.header.timestamp)
  const [first, last] = [times[from], times[from + BLOCKS]]
  if (first === undefined || last === undefined) throw new Error(`${times.length} blocks`)
  return (last - first) / BLOCKS
}

describe('the interval', () => {
  it.each([
    ['the hash rate that the initial target is for', 1, 0, [1, 2]],
    ['three times of it', 3, 0, [1, 2]],
    ['a third of it', 1 / 3, 0, [1, 2]],
    ['eight times of it, after the first window', 8, 30, [1]],
  ])(
    `stays within 25 % of the target over ${BLOCKS} blocks with %s`,
    (_, factor, from, seeds) => {
      for (const seed of seeds) {
        const { targetIntervalMs } = MINING
        const hashRates = equalShares(targetIntervalMs).map((rate) => rate * factor)
        const world = new MiningWorld({ seed, hashRates, clockSkewMaxMs: 1_000 })
        const [miner] = world.miners as [SimulatedMiner]
        const isLong = (): boolean => miner.shell.look().tip.block.header.height > from + BLOCKS
        expect(world.runFor(4 * targetIntervalMs * (BLOCKS + 100), isLong)).toBe(true)
        const ratio = meanInterval(miner, from) / targetIntervalMs
        expect(ratio, `seed ${seed}`).toBeGreaterThan(0.75)
        expect(ratio, `seed ${seed}`).toBeLessThan(1.25)
      }
    },
    TIMEOUT_MS,
  )
})

describe('settled blocks', () => {
  const settling = (seed: number): MiningWorld =>
    new MiningWorld({
      seed,
      mining: { targetIntervalMs: 2_000, maturityBlocks: 12, retargetWindow: 10 },
      hashRates: equalShares(2_000),
    })

  it('are what a miner goes on from after a restart, and the chain is the same', async () => {
    const world = settling(11)
    const [miner] = world.miners as [SimulatedMiner]
    world.offer(numberedTransaction(1))
    for (let height = 20; height <= 80; height += 20) {
      const isThere = (): boolean => miner.shell.look().tip.block.header.height >= height
      for (let turn = 0; turn < 400 && !isThere(); turn++) {
        world.runFor(1_000, isThere)
        await settledNow()
      }
      const before = miner.chain().map(({ sealHash }) => sealHash)
      expect(miner.settled.length).toBeGreaterThanOrEqual(before.length - 12 - 1)
      miner.restart()
      expect(miner.chain().map(({ sealHash }) => sealHash)).toEqual(before)
      expectStateOf(world, miner)
    }
    for (const other of world.miners) {
      await settledNow()
      expect(expectStateOf(world, other).nullifiers).toHaveLength(1)
      expect(other.kept.size).toBeLessThan(40)
      expect(other.shell.look().size).toBeLessThan(40)
    }
  })

  it('outlive a second seal of the same block, whichever is settled', async () => {
    const world = settling(13)
    const [miner] = world.miners as [SimulatedMiner]
    let twins = 0
    for (let turn = 0; turn < 120; turn++) {
      world.runFor(1_000)
      const tip = miner.shell.chain().at(-1)
      if (tip !== undefined && turn % 5 === 0) {
        const { seal, block } = tip
        const twin = sealBlock(block, { ...seal, nonce: findNonce(block, seal.bits, Number(seal.nonce) + 1) })
        for (const each of world.miners) if (each.shell.received(twin, 'a-twin') === 'accept') twins += 1
      }
      await settledNow()
    }
    expect(twins).toBeGreaterThan(10)
    expect(miner.settled.length).toBeGreaterThan(20)
    for (const each of world.miners) expectStateOf(world, each)
  })

  it('are never undone: a heavier chain that forks below them is told of, once, and not followed', async () => {
    const world = settling(12)
    const [lone, ...others] = world.miners as [SimulatedMiner, SimulatedMiner, SimulatedMiner]
    world.separate([lone])
    for (let turn = 0; turn < 400 && world.miners.some(({ settled }) => settled.length < 8); turn++) {
      world.runFor(1_000)
      await settledNow()
    }
    const settled = lone.settled.map(({ sealed }) => sealed.sealHash)
    world.heal()
    for (let turn = 0; turn < 120; turn++) {
      world.runFor(1_000)
      await settledNow()
    }
    expect(lone.settled.slice(0, settled.length).map(({ sealed }) => sealed.sealHash)).toEqual(settled)
    expect(others[0].shell.look().tip.work).toBeGreaterThan(lone.shell.look().tip.work)
    const told = lone.events.filter(({ kind }) => kind === 'fork-too-deep')
    expect(told.length).toBeGreaterThan(0)
    expect(told.length).toBeLessThan(4)
    expectStateOf(world, lone)
  })
})

describe('a seed', () => {
  it('gives the same blocks when it is run twice', () => {
    const run = (): unknown => {
      const world = new MiningWorld({
        seed: 77,
        hashRates: equalShares(10_000),
        drop: 0.1,
        clockSkewMaxMs: 2_000,
      })
      world.offer(numberedTransaction(7))
      world.runFor(400_000)
      return world.miners.map((miner) => [miner.chain().map(({ sealHash }) => sealHash), miner.events])
    }
    expect(run()).toEqual(run())
  })
})

/** Settling is asynchronous, as on a disk; lets what is under way be done. */
function settledNow(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
