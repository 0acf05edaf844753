/**
 * One simulated process: the real driver, replica, effect handler, outbox, ingress, verifier and signer over a
 * simulated disk and clock. Execution is a hash over the chain. A crash forgets all but what is durable.
 */
import { decodeBlock, hashBlock, transactionsRoot } from '../../src/codec/block.ts'
import { sha256TaggedHex } from '../../src/codec/hashes.ts'
import { decodeMessage, encodeMessage } from '../../src/codec/messages.ts'
import { utf8ToBytes } from '../../src/codec/utf8.ts'
import { signingHistoryOf } from '../../src/composition/signing-history.ts'
import type { ConsensusEffect } from '../../src/consensus/effect.ts'
import type { ConsensusEvent } from '../../src/consensus/event.ts'
import type { ConsensusInput } from '../../src/consensus/input.ts'
import type { FinalTurn } from '../../src/consensus/leader-election.ts'
import { Replica } from '../../src/consensus/replica.ts'
import type { Electorate } from '../../src/consensus/validator-set.ts'
import { Signer } from '../../src/crypto/signer.ts'
import type { ProposedFields } from '../../src/ledger/build-block.ts'
import type { AnswerFigureMeter } from '../../src/runtime/answer-figures.ts'
import type { BlockExecutor } from '../../src/runtime/block-executor.ts'
import { recoverSafety } from '../../src/runtime/consensus-node.ts'
import { DurableOutbox } from '../../src/runtime/durable-outbox.ts'
import { EffectHandler } from '../../src/runtime/effect-handler.ts'
import type { Finalizer } from '../../src/runtime/finalizer.ts'
import { Ingress } from '../../src/runtime/ingress.ts'
import { MessageVerifier } from '../../src/runtime/message-verifier.ts'
import type { SafetyLogPort } from '../../src/runtime/ports.ts'
import { ReplicaDriver } from '../../src/runtime/replica-driver.ts'
import type { Timers } from '../../src/runtime/timers.ts'
import { InvariantViolation } from '../../src/types/assert.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import type { ChainParameters } from '../../src/types/genesis.ts'
import type { Proposal } from '../../src/types/messages.ts'
import {
  asMonotonicMs,
  asUnixMs,
  type GenesisHash,
  nextHeight,
  type RequestKey,
  type StateRoot,
  type ValidatorId,
  type ValidatorIndex,
} from '../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../../src/types/safety.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import type { Adversary } from './adversary.ts'
import { type Checker, type Speaker, slotsOf } from './checker.ts'
import type { Random } from './random.ts'
import { isToySignature, toyKeyPair } from './toy-signatures.ts'

export const START_UNIX_MS = 1_700_000_000_000

/** What leaders are judged by, from a chain that begins with genesis. */
function finalTurnsOf(chain: readonly HashedBlock[]): FinalTurn[] {
  return chain
    .slice(1)
    .map(({ header: { view, justify, proposer } }) => ({ view, parentView: justify.view, proposer }))
}
export const GENESIS_HASH = '5e'.repeat(32) as GenesisHash

/** What a node needs of the world around it. */
export interface World {
  readonly nowMs: number
  readonly random: Random
  readonly checker: Checker
  readonly electorate: Electorate
  readonly parameters: ChainParameters
  readonly genesis: HashedBlock
  at(atMs: number, run: () => void): void
  /** To one validator, or to all others. */
  transmit(from: SimulatedNode, to: ValidatorIndex | 'all', bytes: Uint8Array): void
  fetchBlock(node: SimulatedNode, hash: string): void
  syncRange(node: SimulatedNode): void
  committed(node: SimulatedNode, block: HashedBlock, finality: QuorumCertificate): void
  crash(node: SimulatedNode): void
  /** Whether the process dies now: asked before every effect. */
  diesNow(node: SimulatedNode): boolean
  /** How long the disk takes for one sync. */
  diskMs(): number
}

/** What is left out of the rules, to see whether the checkers notice. */
export interface Mutation {
  /** Fields of the safety record that do not survive a restart. */
  readonly forgets?: readonly (keyof SafetyRecord)[]
  /** Nothing waits for the disk. */
  readonly saysBeforeDurable?: boolean
}

/** The process died between two effects. */
class Crash extends Error {}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const COMPACT_AFTER_RECORDS = 60

export class SimulatedNode implements Speaker {
  readonly name: string
  readonly index: ValidatorIndex | null
  readonly id: ValidatorId | null
  readonly isHonest: boolean
  readonly adversary: Adversary | null
  readonly pool = new Map<RequestKey, HashedTransaction>()
  readonly events: ConsensusEvent[] = []
  readonly outcomes = new Map<string, number>()
  readonly #world: World
  readonly #mutation: Mutation
  /** Differences of this machine's clocks. */
  readonly #skewMs: number
  readonly #drift: number

  // On disk.
  records: Uint8Array[] = []
  durableSlots = new Set<string>()
  readonly finalBlocks: HashedBlock[]
  finality: QuorumCertificate | null = null

  // In memory.
  replica: Replica | null = null
  incarnation = 0
  #driver: ReplicaDriver | null = null
  #ingress: Ingress | null = null
  #decidedHash = ''
  #timers = new Map<string, number>()
  #pending: { readonly order: number; readonly bytes: Uint8Array; readonly slots: string[] }[] = []
  #appended = 0
  #compactionOrder = 0
  #isCompacting = false
  #isDriving = false
  #writtenAtMs = 0
  /** Slots of the records that are appended and not durable yet, in order. */
  #slots: string[][] = []

  constructor(
    world: World,
    of: {
      readonly name: string
      readonly index: ValidatorIndex | null
      readonly adversary: Adversary | null
      readonly isHonest: boolean
      readonly mutation: Mutation
      readonly skewMs: number
      readonly drift: number
    },
  ) {
    this.#world = world
    this.name = of.name
    this.index = of.index
    this.id = of.index === null ? null : (world.electorate.at(of.index)?.id ?? null)
    this.adversary = of.adversary
    this.isHonest = of.isHonest
    this.#mutation = of.mutation
    this.#skewMs = of.skewMs
    this.#drift = of.drift
    this.finalBlocks = [world.genesis]
  }

  get isUp(): boolean {
    return this.replica !== null
  }

  get height(): number {
    return this.finalBlocks.length - 1
  }

  start(): void {
    const world = this.#world
    const fold = this.#recovered()
    const final = this.finalBlocks.at(-1) as HashedBlock
    this.#decidedHash = final.hash
    // What is on disk, whatever the code makes of it.
    world.checker.restarted(this, recoverSafety(this.records))
    const { proposal } = fold
    const replica = new Replica({
      validatorSet: world.electorate.set,
      self: this.index,
      parameters: world.parameters,
      final,
      finality: this.finality,
      epochEnd: null,
      finalTurns: finalTurnsOf(this.finalBlocks),
      pacemaker: null,
      recovered: fold,
      recoveredProposal: proposal === null ? null : (unwrap(decodeMessage(proposal.bytes)) as Proposal),
      recoveredBlocks: fold.blocks.map((bytes) => unwrap(decodeBlock(bytes))),
      encodeProposal: encodeMessage,
    })
    const effects = this.#effectHandler(replica, fold)
    this.replica = replica
    this.#driver = new ReplicaDriver(replica, this.#clock(), {
      perform: (effect) => this.#perform(effect, effects),
      turnEnded: () => effects.turnEnded(),
      observe: (event) => void this.events.push(event),
      onFatal: (error) => {
        throw error
      },
    })
    this.#ingress = new Ingress({
      electorate: world.electorate,
      verifier: new MessageVerifier(
        GENESIS_HASH,
        world.electorate,
        { isValid: isToySignature },
        (certificate) => replica.held(certificate),
        this.finality === null ? final : null,
      ),
      triage: (message) => replica.triage(message),
      input: (input) => this.input(input),
    })
    this.input({ kind: 'started' })
    if (this.pool.size > 0) this.input({ kind: 'work-arrived' })
  }

  /** Power off: of what was being written, a prefix may be durable. */
  crash(): void {
    const written = this.#world.random.below(this.#pending.length + 1)
    this.#makeDurable(this.#pending.slice(0, written))
    this.replica = null
    this.#driver = null
    this.#ingress = null
    this.incarnation++
    this.#timers = new Map()
    this.#pending = []
    this.#slots = []
    this.#isCompacting = false
    this.pool.clear()
  }

  input(input: ConsensusInput): void {
    this.#guarded(() => this.#driver?.input(input))
  }

  receive(from: ValidatorId, bytes: Uint8Array): void {
    if (this.#ingress === null) return
    if (this.adversary !== null) {
      const message = decodeMessage(bytes)
      if (message.ok) this.adversary.observe(message.value)
    }
    this.#guarded(() => {
      const outcome = this.#ingress?.receive(from, bytes) ?? 'ignored'
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    })
  }

  transactionArrived(transaction: HashedTransaction): void {
    if (this.replica === null || this.pool.has(transaction.requestKey)) return
    const isFinal = this.finalBlocks.some(({ transactions }) =>
      transactions.some(({ requestKey }) => requestKey === transaction.requestKey),
    )
    if (isFinal) return
    this.pool.set(transaction.requestKey, transaction)
    this.input({ kind: 'work-arrived' })
  }

  /** A process that dies in the middle of a turn unwinds the whole turn. */
  #guarded(run: () => void): void {
    if (this.#isDriving) {
      run()
      return
    }
    this.#isDriving = true
    try {
      run()
    } catch (error) {
      if (error instanceof Crash) this.#world.crash(this)
      else if (error instanceof InvariantViolation) {
        this.#world.checker.violated(`invariant: ${this.name}: ${error.message}`)
        this.#world.crash(this)
      } else throw error
    } finally {
      this.#isDriving = false
    }
  }

  #recovered(): SafetyRecord {
    const fold = recoverSafety(this.records)
    const forgotten = (this.#mutation.forgets ?? []).map((field) => [field, EMPTY_SAFETY_RECORD[field]])
    return { ...fold, ...Object.fromEntries(forgotten) }
  }

  #clock() {
    const world = this.#world
    return {
      monotonicMs: () => asMonotonicMs(world.nowMs * this.#drift),
      unixMs: () => asUnixMs(Math.floor(START_UNIX_MS + world.nowMs + this.#skewMs)),
    }
  }

  #effectHandler(replica: Replica, fold: SafetyRecord): EffectHandler {
    const world = this.#world
    const { index, incarnation } = this
    const log = this.#log()
    const signer = new Signer(toyKeyPair(index ?? 0), signingHistoryOf(fold, GENESIS_HASH))
    const fatal = (error: unknown): void => world.checker.violated(`fatal: ${this.name}: ${error}`)
    const outbox = new DurableOutbox(log, fatal)
    if (this.#mutation.saysBeforeDurable === true) outbox.afterDurable = (run) => run()
    return new EffectHandler({
      genesisHash: GENESIS_HASH,
      electorate: world.electorate,
      validator:
        index === null ? null : { index, signer, log, outbox, snapshot: () => replica.safetySnapshot() },
      clock: this.#clock(),
      timers: this.#timerPort(incarnation) as Timers,
      transport: {
        broadcast: (bytes) => this.#say('all', bytes),
        send: (to, bytes) => this.#say(world.electorate.indexOf(to) as ValidatorIndex, bytes),
      },
      executor: {
        check: (block: HashedBlock, parent: HashedBlock) => this.#check(block, parent),
        build: (fields: ProposedFields, parent: HashedBlock, isEmptyAllowed: boolean) =>
          this.#build(fields, parent, isEmptyAllowed),
      } as unknown as BlockExecutor,
      finalizer: {
        finalize: (
          blocks: readonly HashedBlock[],
          _fillers: readonly HashedBlock[],
          certificate: QuorumCertificate,
        ) => this.#finalize(blocks, certificate, incarnation),
        storeCommitCertificate: (certificate: QuorumCertificate) => this.#certified(certificate),
      } as unknown as Finalizer,
      fetcher: { fetchByHash: () => Promise.resolve(null) },
      sync: { request: () => world.syncRange(this) },
      figures: { transferred: () => {} } as unknown as AnswerFigureMeter,
      input: (input) => this.input(input),
      onEquivocation: () => {},
      onHalt: (reason) => {
        if (this.isHonest) world.checker.violated(`halt: ${this.name}: ${reason}`)
      },
      onFatal: fatal,
      logger: silent,
    })
  }

  #perform(effect: ConsensusEffect, effects: EffectHandler): ConsensusInput | null {
    const world = this.#world
    if (world.diesNow(this)) throw new Crash()
    world.checker.effect(this, effect, world.nowMs)
    if (effect.kind === 'persist') {
      world.checker.recorded(this, effect.record)
      this.#slots.push(slotsOf(effect.record))
    }
    if (effect.kind === 'finalize') {
      world.checker.decided(this, effect.blocks, this.#decidedHash)
      this.#decidedHash = effect.blocks.at(-1)?.hash ?? this.#decidedHash
    }
    if (effect.kind === 'fetch-block') {
      world.fetchBlock(this, effect.blockHash)
      return null
    }
    return effects.perform(effect)
  }

  #say(to: ValidatorIndex | 'all', bytes: Uint8Array): void {
    this.#world.transmit(this, to, bytes)
  }

  #timerPort(incarnation: number): Pick<Timers, 'set' | 'cancel' | 'stop'> {
    const world = this.#world
    return {
      set: (timer, view, delayMs) => {
        const generation = (this.#timers.get(timer) ?? 0) + 1
        this.#timers.set(timer, generation)
        world.at(world.nowMs + Math.ceil(delayMs) / this.#drift, () => {
          if (this.incarnation !== incarnation || this.#timers.get(timer) !== generation) return
          this.input({ kind: 'timer-expired', timer, view })
        })
      },
      cancel: (timer) => void this.#timers.set(timer, (this.#timers.get(timer) ?? 0) + 1),
      stop: () => {},
    }
  }

  #log(): SafetyLogPort {
    const world = this.#world
    const node = this
    const { incarnation } = this
    /** Runs `done` at a later time, as a promise would, but in the simulation's order. */
    const later = (delayMs: number, done: () => void): Promise<void> => {
      const waiting: (() => void)[] = []
      world.at(world.nowMs + delayMs, () => {
        if (node.incarnation !== incarnation) return
        done()
        node.#guarded(() => {
          for (const run of waiting) run()
        })
      })
      const thenable = {
        // biome-ignore lint/suspicious/noThenProperty: a promise whose time is simulated
        then: (run: () => void) => {
          waiting.push(run)
          return thenable
        },
        catch: () => thenable,
      }
      return thenable as unknown as Promise<void>
    }
    return {
      append: (bytes) => {
        node.#pending.push({ order: node.#appended++, bytes, slots: node.#slots.shift() ?? [] })
      },
      flush: () => {
        const upTo = node.#appended
        return later(world.diskMs(), () => {
          const done = node.#pending.filter(({ order }) => order < upTo)
          node.#pending = node.#pending.filter(({ order }) => order >= upTo)
          node.#makeDurable(done)
        })
      },
      get wantsCompaction() {
        return !node.#isCompacting && node.records.length >= COMPACT_AFTER_RECORDS
      },
      compact: (snapshot) => {
        node.#isCompacting = true
        node.#compactionOrder = node.#appended
        const before = node.records.length
        const pendingBefore = node.#pending.length
        return later(5 + world.diskMs(), () => {
          const covered = node.#pending.filter(({ order }) => order < node.#compactionOrder)
          node.#pending = node.#pending.filter(({ order }) => order >= node.#compactionOrder)
          for (const { slots } of covered) for (const slot of slots) node.durableSlots.add(slot)
          const since = node.records.slice(before + pendingBefore - covered.length)
          node.records = [snapshot.slice(), ...since]
          node.#isCompacting = false
        })
      },
    }
  }

  #makeDurable(written: readonly { readonly bytes: Uint8Array; readonly slots: readonly string[] }[]): void {
    for (const { bytes, slots } of written) {
      this.records.push(bytes)
      for (const slot of slots) this.durableSlots.add(slot)
    }
  }

  #check(block: HashedBlock, parent: HashedBlock) {
    const isRight =
      block.header.parentStateRoot === stateAfter(parent) &&
      block.header.height === parent.header.height + 1 &&
      block.header.timestamp > parent.header.timestamp &&
      block.header.transactionsRoot === transactionsRoot(block.transactions)
    return isRight
      ? { ok: true, value: { block, stateRoot: stateAfter(block) } }
      : { ok: false, code: 'wrong', detail: 'wrong' }
  }

  #build(fields: ProposedFields, parent: HashedBlock, isEmptyAllowed: boolean) {
    const onBranch = new Set<RequestKey>()
    for (let at = parent; at.header.height >= this.finalBlocks.length; ) {
      for (const { requestKey } of at.transactions) onBranch.add(requestKey)
      const bytes = this.replica?.blockBytes(at.header.parentHash)
      if (bytes === undefined || bytes === null) break
      at = unwrap(decodeBlock(bytes))
    }
    const transactions = [...this.pool.values()]
      .filter(({ requestKey }) => !onBranch.has(requestKey))
      .slice(0, this.#world.parameters.blockTransactionsMax)
    if (transactions.length === 0 && !isEmptyAllowed) return null
    const { view, justify, timestamp, proposer } = fields
    const header = {
      ...parent.header,
      view,
      justify,
      proposer,
      height: nextHeight(parent.header.height),
      parentHash: parent.hash,
      timestamp: asUnixMs(Math.max(parent.header.timestamp + 1, timestamp)),
      parentStateRoot: stateAfter(parent),
      transactionsRoot: transactionsRoot(transactions),
    }
    const block = hashBlock({ header, transactions })
    return { block, stateRoot: stateAfter(block) }
  }

  #finalize(blocks: readonly HashedBlock[], certificate: QuorumCertificate, incarnation: number): void {
    const world = this.#world
    // One batch after the other.
    this.#writtenAtMs = Math.max(this.#writtenAtMs, world.nowMs) + world.diskMs()
    world.at(this.#writtenAtMs, () => {
      if (this.incarnation !== incarnation) return
      for (const block of blocks) {
        if (world.diesNow(this)) {
          world.crash(this)
          return
        }
        if (block.header.parentHash !== this.finalBlocks.at(-1)?.hash) {
          world.checker.violated(`I2: ${this.name} writes height ${block.header.height} out of order`)
        }
        this.finalBlocks.push(block)
        this.finality = certificate
        const hadWork = this.pool.size > 0
        for (const { requestKey } of block.transactions) this.pool.delete(requestKey)
        if (hadWork && this.pool.size === 0) this.input({ kind: 'work-exhausted' })
      }
      for (const block of blocks) {
        const { view, height, timestamp } = block.header
        world.committed(this, block, certificate)
        this.input({
          kind: 'blocks-committed',
          view,
          height,
          timestamp,
          blockHash: block.hash,
          stateRoot: stateAfter(block),
        })
      }
    })
  }

  #certified({ height, stateRoot, blockHash }: QuorumCertificate): void {
    const own = this.finalBlocks[height]
    if (own !== undefined && (own.hash !== blockHash || stateAfter(own) !== stateRoot)) {
      this.#world.checker.violated(`I9: ${this.name} at height ${height}`)
    }
  }
}

export function stateAfter(block: HashedBlock): StateRoot {
  return sha256TaggedHex<StateRoot>('verdict', utf8ToBytes(`state after ${block.hash}`))
}

export function unwrap<T>(result: { ok: true; value: T } | { ok: false; detail: string }): T {
  if (!result.ok) throw new Error(result.detail)
  return result.value
}
