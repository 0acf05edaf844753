/**
 * One simulated machine: its disk, its clock, and the process that runs on it while it is up. A crash forgets all
 * but what is durable. What the process consists of is in simulated-process.ts.
 */
import { decodeMessage } from '../../src/codec/messages.ts'
import { decodeSafetyRecord } from '../../src/codec/safety-record.ts'
import type { ConsensusEvent } from '../../src/consensus/event.ts'
import type { ReplicaView } from '../../src/consensus/replica.ts'
import { InvariantViolation } from '../../src/types/assert.ts'
import type { BallotCommit } from '../../src/types/ballots.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import type { BlockHash, StateRoot, ValidatorId, ValidatorIndex } from '../../src/types/primitives.ts'
import type { SafetyRecord } from '../../src/types/safety.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import type { Adversary } from './adversary.ts'
import type { Speaker } from './checker.ts'
import { DatabaseMedium } from './memory-database.ts'
import { SimulatedProcess } from './simulated-process.ts'
import { SafetyMedium } from './simulated-safety-log.ts'
import { type Mutation, START_UNIX_MS, unwrap, type World } from './world.ts'

/** The process died between two effects. */
export class Crash extends Error {}

export interface NodeOptions {
  readonly name: string
  readonly index: ValidatorIndex | null
  readonly adversary: Adversary | null
  readonly isHonest: boolean
  readonly mutation: Mutation
  /** Its wall clock's difference from the others, and the rate of its clocks. */
  readonly skewMs: number
  readonly drift: number
}

/** Events kept for tests: more than a scenario has. */
const EVENTS_MAX = 20_000

export class SimulatedNode implements Speaker {
  readonly name: string
  readonly index: ValidatorIndex | null
  readonly id: ValidatorId | null
  readonly isHonest: boolean
  readonly adversary: Adversary | null
  readonly mutation: Mutation
  readonly events: ConsensusEvent[] = []
  /** What became of the messages that came in. */
  readonly outcomes = new Map<string, number>()
  skewMs: number
  readonly drift: number
  readonly world: World

  // On disk.
  readonly safety = new SafetyMedium()
  readonly database = new DatabaseMedium()

  /** Every final block that was durable here, in order, as an onlooker wrote them down. */
  readonly finalBlocks: HashedBlock[]
  readonly stateRoots: StateRoot[]
  process: SimulatedProcess | null = null
  /** Told apart: what was sent to one run of the process does not reach the next. */
  incarnation = 0

  constructor(world: World, of: NodeOptions) {
    this.world = world
    this.name = of.name
    this.index = of.index
    this.id = of.index === null ? null : (world.electorate.at(of.index)?.id ?? null)
    this.adversary = of.adversary
    this.isHonest = of.isHonest
    this.mutation = of.mutation
    this.skewMs = of.skewMs
    this.drift = of.drift
    this.finalBlocks = [world.genesis.block]
    this.stateRoots = [world.genesis.stateRoot]
  }

  get isUp(): boolean {
    return this.process !== null
  }

  get height(): number {
    return this.finalBlocks.length - 1
  }

  get durableSlots(): ReadonlySet<string> {
    return this.safety.slots
  }

  get durableHeight(): number {
    return this.process?.chain.tip.height ?? this.height
  }

  monotonicMs(): number {
    return this.world.nowMs * this.drift
  }

  unixMs(): number {
    return Math.floor(START_UNIX_MS + this.world.nowMs + this.skewMs)
  }

  look(): ReplicaView | null {
    return this.process?.consensus.look() ?? null
  }

  /** Reads the disk and begins to take part; `up` runs when it does. */
  start(up: () => void): void {
    const incarnation = ++this.incarnation
    this.world.checker.restarted(this, this.#durable())
    SimulatedProcess.open(this).then(
      (process) => {
        if (this.incarnation !== incarnation) return
        this.process = process
        this.#caughtUpWithDisk(process)
        up()
        this.guarded(() => process.start())
      },
      (error: unknown) => this.world.checker.violated(`restart: ${this.name}: ${error}`),
    )
    this.world.settle()
  }

  /** Power off. */
  crash(): void {
    const { process } = this
    this.incarnation++
    this.process = null
    process?.powerLost()
  }

  receive(from: ValidatorId, bytes: Uint8Array): void {
    const { process } = this
    if (process === null) return
    if (this.adversary !== null) {
      const message = decodeMessage(bytes)
      if (message.ok) this.adversary.observe(message.value)
    }
    this.guarded(() => {
      const outcome = process.consensus.receive(from, bytes)
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    })
  }

  /** A client's transaction; false when the node does not take it. */
  submit(transaction: HashedTransaction): boolean {
    if (this.process === null || this.adversary?.isCensor === true) return false
    let isTaken = false
    this.guarded(() => {
      const outcome = this.process?.flow.submit(transaction)
      isTaken = outcome !== undefined && 'ok' in outcome && outcome.ok
    })
    return isTaken
  }

  /** A client's shielded transaction, whose proof takes a while; what becomes of it is told if the process lives so long. */
  submitShielded(transaction: HashedTransaction, told: (isTaken: boolean) => void): void {
    const { process, incarnation } = this
    if (process === null || this.adversary?.isCensor === true) {
      told(false)
      return
    }
    this.#whenEntered(
      () => process.flow.submit(transaction),
      ({ ok }) => {
        if (this.incarnation === incarnation) told(ok)
      },
    )
  }

  gossiped(bytes: Uint8Array, from: string): void {
    const { process } = this
    if (process === null || this.adversary?.isCensor === true) return
    this.#whenEntered(
      () => process.flow.received([bytes], from),
      () => {},
    )
  }

  announced(bytes: Uint8Array): void {
    this.guarded(() => this.process?.consensus.announced(bytes))
  }

  reachabilityChanged(id: ValidatorId, isReachable: boolean): void {
    this.guarded(() => this.process?.consensus.reachabilityChanged(id, isReachable))
  }

  /** What it is holding back from the chain. */
  /** Batches of requests without all their verdicts, or not accounted for yet. */
  get waitingForVerdicts(): number {
    return this.process?.chain.state.voting.batches.length ?? 0
  }

  get waiting(): number {
    return this.process?.pool.size ?? 0
  }

  blockByHash(hash: BlockHash): Uint8Array | null {
    return this.process?.consensus.unfinalBlock(hash) ?? this.process?.chain.blockByHash(hash) ?? null
  }

  observe(event: ConsensusEvent): void {
    if (this.events.length < EVENTS_MAX) this.events.push(event)
  }

  /** Blocks are final and durable. */
  finalized(blocks: readonly FinalizedBlock[]): void {
    for (const { block, stateRoot } of blocks) this.#wrote(block, stateRoot)
    this.world.checker.executed(this, blocks)
    this.world.finalized(this, blocks)
  }

  /** Runs something of the process's; whatever ends it ends the process and nothing else. */
  guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.fatal(error)
    }
  }

  /** The process stops. Only what power loss and failing disks do to it is in order. */
  fatal(error: unknown): void {
    const { checker } = this.world
    if (error instanceof InvariantViolation) {
      checker.violated(`invariant: ${this.name}: ${error.message}`)
    } else if (!(error instanceof Crash) && !String(error).includes('EIO')) {
      checker.violated(`fatal: ${this.name}: ${error instanceof Error ? error.stack : error}`)
    }
    this.world.crash(this)
  }

  /** Through the door of the pool: at once, or when a proof is verified. */
  #whenEntered<T>(enter: () => T | Promise<T>, then: (outcome: T) => void): void {
    this.guarded(() => {
      const outcome = enter()
      if (!(outcome instanceof Promise)) {
        then(outcome)
        return
      }
      outcome.then(then, (error: unknown) => this.fatal(error))
      this.world.settle()
    })
  }

  #wrote(block: HashedBlock, stateRoot: StateRoot): void {
    const { height, parentHash } = block.header
    if (height !== this.finalBlocks.length || parentHash !== this.finalBlocks.at(-1)?.hash) {
      this.world.checker.violated(`I2: ${this.name} writes height ${height} out of order`)
    }
    this.finalBlocks.push(block)
    this.stateRoots.push(stateRoot)
  }

  /** A batch that became durable as the power went is on the disk, and nobody has heard of it. */
  #caughtUpWithDisk({ chain }: SimulatedProcess): void {
    const { checker } = this.world
    if (chain.tip.height < this.height) {
      checker.violated(`I2: ${this.name} lost heights above ${chain.tip.height} of ${this.height}`)
    }
    for (let height = this.finalBlocks.length; height <= chain.tip.height; height++) {
      const block = chain.blockAt(height as typeof chain.tip.height)
      const stateRoot = chain.stateRootAt(height as typeof chain.tip.height)
      if (block === null || stateRoot === null) {
        checker.violated(`I2: ${this.name} has no block at height ${height} below its tip`)
        return
      }
      checker.decided(this, [block], this.finalBlocks.at(-1)?.hash ?? '', null)
      this.#wrote(block, stateRoot)
    }
  }

  /** Every commit in the safety record that is on disk. */
  recordedCommits(): BallotCommit[] {
    return this.safety.records.flatMap((bytes) => unwrap(decodeSafetyRecord(bytes)).commits)
  }

  /** What is on disk of the newest epoch, whatever the code makes of it: the last of every field. */
  #durable(): Partial<SafetyRecord> {
    let last: { -readonly [Field in keyof SafetyRecord]?: SafetyRecord[Field] } = {}
    for (const bytes of this.safety.records) {
      const { epoch, proposal, prepare, preCommit, timeout, highQc, highTc } = unwrap(
        decodeSafetyRecord(bytes),
      )
      if (epoch !== last.epoch) last = { epoch }
      if (proposal !== null) last.proposal = proposal
      if (prepare !== null) last.prepare = prepare
      if (preCommit !== null) last.preCommit = preCommit
      if (timeout !== null) last.timeout = timeout
      if (highQc !== null) last.highQc = highQc
      if (highTc !== null) last.highTc = highTc
    }
    return last
  }
}
