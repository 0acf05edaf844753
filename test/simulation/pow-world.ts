/**
 * Miners in one process over a simulated network and clock, with the real engine, shell, codecs, mempool and
 * ledger. A nonce is found after an exponential time, as with real hashing, and is then a real one: targets are
 * so easy that looking for it costs nothing. Everything is a function of the seed.
 */
import { decodeSealedBlock } from '../../src/codec/pow.ts'
import type { PowEvent } from '../../src/consensus/pow/event.ts'
import { rootOn } from '../../src/consensus/pow/pow-engine.ts'
import type { ChainRules } from '../../src/ledger/chain-rules.ts'
import { type GenesisState, genesisState } from '../../src/ledger/genesis-state.ts'
import { shieldedRefusal } from '../../src/ledger/shielded/admission.ts'
import type { ShieldedRefusal } from '../../src/ledger/shielded/shielded-refusals.ts'
import { StateOverlay } from '../../src/ledger/state-overlay.ts'
import type { StateReader } from '../../src/ledger/state-reader.ts'
import { Mempool } from '../../src/mempool/mempool.ts'
import { BlockExecutor } from '../../src/runtime/block-executor.ts'
import type { MinerPort, SettledBlock } from '../../src/runtime/pow/ports.ts'
import { PowShell } from '../../src/runtime/pow/pow-shell.ts'
import { workOfTarget } from '../../src/types/compact-target.ts'
import type { Refusal } from '../../src/types/errors.ts'
import type { MiningParameters, SealedBlock, SealHash } from '../../src/types/pow.ts'
import { asMonotonicMs, asUnixMs, nextHeight } from '../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../src/types/shielded.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { findNonce, unwrapTarget } from '../support/mining.ts'
import { BLOCK_TIME, GENESIS, PORTS } from '../unit/ledger/fixtures.ts'
import { EventQueue } from './event-queue.ts'
import { noteGenesis } from './notes/note-genesis.ts'
import { OpenProofs } from './notes/open-proofs.ts'
import { Random } from './random.ts'

/** About 64 hashes a block: real work, and none to speak of. */
export const EASY_BITS = 0x20_03_ff_ff

export const MINING: MiningParameters = {
  targetIntervalMs: 10_000,
  initialBits: EASY_BITS,
  limitBits: 0x20_7f_ff_ff,
  retargetWindow: 30,
  maturityBlocks: 400,
}

export interface MiningWorldOptions {
  readonly seed: number
  readonly mining?: Partial<MiningParameters>
  /** Hashes per simulated second of each miner. */
  readonly hashRates: readonly number[]
  readonly delayMaxMs?: number
  /** Probability that a message is lost. */
  readonly drop?: number
  /** How far the clocks are apart. */
  readonly clockSkewMaxMs?: number
  /** 0 unless told: one epoch without end. */
  readonly epochBlocks?: number
  /** Genesis has notes, and there are clients with open proofs. */
  readonly hasNotes?: boolean
}

export class MiningWorld {
  readonly random: Random
  readonly genesis: GenesisState
  readonly mining: MiningParameters
  readonly miners: SimulatedMiner[]
  readonly openProofs = new OpenProofs()
  readonly delayMaxMs: number
  nowMs = 0
  readonly #drop: number
  readonly #queue = new EventQueue()
  readonly #cut = new Set<string>()

  constructor(options: MiningWorldOptions) {
    this.random = new Random(options.seed)
    this.mining = { ...MINING, ...options.mining }
    this.delayMaxMs = options.delayMaxMs ?? 300
    this.#drop = options.drop ?? 0
    const { clockSkewMaxMs = 0, epochBlocks = 0, hasNotes = false } = options
    const parameters = { ...GENESIS.parameters, epochBlocks }
    const consensus = { engine: 'pow', mining: this.mining } as const
    this.genesis = genesisState(
      { ...GENESIS, ...(hasNotes ? noteGenesis(7n) : {}), parameters, consensus },
      { ...PORTS, verifyShielded: this.openProofs.verify },
    )
    this.miners = options.hashRates.map(
      (rate, i) => new SimulatedMiner(this, i, rate / 1_000, (this.random.next() - 0.5) * clockSkewMaxMs),
    )
    for (const miner of this.miners) miner.start()
  }

  at(atMs: number, run: () => void): void {
    this.#queue.push(atMs, run)
  }

  /** Runs for a time, or until the condition holds; whether it held. */
  runFor(ms: number, done: () => boolean = () => false): boolean {
    const until = this.nowMs + ms
    while (!done()) {
      if (this.#queue.nextAtMs > until) {
        this.nowMs = until
        return done()
      }
      const { atMs, run } = this.#queue.pop()
      this.nowMs = Math.max(this.nowMs, atMs)
      run()
    }
    return true
  }

  separate(side: readonly SimulatedMiner[]): void {
    for (const a of side) {
      for (const b of this.miners) {
        if (!side.includes(b)) this.#cut.add(`${a.index}>${b.index}`).add(`${b.index}>${a.index}`)
      }
    }
  }

  heal(): void {
    this.#cut.clear()
  }

  send(from: SimulatedMiner, to: SimulatedMiner, run: () => void): void {
    if (this.#cut.has(`${from.index}>${to.index}`) || this.random.chance(this.#drop)) return
    this.at(this.nowMs + 5 + this.random.next() * this.delayMaxMs, run)
  }

  offer(transaction: HashedTransaction, to: readonly SimulatedMiner[] = this.miners): void {
    for (const miner of to) miner.pool.admit(transaction, null)
  }

  /** Whether all have one tip. */
  get isOne(): boolean {
    return new Set(this.miners.map((miner) => miner.shell.look().tip.sealHash)).size === 1
  }
}

export class SimulatedMiner {
  readonly index: number
  readonly pool: Mempool
  readonly events: PowEvent[] = []
  /** What a restart finds. */
  readonly kept = new Map<SealHash, SealedBlock>()
  readonly settled: SettledBlock[] = []
  /** The order of blocks as the rest of the node was told of it. */
  readonly told: SealedBlock[] = []
  rolledBack = 0
  shell: PowShell
  executor: BlockExecutor
  readonly fatal: unknown[] = []
  readonly #world: MiningWorld
  readonly #hashesPerMs: number
  readonly #skewMs: number
  #root: ReturnType<typeof rootOn>
  #state: StateReader
  #timers = new Map<string, number>()

  constructor(world: MiningWorld, index: number, hashesPerMs: number, skewMs: number) {
    this.#world = world
    this.index = index
    this.#hashesPerMs = hashesPerMs
    this.#skewMs = skewMs
    this.#root = rootOn(world.genesis.block)
    this.#state = world.genesis.state
    const budget = { countMax: 1_000, bytesMax: 1e7, countPerSourceMax: 1_000, bytesPerSourceMax: 1e7 }
    this.pool = new Mempool(
      { ...budget, timeToLiveMs: 1e9 },
      {
        now: () => asMonotonicMs(world.nowMs),
        isFinal: (requestKey) => this.#state.verdict(requestKey) !== null,
        refusal: ({ transaction }) =>
          transaction.kind === 'shielded' ? this.#refusal(transaction, world.genesis.rules) : null,
        expired: () => {},
      },
    )
    this.executor = this.#makeExecutor()
    this.shell = this.#makeShell()
  }

  start(): void {
    this.shell.start([...this.kept.values()])
    this.shell.input({ kind: 'mining-wanted', isWanted: true })
  }

  /** The process dies and comes back with what is on its disk. */
  restart(): void {
    void this.shell.stop()
    this.told.length = 0
    this.told.push(...this.settled.map(({ sealed }) => sealed))
    this.executor = this.#makeExecutor()
    this.shell = this.#makeShell()
    this.start()
  }

  /** Settled and unsettled blocks of the heaviest chain, oldest first. */
  chain(): SealedBlock[] {
    return [...this.settled.map(({ sealed }) => sealed), ...this.shell.chain()]
  }

  receive(bytes: Uint8Array, from: SimulatedMiner): void {
    const sealed = decodeSealedBlock(bytes)
    if (!sealed.ok) throw new Error(sealed.detail)
    const verdict = this.shell.received(sealed.value, `${from.index}`)
    if (verdict === 'accept') this.#tellOthers(sealed.value)
  }

  /** Judged on the settled state, as a node does. */
  #refusal(transaction: ShieldedTransaction, rules: ChainRules): Refusal<ShieldedRefusal> | null {
    const { height } = this.settled.at(-1)?.sealed.block.header ?? this.#world.genesis.block.header
    return shieldedRefusal(transaction, this.#state, nextHeight(height), rules)
  }

  #tellOthers(sealed: SealedBlock): void {
    for (const other of this.#world.miners) {
      if (other !== this) this.#world.send(this, other, () => other.receive(sealed.bytes, this))
    }
  }

  #fetch(sealHash: SealHash): void {
    const world = this.#world
    for (const other of world.miners) {
      if (other === this) continue
      world.send(this, other, () => {
        const known =
          other.shell.sealedBlock(sealHash) ??
          other.settled.find(({ sealed }) => sealed.sealHash === sealHash)?.sealed
        if (known !== undefined) world.send(other, this, () => this.receive(known.bytes, other))
      })
    }
  }

  #makeExecutor(): BlockExecutor {
    const { rules, stateRoot, block } = this.#world.genesis
    const last = this.settled.at(-1)
    const node = this
    return new BlockExecutor({
      rules,
      final: {
        hash: last?.sealed.block.hash ?? block.hash,
        stateRoot: last?.executed.stateRoot ?? stateRoot,
      },
      finalState: {
        hasNullifier: (nullifier) => this.#state.hasNullifier(nullifier),
        verdict: (requestKey) => this.#state.verdict(requestKey),
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
      pool: this.pool,
      stopwatch: () => this.#world.nowMs,
    })
  }

  #makeShell(): PowShell {
    const world = this.#world
    return new PowShell({
      mining: world.mining,
      root: this.#root,
      clockSkewMaxMs: 5_000,
      epochBlocks: world.genesis.rules.parameters.epochBlocks,
      depth: 'settle',
      executor: this.executor,
      clock: {
        monotonicMs: () => asMonotonicMs(world.nowMs),
        unixMs: () => asUnixMs(Math.floor(BLOCK_TIME + world.nowMs + this.#skewMs)),
      },
      miner: this.#miner(),
      network: {
        announce: (sealed) => this.#tellOthers(sealed),
        fetch: (sealHash) => this.#fetch(sealHash),
      },
      store: {
        keep: (sealed) => void this.kept.set(sealed.sealHash, sealed),
        forget: (blocks) => {
          for (const { sealHash } of blocks) this.kept.delete(sealHash)
        },
        settle: async (blocks, { sealHash, work, trail }) => {
          for (const done of blocks) {
            const parent = this.#state
            this.#state = StateOverlay.of(() => parent, done.executed.changes)
            this.settled.push(done)
            this.kept.delete(done.sealed.sealHash)
            this.pool.remove(done.sealed.block.transactions)
          }
          const known = { ...world.genesis.rules, verifySignature: () => true, verifyShielded: () => true }
          this.pool.review(
            ({ transaction }) =>
              transaction.kind === 'shielded' && this.#refusal(transaction, known) !== null,
          )
          const block = blocks.at(-1)?.sealed.block
          if (block !== undefined) this.#root = { sealHash, work, trail, block }
        },
      },
      timers: {
        set: (timer, delayMs) => {
          const generation = (this.#timers.get(timer) ?? 0) + 1
          const { shell } = this
          this.#timers.set(timer, generation)
          world.at(world.nowMs + delayMs, () => {
            if (this.#timers.get(timer) === generation && this.shell === shell) {
              shell.input({ kind: 'timer-expired', timer })
            }
          })
        },
        cancel: (timer) => void this.#timers.set(timer, (this.#timers.get(timer) ?? 0) + 1),
      },
      listener: {
        switched: (rollback, apply) => {
          for (const { sealHash } of rollback) {
            if (this.told.pop()?.sealHash !== sealHash) throw new Error(`${sealHash} was not the newest`)
          }
          this.rolledBack += rollback.length
          this.told.push(...apply)
        },
      },
      observe: (event) => void this.events.push(event),
      onFatal: (error) => {
        this.fatal.push(error)
        throw error
      },
    })
  }

  /** Exponential time with the mean that the target and the hash rate give: as hashing has no memory, nor has this. */
  #miner(): MinerPort {
    const world = this.#world
    let job = 0
    return {
      mine: (block, bits, found) => {
        const own = ++job
        const hashes = Number(workOfTarget(unwrapTarget(bits)))
        const solveMs = (-Math.log(1 - world.random.next()) * hashes) / this.#hashesPerMs
        world.at(world.nowMs + solveMs, () => {
          if (own === job) found(findNonce(block, bits))
        })
      },
      stop: () => {
        job += 1
      },
    }
  }
}
