/**
 * The fallback miner of a simulated BFT validator: the real one, beside the real replica, which knows nothing of
 * it. Draws its chances elsewhere than the cluster, so that a run with it and one without are the same for BFT.
 */
import { decodeSealedBlock } from '../../src/codec/pow.ts'
import type { Reconciled } from '../../src/consensus/pow/provisional-order.ts'
import type { TransactionPool } from '../../src/runtime/ports.ts'
import { FallbackMiner, type FinalPoint } from '../../src/runtime/pow/fallback-miner.ts'
import { ProvisionalPool } from '../../src/runtime/pow/provisional-pool.ts'
import { workOfTarget } from '../../src/types/compact-target.ts'
import type { MiningParameters, SealedBlock } from '../../src/types/pow.ts'
import { asMonotonicMs, asUnixMs, type StateRoot } from '../../src/types/primitives.ts'
import { findNonce, unwrapTarget } from '../support/mining.ts'
import type { Cluster } from './cluster.ts'
import { Random } from './random.ts'
import type { SimulatedNode } from './simulated-node.ts'
import { START_UNIX_MS } from './world.ts'

export const FALLBACK = {
  afterMs: 3_000,
  mining: {
    targetIntervalMs: 400,
    initialBits: 0x20_03_ff_ff,
    limitBits: 0x20_7f_ff_ff,
    retargetWindow: 20,
    maturityBlocks: 200,
  } satisfies MiningParameters,
}

const POLL_MS = 5

export class Companions {
  readonly all: Companion[]
  readonly random: Random
  /** Whether mined blocks reach the other side of a cut. */
  isGossipCut = false
  readonly cluster: Cluster

  constructor(cluster: Cluster, seed: number) {
    this.cluster = cluster
    this.random = new Random(seed ^ 0xb10c)
    this.all = cluster.nodes.filter(({ index }) => index !== null).map((node) => new Companion(this, node))
    for (const companion of this.all) companion.start()
  }

  of(node: SimulatedNode): Companion {
    const found = this.all.find((companion) => companion.node === node)
    if (found === undefined) throw new Error(`${node.name} has no companion`)
    return found
  }

  send(from: Companion, to: Companion, run: () => void): void {
    if (this.isGossipCut && from.side !== to.side) return
    this.cluster.at(this.cluster.nowMs + 5 + this.random.next() * 40, run)
  }
}

export class Companion {
  readonly node: SimulatedNode
  miner: FallbackMiner
  readonly reconciled: Reconciled[] = []
  readonly fatal: unknown[] = []
  /** Which side of a cut it is on. */
  side = 0
  /** Whether the validator's leader takes the mined order over (F3). */
  ordersPool = true
  /** A process that is down mines nothing. */
  isUp = true
  readonly #all: Companions
  #seen: number
  #process: SimulatedNode['process']
  #timers = new Map<string, number>()

  constructor(all: Companions, node: SimulatedNode) {
    this.#all = all
    this.node = node
    this.#seen = node.finalBlocks.length
    this.#process = node.process
    this.miner = this.#make()
  }

  start(): void {
    this.#orderPool()
    this.miner.start()
    this.#poll()
  }

  receive(sealed: SealedBlock, from: Companion): void {
    if (!this.isUp || !this.node.isUp) return
    this.#catchUp()
    const decoded = decodeSealedBlock(sealed.bytes)
    if (!decoded.ok) throw new Error(decoded.detail)
    const verdict = this.miner.received(decoded.value, from.node.name)
    if (verdict === 'accept') this.#tellOthers(sealed)
    else if (verdict instanceof Promise) {
      const { miner } = this
      void verdict.then((later) => {
        if (later === 'accept' && this.miner === miner) this.#tellOthers(sealed)
      })
      this.#all.cluster.settle()
    }
  }

  #poll(): void {
    const { cluster } = this.#all
    if (this.node.isUp) this.#catchUp()
    cluster.at(cluster.nowMs + POLL_MS, () => this.#poll())
  }

  /** What became final, before anything else is looked at; after a restart of the process, a miner that knows nothing. */
  #catchUp(): void {
    if (this.node.process !== this.#process) {
      this.#process = this.node.process
      this.#seen = this.node.finalBlocks.length
      for (const timer of this.#timers.keys()) this.#later(timer, null, () => {})
      this.miner = this.#make()
      this.#orderPool()
      this.miner.start()
      return
    }
    const blocks = this.node.finalBlocks.slice(this.#seen)
    const from = this.#seen
    this.#seen += blocks.length
    if (blocks.length > 0)
      this.miner.finalMoved(blocks.map((block, i) => ({ block, stateRoot: this.#stateRootAt(from + i) })))
  }

  #stateRootAt(height: number): StateRoot {
    const root = this.node.stateRoots[height]
    if (root === undefined) throw new Error(`no state root at ${height}`)
    return root
  }

  /** F3: the process's leader asks its pool for the mined order first. */
  #orderPool(): void {
    const pool = this.#process?.pool
    if (pool === undefined) return
    const select = pool.select.bind(pool)
    const inner: TransactionPool = { select, remove: () => {} }
    const ordered = new ProvisionalPool(inner, () => this.miner.order())
    pool.select = (selection) => (this.ordersPool ? [...ordered.select(selection)] : select(selection))
  }

  /** The process's own, in its own order; what a template leaves out is left to BFT. */
  #pool(): TransactionPool {
    const pool = this.#process?.pool
    if (pool === undefined) return { select: () => [], remove: () => {} }
    return { select: pool.select.bind(pool), remove: () => {} }
  }

  #tellOthers(sealed: SealedBlock): void {
    for (const other of this.#all.all) {
      if (other !== this && this.isUp) this.#all.send(this, other, () => other.receive(sealed, this))
    }
  }

  #later(name: string, delayMs: number | null, run: () => void): void {
    const { cluster } = this.#all
    const generation = (this.#timers.get(name) ?? 0) + 1
    this.#timers.set(name, generation)
    if (delayMs === null) return
    cluster.at(cluster.nowMs + delayMs, () => {
      if (this.#timers.get(name) !== generation || !this.isUp || !this.node.isUp) return
      this.#catchUp()
      if (this.#timers.get(name) === generation) run()
    })
  }

  #make(): FallbackMiner {
    const { cluster } = this.#all
    const last = this.node.finalBlocks.at(-1)
    if (last === undefined) throw new Error('a chain begins with genesis')
    const final: FinalPoint = { block: last, stateRoot: this.#stateRootAt(last.header.height) }
    return new FallbackMiner({
      ...FALLBACK,
      rules: cluster.genesis.rules,
      final,
      finalState: this.#process?.chain.state ?? cluster.genesis.state,
      isHopeless: (transaction) => this.#process?.isHopeless(transaction) ?? false,
      proofs: this.#process?.proofs,
      pool: this.#pool(),
      clockSkewMaxMs: cluster.genesis.rules.parameters.clockSkewMaxMs,
      clock: {
        monotonicMs: () => asMonotonicMs(cluster.nowMs),
        unixMs: () => asUnixMs(Math.floor(START_UNIX_MS + cluster.nowMs)),
      },
      miner: {
        mine: (block, bits, found) => {
          // Each of the four has a quarter of the hash rate that the initial target is for.
          const perMs =
            Number(workOfTarget(unwrapTarget(FALLBACK.mining.initialBits))) /
            FALLBACK.mining.targetIntervalMs /
            4
          const solveMs =
            (-Math.log(1 - this.#all.random.next()) * Number(workOfTarget(unwrapTarget(bits)))) / perMs
          this.#later('nonce', solveMs, () => found(findNonce(block, bits)))
        },
        stop: () => this.#later('nonce', null, () => {}),
      },
      network: {
        announce: (sealed) => this.#tellOthers(sealed),
        fetch: (sealHash) => {
          for (const other of this.#all.all) {
            if (other === this) continue
            this.#all.send(this, other, () => {
              const known = other.isUp ? other.miner.sealedBlock(sealHash) : null
              if (known !== null) this.#all.send(other, this, () => this.receive(known, other))
            })
          }
        },
      },
      timers: {
        set: (timer, delayMs) => this.#later(timer, delayMs, () => this.miner.timerExpired(timer)),
        cancel: (timer) => this.#later(timer, null, () => {}),
      },
      wake: (delayMs, run) => this.#later('wake', delayMs, run),
      observe: () => {},
      onReconciled: (reconciled) => void this.reconciled.push(reconciled),
      onFatal: (error) => {
        this.fatal.push(error)
        throw error
      },
    })
  }
}
