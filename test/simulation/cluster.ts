/**
 * Validators and followers in one process over a simulated network, clock and disk; everything is a function of
 * the options and the seed in them. Faults happen before `healAtMs`; after it the network is quick and whole.
 */
import { decodeBlock, hashBlock, headerSchema, transactionsRoot } from '../../src/codec/block.ts'
import { decodeFinalAnnouncement, encodeFinalAnnouncement } from '../../src/codec/final-announcement.ts'
import { decodeMessage } from '../../src/codec/messages.ts'
import { Electorate } from '../../src/consensus/validator-set.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import type { ChainParameters } from '../../src/types/genesis.ts'
import {
  asEpoch,
  asUnixMs,
  asValidatorIndex,
  type ValidatorId,
  type ValidatorIndex,
} from '../../src/types/primitives.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import { mintVerified } from '../../src/types/verified.ts'
import { Adversary, type Misbehaviour } from './adversary.ts'
import { Checker } from './checker.ts'
import { EventQueue } from './event-queue.ts'
import { Random } from './random.ts'
import {
  GENESIS_HASH,
  type Mutation,
  SimulatedNode,
  START_UNIX_MS,
  unwrap,
  type World,
} from './simulated-node.ts'

export type Byzantine = { readonly kind: 'twins' } | { readonly kind: 'liar'; readonly habits: Misbehaviour }

export interface ClusterOptions {
  readonly seed: number
  readonly stakes: readonly bigint[]
  readonly parameters?: Partial<ChainParameters>
  readonly healAtMs?: number
  /** Probability that a message is lost, and that it arrives twice. */
  readonly drop?: number
  readonly duplicate?: number
  /** Extra delay up to this. */
  readonly delayMaxMs?: number
  /** Crashes per effect of a node: between any two effects. */
  readonly crashChance?: number
  /** How long a crashed node stays down, at most. */
  readonly downMaxMs?: number
  /** All nodes lose power this often. */
  readonly powerCutEveryMs?: number
  /** The network is cut in two this often, each time elsewhere. */
  readonly partitionEveryMs?: number
  /** Whether the two sides of a cut notice it as lost connections. */
  readonly isCutNoticed?: boolean
  /** Time of one disk sync, at most. */
  readonly diskMaxMs?: number
  readonly clockSkewMaxMs?: number
  /** By validator index. Their stake together is below a third. */
  readonly byzantine?: ReadonlyMap<number, Byzantine>
  readonly followers?: number
  /** Offered in turn, one every so often, each to one node, and passed on to all. */
  readonly transactions?: readonly HashedTransaction[]
  readonly transactionEveryMs?: number
  readonly mutation?: Mutation
}

export const PARAMETERS: ChainParameters = {
  heartbeatMs: 0,
  viewTimeoutMinMs: 100,
  viewTimeoutMaxMs: 2_000,
  unreachableLeaderTimeoutMs: 40,
  clockSkewMaxMs: 5_000,
  blockBytesMax: 1_000_000,
  blockTransactionsMax: 100,
  certificateIntervalMs: 0,
  epochBlocks: 0,
  evidenceWindowBlocks: 10,
  evidenceWindowMs: 10_000,
  unbondingBlocks: 20,
  unbondingMs: 20_000,
  minimumValidatorStake: 1n,
}

/** The network's and the disk's least. */
const DELAY_MIN_MS = 8
const DISK_MIN_MS = 0.5

export class Cluster implements World {
  readonly random: Random
  readonly checker: Checker
  readonly electorate: Electorate
  readonly parameters: ChainParameters
  readonly genesis: HashedBlock
  /** Every process: validators in order, twins' second halves, followers. */
  readonly nodes: SimulatedNode[]
  nowMs = 0
  readonly #options: ClusterOptions
  readonly #queue = new EventQueue()
  /** Who cannot talk to whom, by name of process. */
  readonly #cut = new Set<string>()

  constructor(options: ClusterOptions) {
    this.#options = options
    const { stakes, byzantine = new Map<number, Byzantine>(), mutation = {}, clockSkewMaxMs = 0 } = options
    this.random = new Random(options.seed)
    this.parameters = { ...PARAMETERS, ...options.parameters }
    this.electorate = new Electorate({
      epoch: asEpoch(1),
      validators: stakes.map((stake, i) => ({ id: idOf(i), publicKey: new Uint8Array(0), stake })),
    })
    this.checker = new Checker(stakes, this.electorate.quorum)
    const empty = headerSchema.fromRaw(headerSchema.ssz.defaultValue())
    this.genesis = hashBlock({
      header: {
        ...empty,
        epoch: asEpoch(1),
        timestamp: asUnixMs(START_UNIX_MS - 60_000),
        transactionsRoot: transactionsRoot([]),
      },
      transactions: [],
    })
    const make = (name: string, validator: number | null, byz: Byzantine | undefined): SimulatedNode => {
      const index = validator === null ? null : asValidatorIndex(validator)
      const adversary =
        index !== null && byz?.kind === 'liar'
          ? new Adversary(index, GENESIS_HASH, this.electorate, this.random, byz.habits)
          : null
      return new SimulatedNode(this, {
        name,
        index,
        adversary,
        isHonest: byz === undefined,
        mutation,
        skewMs: (this.random.next() - 0.5) * clockSkewMaxMs,
        drift: 1 + (this.random.next() - 0.5) * 0.01,
      })
    }
    this.nodes = stakes.map((_, i) => make(`v${i}`, i, byzantine.get(i)))
    for (const [i, byz] of byzantine) if (byz.kind === 'twins') this.nodes.push(make(`v${i}'`, i, byz))
    for (let i = 0; i < (options.followers ?? 0); i++) this.nodes.push(make(`f${i}`, null, undefined))
    for (const node of this.nodes) this.start(node)
    this.#schedulePartitions()
    this.#schedulePowerCuts()
    this.#scheduleTransactions()
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
  runUntil(untilMs: number, done: () => boolean = () => false): boolean {
    while (!done()) {
      if (this.#queue.nextAtMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs)
        return done()
      }
      const { atMs, run } = this.#queue.pop()
      this.nowMs = Math.max(this.nowMs, atMs)
      run()
    }
    return true
  }

  runFor(ms: number, done?: () => boolean): boolean {
    return this.runUntil(this.nowMs + ms, done)
  }

  at(atMs: number, run: () => void): void {
    this.#queue.push(atMs, run)
  }

  node(name: string): SimulatedNode {
    const found = this.nodes.find((node) => node.name === name)
    if (found === undefined) throw new Error(`no node ${name}`)
    return found
  }

  start(node: SimulatedNode): void {
    if (node.isUp) return
    node.start()
    for (const other of this.nodes) {
      if (other === node || !other.isUp || this.#isCut(node, other)) continue
      this.#connection(node, other, true)
    }
  }

  crash(node: SimulatedNode): void {
    if (!node.isUp) return
    node.crash()
    for (const other of this.nodes) if (other !== node && other.isUp) this.#tell(other, node, false)
    if (!this.isHealed || this.#restartsAfterHeal) {
      this.at(this.nowMs + 5 + this.random.below(this.#options.downMaxMs ?? 800), () => this.start(node))
    }
  }

  /** Stops a process for good. */
  kill(node: SimulatedNode): void {
    this.#restartsAfterHeal = false
    node.crash()
    for (const other of this.nodes) if (other !== node && other.isUp) this.#tell(other, node, false)
  }
  #restartsAfterHeal = true

  /** Every process loses power at once and starts again from its disk. */
  powerCut(downMs = 50): void {
    const up = this.nodes.filter((node) => node.isUp)
    for (const node of up) node.crash()
    for (const node of this.nodes) this.at(this.nowMs + this.random.next() * downMs, () => this.start(node))
  }

  /** Nobody on one side hears anybody on the other. */
  separate(side: readonly SimulatedNode[], isNoticed = true): void {
    for (const a of side) {
      for (const b of this.nodes) {
        if (side.includes(b)) continue
        this.#cut.add(`${a.name}>${b.name}`).add(`${b.name}>${a.name}`)
        if (isNoticed) this.#connection(a, b, false)
      }
    }
  }

  /** What `from` says does not reach `to`; the other way is open and nobody notices. */
  mute(from: SimulatedNode, to: SimulatedNode): void {
    this.#cut.add(`${from.name}>${to.name}`)
  }

  heal(): void {
    this.#cut.clear()
    for (const a of this.nodes) {
      for (const b of this.nodes) if (a !== b && a.isUp && b.isUp) this.#tell(a, b, true)
    }
  }

  offer(transaction: HashedTransaction, to: SimulatedNode): void {
    to.transactionArrived(transaction)
    for (const other of this.nodes) {
      if (other === to) continue
      this.#later(to, other, () => other.transactionArrived(transaction))
    }
  }

  diesNow(node: SimulatedNode): boolean {
    const { crashChance = 0 } = this.#options
    return crashChance > 0 && !this.isHealed && node.isUp && this.random.chance(crashChance)
  }

  diskMs(): number {
    const { diskMaxMs = 2 } = this.#options
    return DISK_MIN_MS + this.random.next() * (this.isHealed ? 2 : diskMaxMs)
  }

  transmit(from: SimulatedNode, to: ValidatorIndex | 'all', bytes: Uint8Array): void {
    const receivers = this.nodes.filter(
      ({ index }) => index !== null && index !== from.index && (to === 'all' || index === to),
    )
    const message = unwrap(decodeMessage(bytes))
    if (from.adversary === null) {
      this.checker.visible(from, message)
      for (const receiver of receivers) this.#deliver(from, receiver, bytes)
      return
    }
    const indices = [...new Set(receivers.map(({ index }) => index as number))]
    for (const bent of from.adversary.bend(message, indices)) {
      const said = decodeMessage(bent.bytes)
      if (said.ok) this.checker.visible(from, said.value)
      for (const receiver of receivers) {
        if (receiver.index === bent.to) this.#deliver(from, receiver, bent.bytes)
      }
    }
  }

  fetchBlock(node: SimulatedNode, hash: string): void {
    for (const other of this.nodes) {
      if (other === node || !other.isUp) continue
      const live = other.replica?.blockBytes(hash as HashedBlock['hash']) ?? null
      const bytes = live ?? other.finalBlocks.find((block) => block.hash === hash)?.bytes ?? null
      if (bytes === null) continue
      this.#later(other, node, () => {
        const block = unwrap(decodeBlock(bytes))
        node.input({ kind: 'blocks-received', blocks: [block], finality: null })
      })
    }
  }

  syncRange(node: SimulatedNode): void {
    for (const other of this.nodes) {
      if (other === node || !other.isUp || other.finality === null) continue
      const blocks = other.finalBlocks.slice(node.finalBlocks.length)
      const { finality } = other
      if (blocks.length === 0) continue
      this.#later(other, node, () =>
        node.input({ kind: 'blocks-received', blocks, finality: mintVerified(finality) }),
      )
    }
  }

  committed(node: SimulatedNode, block: HashedBlock, finality: QuorumCertificate): void {
    if (block.header.proposer !== node.index) return
    const bytes = encodeFinalAnnouncement({ block, finality })
    for (const follower of this.nodes) {
      if (follower.index !== null) continue
      this.#later(node, follower, () => {
        const announced = unwrap(decodeFinalAnnouncement(bytes))
        const isOwn = announced.finality.blockHash === announced.block.hash
        follower.input({
          kind: 'blocks-received',
          blocks: isOwn ? [announced.block] : [],
          finality: mintVerified(announced.finality),
        })
      })
    }
  }

  #deliver(from: SimulatedNode, to: SimulatedNode, bytes: Uint8Array): void {
    const sender = from.id
    if (sender === null) return
    const times = !this.isHealed && this.random.chance(this.#options.duplicate ?? 0) ? 2 : 1
    for (let i = 0; i < times; i++) this.#later(from, to, () => to.receive(sender, bytes))
  }

  /** Over the network: perhaps lost, always delayed, and to this run of the process only. */
  #later(from: SimulatedNode, to: SimulatedNode, run: () => void): void {
    const { drop = 0, delayMaxMs = 0 } = this.#options
    if (this.#isCut(from, to) || (!this.isHealed && this.random.chance(drop))) return
    const delayMs = DELAY_MIN_MS + this.random.next() * (this.isHealed ? 8 : Math.max(8, delayMaxMs))
    const { incarnation } = to
    this.at(this.nowMs + delayMs, () => {
      if (to.isUp && to.incarnation === incarnation) run()
    })
  }

  #isCut(from: SimulatedNode, to: SimulatedNode): boolean {
    return this.#cut.has(`${from.name}>${to.name}`)
  }

  #connection(a: SimulatedNode, b: SimulatedNode, isReachable: boolean): void {
    this.#tell(a, b, isReachable)
    this.#tell(b, a, isReachable)
  }

  #tell(node: SimulatedNode, about: SimulatedNode, isReachable: boolean): void {
    if (about.index === null || about.index === node.index || !node.isUp) return
    const validator = about.index
    const { incarnation } = node
    this.at(this.nowMs + 1, () => {
      if (node.incarnation === incarnation)
        node.input({ kind: 'reachability-changed', validator, isReachable })
    })
  }

  #every(periodMs: number | undefined, run: () => void): void {
    if (periodMs === undefined || periodMs <= 0) return
    const next = (): void => {
      this.at(this.nowMs + periodMs * (0.5 + this.random.next()), () => {
        if (this.isHealed) return
        run()
        next()
      })
    }
    next()
  }

  #schedulePartitions(): void {
    const { partitionEveryMs, isCutNoticed = true, healAtMs = 0 } = this.#options
    if (partitionEveryMs === undefined) return
    this.#every(partitionEveryMs, () => {
      this.heal()
      if (this.random.chance(0.3)) return
      if (this.random.chance(0.2)) {
        const [a, b] = [this.#anyNode(), this.#anyNode()]
        this.mute(a, b)
        return
      }
      this.separate(
        this.nodes.filter(() => this.random.chance(0.4)),
        isCutNoticed,
      )
    })
    this.at(healAtMs, () => this.heal())
  }

  #schedulePowerCuts(): void {
    this.#every(this.#options.powerCutEveryMs, () => this.powerCut())
  }

  #scheduleTransactions(): void {
    const { transactions = [], transactionEveryMs = 50 } = this.#options
    transactions.forEach((transaction, i) => {
      this.at(10 + i * transactionEveryMs, () => this.offer(transaction, this.#anyNode()))
    })
  }

  #anyNode(): SimulatedNode {
    return this.nodes[this.random.below(this.nodes.length)] as SimulatedNode
  }
}

function idOf(index: number): ValidatorId {
  return `${index}`.padStart(64, '0') as ValidatorId
}
