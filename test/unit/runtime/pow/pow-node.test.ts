/** Proof of work as a node's engine: a node that is far behind catches up by height, and serves what it has. */
import { afterEach, describe, expect, it } from 'vitest'
import { rootOn } from '../../../../src/consensus/pow/pow-engine.ts'
import { Electorate } from '../../../../src/consensus/validator-set.ts'
import { genesisState } from '../../../../src/ledger/genesis-state.ts'
import { StateOverlay } from '../../../../src/ledger/state-overlay.ts'
import type { StateReader } from '../../../../src/ledger/state-reader.ts'
import type { ConsensusEngine } from '../../../../src/runtime/consensus-engine.ts'
import type { BlockProofsPort } from '../../../../src/runtime/ports.ts'
import { PowNode } from '../../../../src/runtime/pow/pow-node.ts'
import type { HashedBlock } from '../../../../src/types/block.ts'
import type { FinalizedBlock } from '../../../../src/types/ledger-state.ts'
import type { SealedBlock } from '../../../../src/types/pow.ts'
import { asEpoch, asMonotonicMs, asUnixMs, type BlockHash } from '../../../../src/types/primitives.ts'
import { until } from '../../../support/e2e/until.ts'
import { findNonce } from '../../../support/mining.ts'
import { MINING } from '../../consensus/pow/harness.ts'
import { BLOCK_TIME, GENESIS, PORTS } from '../../ledger/fixtures.ts'

const state = genesisState(GENESIS, PORTS)

class MemoryMiner {
  readonly settled: SealedBlock[] = []
  readonly told: FinalizedBlock[] = []
  readonly fatal: unknown[] = []
  readonly engine: PowNode & ConsensusEngine
  job: { block: HashedBlock; bits: number; found: (nonce: bigint) => void } | null = null
  nowMs = 0
  ranges = 0
  #state: StateReader = state.state

  constructor(isMiner: boolean, peer: () => MemoryMiner | null, proofs?: BlockProofsPort) {
    const node = this
    this.engine = new PowNode({
      rules: state.rules,
      mining: MINING,
      electorate: () => new Electorate({ epoch: asEpoch(0), validators: GENESIS.validators }),
      root: rootOn(state.block),
      stateRoot: state.stateRoot,
      settledState: {
        hasNullifier: (nullifier) => this.#state.hasNullifier(nullifier),
        verdict: (key) => this.#state.verdict(key),
        requestKeyOfId: (id) => this.#state.requestKeyOfId(id),
        lastSequence: (id) => this.#state.lastSequence(id),
        get accumulators() {
          return node.#state.accumulators
        },
        get staking() {
          return node.#state.staking
        },
        get voting() {
          return node.#state.voting
        },
      },
      kept: [],
      notFinal: state.finality,
      store: {
        keep: () => {},
        forget: () => {},
        settle: async (blocks) => {
          for (const { sealed, executed } of blocks) {
            const parent = this.#state
            this.#state = StateOverlay.of(() => parent, executed.changes)
            this.settled.push(sealed)
          }
        },
        settledBlock: (name) => this.settled.find(({ sealHash }) => sealHash === name) ?? null,
        sealOf: (height) => this.settled[height - 1] ?? null,
      },
      pool: { select: () => [], remove: () => {} },
      ...(proofs === undefined ? {} : { proofs }),
      network: {
        announce: () => {},
        fetchByHash: async (hash) => {
          const bytes = peer()?.engine.unfinalBlock(hash as string as BlockHash) ?? null
          return bytes === null ? null : { bytes, from: 'peer' }
        },
        fetchRange: async (fromHeight, countMax) => {
          this.ranges += 1
          const from = peer()
          return from === null ? null : { blocks: from.engine.range(fromHeight, countMax, 1e6), from: 'peer' }
        },
      },
      miner: isMiner
        ? {
            mine: (block, bits, found) => {
              this.job = { block, bits, found }
            },
            stop: () => {
              this.job = null
            },
          }
        : null,
      clock: {
        monotonicMs: () => asMonotonicMs(this.nowMs),
        unixMs: () => asUnixMs(BLOCK_TIME + this.nowMs),
      },
      observe: () => {},
      onSettled: (blocks) => void this.told.push(...blocks),
      onFatal: (error) => void this.fatal.push(error),
    })
  }

  get height(): number {
    return this.engine.look().tip.block.header.height
  }

  /** Mines a block, a second after the last one. */
  async mineOne(): Promise<void> {
    const { job } = this
    if (job === null) throw new Error('nothing to mine')
    this.nowMs += 1_000
    job.found(findNonce(job.block, job.bits))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const started: MemoryMiner[] = []
function start(isMiner: boolean, peer: () => MemoryMiner | null, proofs?: BlockProofsPort): MemoryMiner {
  const miner = new MemoryMiner(isMiner, peer, proofs)
  started.push(miner)
  miner.engine.start()
  return miner
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(({ engine }) => engine.stop()))
})

describe('a node that is far behind', () => {
  it('gets more blocks than may wait, by height, and stands where the others stand', async () => {
    const far = 2 * MINING.maturityBlocks + 64 + 150
    const ahead = start(true, () => null)
    while (ahead.height < far) await ahead.mineOne()
    expect(ahead.settled.length).toBe(far - MINING.maturityBlocks)

    const behind = start(false, () => ahead)
    behind.nowMs = ahead.nowMs
    const tip = ahead.engine.sealedAt(far)
    expect(behind.engine.announced(tip?.bytes ?? new Uint8Array(), 'peer')).toBe('ignore')
    await until(
      () => behind.height === far,
      20_000,
      () => `height ${far}, it is ${behind.height}`,
    )
    expect(behind.ranges).toBeGreaterThan(0)
    expect(behind.engine.look().tip.sealHash).toBe(ahead.engine.look().tip.sealHash)
    expect(behind.engine.look().tip.work).toBe(ahead.engine.look().tip.work)
    await until(() => behind.settled.length === ahead.settled.length, 5_000, 'the same blocks settled')
    expect(behind.engine.range(1, 10, 1e6)).toEqual(ahead.engine.range(1, 10, 1e6))
    expect(behind.engine.range(far - 2, 10, 1e6)).toHaveLength(3)
    expect(behind.engine.range(1, 10, 1)).toHaveLength(1)
    // Nothing that was told carries a certificate of itself.
    expect(ahead.told.every(({ finality }) => finality.height === 0)).toBe(true)
    expect([...ahead.fatal, ...behind.fatal]).toEqual([])
  })

  it('takes no bytes for a block that are none', () => {
    const node = start(false, () => null)
    expect(node.engine.announced(Uint8Array.of(1, 2, 3), 'peer')).toBe('reject')
    expect(node.height).toBe(0)
  })
})

describe('a mined block whose proofs are not verified yet', () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  /** A miner that has mined so many blocks, and a node that is to be told of them. */
  async function announcing(blocks: number) {
    const waiting: (() => void)[] = []
    const ahead = start(true, () => null)
    while (ahead.height < blocks) await ahead.mineOne()
    const node = start(false, () => ahead, {
      prepare: () => new Promise((resolve) => waiting.push(resolve)),
    })
    node.nowMs = ahead.nowMs
    const announce = (height: number) =>
      node.engine.announced(ahead.engine.sealedAt(height)?.bytes ?? new Uint8Array(), 'peer')
    return { ahead, node, waiting, announce }
  }

  it('is passed on and built on when they are, and so is what builds on it', async () => {
    const { node, waiting, announce } = await announcing(2)
    const verdicts = [announce(1), announce(2)]
    expect(verdicts).toEqual([expect.any(Promise), expect.any(Promise)])
    expect(announce(1)).toBe('ignore')
    expect([node.height, waiting.length]).toEqual([0, 1])
    waiting.shift()?.()
    expect(await verdicts[0]).toBe('accept')
    expect([node.height, waiting.length]).toEqual([1, 1])
    waiting.shift()?.()
    expect(await verdicts[1]).toBe('accept')
    expect(node.height).toBe(2)
  })

  it('is of no use when the node has stopped meanwhile', async () => {
    const { node, waiting, announce } = await announcing(1)
    const verdict = announce(1)
    await node.engine.stop()
    expect(await verdict).toBe('ignore')
    waiting.shift()?.()
    await turn()
    expect([node.height, node.fatal]).toEqual([0, []])
  })

  it('is waited for when a node is far behind', async () => {
    const { ahead, node, waiting, announce } = await announcing(40)
    announce(40)
    await until(
      async () => {
        for (const resolve of waiting.splice(0)) resolve()
        await turn()
        return node.height === ahead.height
      },
      20_000,
      () => `height ${ahead.height}, it is ${node.height}`,
    )
    expect(node.fatal).toEqual([])
  })
})
