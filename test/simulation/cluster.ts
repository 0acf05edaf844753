/**
 * Validators and followers in one process over a simulated network, clock and disk; everything is a function of
 * the options and the seed in them. Faults happen before `healAtMs`; after it the network is quick and whole.
 * One event at a time: what it settles (promises of the code under test) runs to its end before the next.
 */
import { encodeFinalAnnouncement } from '../../src/codec/final-announcement.ts'
import { decodeMessage } from '../../src/codec/messages.ts'
import { Electorate } from '../../src/consensus/validator-set.ts'
import { type GenesisState, genesisState } from '../../src/ledger/genesis-state.ts'
import type { ChainParameters } from '../../src/types/genesis.ts'
import type { FinalizedBlock } from '../../src/types/ledger-state.ts'
import type { ConsensusMessage } from '../../src/types/messages.ts'
import {
  asEpoch,
  asValidatorIndex,
  type ValidatorId,
  type ValidatorIndex,
} from '../../src/types/primitives.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { Adversary, Conspiracy, type Misbehaviour } from './adversary.ts'
import { BallotChecker, finalVerdicts } from './ballot-checker.ts'
import { Checker } from './checker.ts'
import { EventQueue } from './event-queue.ts'
import { type FaultOptions, scheduleFaults } from './faults.ts'
import { Links } from './links.ts'
import { NoteChecker } from './notes/note-checker.ts'
import { NoteClients, type NoteTraffic } from './notes/note-clients.ts'
import { noteGenesis } from './notes/note-genesis.ts'
import { OpenProofs } from './notes/open-proofs.ts'
import { Random } from './random.ts'
import { SimulatedNode } from './simulated-node.ts'
import { verifyToySignature } from './toy-signatures.ts'
import { type DiskOperation, genesisOf, idOf, type Mutation, unwrap, type World } from './world.ts'

export type Byzantine =
  | { readonly kind: 'silent' | 'twins' }
  | { readonly kind: 'liar'; readonly habits: Misbehaviour }

export interface ClusterOptions extends FaultOptions {
  readonly seed: number
  readonly stakes: readonly bigint[]
  readonly parameters?: Partial<ChainParameters>
  /** By validator index. Their stake together is below a third. */
  readonly byzantine?: ReadonlyMap<number, Byzantine>
  /** No honest validator is ever away, unheard or slow: then nothing may cost it trust. */
  readonly isCalm?: boolean
  /** All keys of the liars are in one hand, which sees every message. */
  readonly isOmniscient?: boolean
  readonly followers?: number
  /** Offered in turn, one every so often, each to one node, and passed on to all. */
  readonly transactions?: readonly HashedTransaction[]
  readonly transactionEveryMs?: number
  /** Clients with notes, on a network whose genesis has some. */
  readonly notes?: NoteTraffic
  readonly mutation?: Mutation
  /** Validators lead in turn, whoever has failed: for whoever runs it, see leaders.ts. */
  readonly leadersInTurn?: boolean
  /** Whether a process dies before its next effect, the so manieth of its machine. */
  readonly diesAt?: (node: SimulatedNode, effect: number) => boolean
  /** Whether a message of a view gets through; one that has no view is of its sender's. */
  readonly isHeard?: (
    from: SimulatedNode,
    to: SimulatedNode,
    view: number,
    kind: ConsensusMessage['kind'],
  ) => boolean
}

export interface TakenTransaction {
  readonly transaction: HashedTransaction
  readonly node: SimulatedNode
  readonly incarnation: number
}

const DISK_MIN_MS = 0.5
/** A question to a peer is given up after this. */
const ANSWER_DEADLINE_MS = 400

export class Cluster implements World {
  readonly random: Random
  readonly checker: Checker
  readonly ballotChecker: BallotChecker
  readonly noteChecker: NoteChecker
  readonly openProofs = new OpenProofs()
  /** Null where genesis has no notes. */
  readonly noteClients: NoteClients | null
  readonly electorate: Electorate
  readonly genesis: GenesisState
  /** Every process: validators in order, twins' second halves, followers. */
  readonly nodes: SimulatedNode[]
  nowMs = 0
  /** Events so far. */
  events = 0
  /** What clients gave to nodes and these took, each in one run of its process. */
  readonly taken: TakenTransaction[] = []
  readonly #options: ClusterOptions
  readonly #queue = new EventQueue()
  readonly #links: Links
  readonly #conspiracy: Conspiracy
  readonly #down = new Set<SimulatedNode>()
  readonly #effectsOf = new Map<SimulatedNode, number>()
  #isUnsettled = false

  constructor(options: ClusterOptions) {
    this.#options = options
    const { stakes, byzantine = new Map<number, Byzantine>() } = options
    this.random = new Random(options.seed)
    const { drop = 0, duplicate = 0, delayMaxMs = 0, slowMs = 0 } = options
    this.#links = new Links(this.random, { drop, duplicate, delayMaxMs, slowMs })
    const { notes } = options
    const genesis = genesisOf(
      stakes,
      options.parameters,
      notes === undefined ? {} : noteGenesis(notes.blockReward),
    )
    const verifyShielded = this.openProofs.verify
    this.genesis = genesisState(genesis, { verifySignature: verifyToySignature, verifyShielded })
    this.electorate = new Electorate({ epoch: asEpoch(0), validators: genesis.validators })
    const honest = genesis.validators.flatMap(({ id }, i) => (byzantine.has(i) ? [] : [id]))
    this.checker = new Checker(this.electorate, this.genesis, new Set(honest))
    this.ballotChecker = new BallotChecker({
      honest: new Set<string>(honest),
      founders: genesis.validators,
      isCalm: options.isCalm ?? false,
      recordedBy: (account) =>
        this.nodes
          .filter(
            ({ adversary, index }) => adversary === null && genesis.validators[index ?? -1]?.id === account,
          )
          .flatMap((node) => node.recordedCommits()),
      violated: (what) => this.checker.violated(what),
    })
    this.noteChecker = new NoteChecker({
      genesis: this.genesis,
      verify: verifyShielded,
      violated: (what) => this.checker.violated(what),
    })
    const liars = [...byzantine].filter(([, { kind }]) => kind === 'liar').map(([i]) => asValidatorIndex(i))
    const keys = options.isOmniscient === true ? liars : null
    this.#conspiracy = new Conspiracy(this.genesis.rules.genesisHash, this.electorate, this.random)
    this.nodes = stakes.map((_, i) => this.#make(`v${i}`, i, byzantine.get(i), keys))
    for (const [i, byz] of byzantine)
      if (byz.kind === 'twins') this.nodes.push(this.#make(`v${i}'`, i, byz, null))
    for (let i = 0; i < (options.followers ?? 0); i++)
      this.nodes.push(this.#make(`f${i}`, null, undefined, null))
    for (const node of this.nodes) if (byzantine.get(node.index ?? -1)?.kind !== 'silent') this.start(node)
    scheduleFaults(this, options)
    this.#scheduleTransactions()
    this.noteClients = notes === undefined ? null : new NoteClients(this, notes, options.seed)
  }

  get hasNotes(): boolean {
    return this.#options.notes !== undefined
  }

  get violations(): readonly string[] {
    return this.checker.violations
  }

  /** Validators that follow the rules. */
  get honest(): SimulatedNode[] {
    return this.nodes.filter((node) => node.isHonest && node.index !== null)
  }

  get isHealed(): boolean {
    return this.nowMs >= (this.#options.healAtMs ?? 0)
  }

  /** Runs until the time, or until the condition holds; returns whether it held. */
  async runUntil(untilMs: number, done: () => boolean = () => false): Promise<boolean> {
    for (;;) {
      if (this.#isUnsettled) {
        this.#isUnsettled = false
        // Every promise that can go on has done so when the loop comes to this.
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      if (done()) return true
      if (this.#queue.nextAtMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs)
        return done()
      }
      const { atMs, run } = this.#queue.pop()
      this.nowMs = Math.max(this.nowMs, atMs)
      this.events++
      run()
    }
  }

  runFor(ms: number, done?: () => boolean): Promise<boolean> {
    return this.runUntil(this.nowMs + ms, done)
  }

  at(atMs: number, run: () => void): void {
    this.#queue.push(atMs, run)
  }

  settle(): void {
    this.#isUnsettled = true
  }

  node(name: string): SimulatedNode {
    const found = this.nodes.find((node) => node.name === name)
    if (found === undefined) throw new Error(`no node ${name}`)
    return found
  }

  anyNode(): SimulatedNode {
    return this.nodes[this.random.below(this.nodes.length)] as SimulatedNode
  }

  start(node: SimulatedNode): void {
    if (node.isUp) return
    this.#down.delete(node)
    node.start(() => {
      for (const other of this.nodes) {
        if (other !== node && other.isUp && !this.#links.isCut(node.name, other.name)) {
          this.#connection(node, other, true)
        }
      }
    })
  }

  crash(node: SimulatedNode): void {
    if (!node.isUp) return
    this.#stop(node)
    this.at(this.nowMs + 5 + this.random.below(this.#options.downMaxMs ?? 800), () => {
      if (!this.#down.has(node)) this.start(node)
    })
  }

  /** Stops a process until it is started. */
  kill(node: SimulatedNode): void {
    this.#down.add(node)
    this.#stop(node)
  }

  /** Every process loses power at once and starts again from its disk. */
  powerCut(downMs = 50): void {
    for (const node of this.nodes) {
      if (!node.isUp) continue
      node.crash()
      this.at(this.nowMs + this.random.next() * downMs, () => this.start(node))
    }
  }

  /** Nobody on one side hears anybody on the other. */
  separate(side: readonly SimulatedNode[], isNoticed = true): void {
    for (const a of side) {
      for (const b of this.nodes) {
        if (side.includes(b)) continue
        this.#links.cut(a.name, b.name)
        this.#links.cut(b.name, a.name)
        if (isNoticed) this.#connection(a, b, false)
      }
    }
  }

  /** What `from` says does not reach `to`; the other way is open and nobody notices. */
  mute(from: SimulatedNode, to: SimulatedNode): void {
    this.#links.cut(from.name, to.name)
  }

  unmute(from: SimulatedNode, to: SimulatedNode): void {
    this.#links.mend(from.name, to.name)
  }

  slow(from: SimulatedNode, to: SimulatedNode): void {
    this.#links.slow(from.name, to.name)
  }

  heal(): void {
    this.#links.heal()
    for (const a of this.nodes) {
      for (const b of this.nodes) if (a !== b && a.isUp && b.isUp) this.#tell(a, b, true)
    }
  }

  /** A client gives it to this node. */
  offer(transaction: HashedTransaction, to: SimulatedNode): boolean {
    return to.submit(transaction)
  }

  diesNow(node: SimulatedNode): boolean {
    const { crashChance = 0, diesAt } = this.#options
    if (diesAt !== undefined) {
      const effects = (this.#effectsOf.get(node) ?? 0) + 1
      this.#effectsOf.set(node, effects)
      if (diesAt(node, effects)) return true
    }
    return crashChance > 0 && !this.isHealed && node.isUp && this.random.chance(crashChance)
  }

  disk(_node: SimulatedNode): DiskOperation {
    const { diskMaxMs = 2, diskFailChance = 0 } = this.#options
    return {
      delayMs: DISK_MIN_MS + this.random.next() * (this.isHealed ? 2 : diskMaxMs),
      fails: !this.isHealed && diskFailChance > 0 && this.random.chance(diskFailChance),
    }
  }

  tearsLastWrite(_node: SimulatedNode): boolean {
    return this.random.chance(this.#options.tearChance ?? 0)
  }

  idOf(name: string): ValidatorId | null {
    return this.node(name).id
  }

  peersOf(node: SimulatedNode): readonly string[] {
    return this.nodes
      .filter((other) => other !== node && other.isUp && !this.#links.isCut(node.name, other.name))
      .filter((other) => this.#isHeard(node, other, null))
      .map(({ name }) => name)
  }

  ask<T>(
    node: SimulatedNode,
    peerName: string,
    answer: (peer: SimulatedNode) => T | Promise<T>,
  ): Promise<T | null> {
    const peer = this.node(peerName)
    const { incarnation } = node
    return new Promise((resolve) => {
      const finish = (value: T | null): void => {
        if (node.incarnation !== incarnation) return
        resolve(value)
        this.settle()
      }
      this.at(this.nowMs + ANSWER_DEADLINE_MS, () => finish(null))
      this.#later(node, peer, () => {
        Promise.resolve(answer(peer)).then((value) => this.#later(peer, node, () => finish(value)))
        this.settle()
      })
    })
  }

  gossip(node: SimulatedNode, transaction: Uint8Array): void {
    for (const other of this.nodes) {
      if (other !== node) this.#later(node, other, () => other.gossiped(transaction, node.name))
    }
  }

  transmit(from: SimulatedNode, to: ValidatorIndex | 'all', bytes: Uint8Array): void {
    const receivers = this.nodes.filter(
      ({ index }) => index !== null && index !== from.index && (to === 'all' || index === to),
    )
    const message = unwrap(decodeMessage(bytes))
    if (this.#options.isOmniscient === true) this.#conspiracy.observe(message)
    if (from.adversary === null) {
      this.checker.visible(from, message)
      this.ballotChecker.said(from, message)
      for (const receiver of receivers) this.#deliver(from, receiver, bytes, message)
      return
    }
    const indices = [...new Set(receivers.map(({ index }) => index as number))]
    for (const bent of from.adversary.bend(message, indices)) {
      const said = decodeMessage(bent.bytes)
      if (said.ok) {
        this.checker.visible(from, said.value)
        this.ballotChecker.said(from, said.value)
      }
      for (const receiver of receivers) {
        if (receiver.index !== bent.to) continue
        this.#deliver(from, receiver, bent.bytes, said.ok ? said.value : message)
      }
    }
  }

  finalized(node: SimulatedNode, blocks: readonly FinalizedBlock[]): void {
    this.ballotChecker.executed(node, blocks.map(finalVerdicts))
    if (this.hasNotes) this.noteChecker.executed(node, blocks)
    for (const { block, finality } of blocks) {
      if (block.header.proposer !== node.index) continue
      const bytes = encodeFinalAnnouncement({ block, finality })
      for (const follower of this.nodes) {
        if (follower.index === null) this.#later(node, follower, () => follower.announced(bytes))
      }
    }
  }

  #make(
    name: string,
    validator: number | null,
    byz: Byzantine | undefined,
    keys: readonly ValidatorIndex[] | null,
  ): SimulatedNode {
    const index = validator === null ? null : asValidatorIndex(validator)
    const { genesis, electorate, random } = this
    // Alone a liar knows what reaches it; together they know everything.
    const conspiracy =
      keys === null ? new Conspiracy(genesis.rules.genesisHash, electorate, random) : this.#conspiracy
    const { mutation = {}, clockSkewMaxMs = 0 } = this.#options
    return new SimulatedNode(this, {
      name,
      index,
      adversary:
        index !== null && byz?.kind === 'liar'
          ? new Adversary(index, keys ?? [index], conspiracy, byz.habits)
          : null,
      isHonest: byz === undefined,
      mutation,
      skewMs: (random.next() - 0.5) * clockSkewMaxMs,
      drift: 1 + (random.next() - 0.5) * 0.01,
    })
  }

  #stop(node: SimulatedNode): void {
    node.crash()
    for (const other of this.nodes) if (other !== node && other.isUp) this.#tell(other, node, false)
  }

  #isHeard(from: SimulatedNode, to: SimulatedNode, message: ConsensusMessage | null): boolean {
    const { isHeard } = this.#options
    if (isHeard === undefined || this.isHealed) return true
    const view = (message === null ? null : viewOf(message)) ?? from.look()?.view ?? 0
    return isHeard(from, to, view, message?.kind ?? 'certificates')
  }

  #deliver(from: SimulatedNode, to: SimulatedNode, bytes: Uint8Array, message: ConsensusMessage): void {
    const sender = from.id
    if (sender === null || !this.#isHeard(from, to, message)) return
    this.#later(from, to, () => to.receive(sender, bytes), true)
  }

  /** Over the network: perhaps lost, always delayed, and to this run of the process only. */
  #later(from: SimulatedNode, to: SimulatedNode, run: () => void, mayRepeat = false): void {
    const { incarnation } = to
    for (const delayMs of this.#links.delays(from.name, to.name, this.isHealed, mayRepeat)) {
      this.at(this.nowMs + delayMs, () => {
        if (to.isUp && to.incarnation === incarnation) run()
      })
    }
  }

  #connection(a: SimulatedNode, b: SimulatedNode, isReachable: boolean): void {
    this.#tell(a, b, isReachable)
    this.#tell(b, a, isReachable)
  }

  #tell(node: SimulatedNode, about: SimulatedNode, isReachable: boolean): void {
    if (about.index === null || about.index === node.index || !node.isUp) return
    const { incarnation } = node
    this.at(this.nowMs + 1, () => {
      if (node.incarnation === incarnation) node.reachabilityChanged(idOf(about.index ?? 0), isReachable)
    })
  }

  #scheduleTransactions(): void {
    const { transactions = [], transactionEveryMs = 50 } = this.#options
    transactions.forEach((transaction, i) => {
      this.at(10 + i * transactionEveryMs, () => {
        const node = this.anyNode()
        if (this.offer(transaction, node))
          this.taken.push({ transaction, node, incarnation: node.incarnation })
      })
    })
  }
}

function viewOf(message: ConsensusMessage): number | null {
  switch (message.kind) {
    case 'proposal':
      return message.block.header.view
    case 'prepare':
    case 'pre-commit':
    case 'commit':
    case 'timeout':
      return message.view
    case 'openings':
    case 'certificates':
    case 'certificate-request':
      return null
  }
}
