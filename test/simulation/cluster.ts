/**
 * Replicas in one process over a simulated network, clock and disk; everything is a function of the seed.
 * Signatures are names of what was signed (they are not checked: who may forge is the adversary's matter),
 * execution is a hash over the chain. Records are durable when `persist` is performed, and what a replica
 * says leaves only after them; a crash forgets all but the records and the final blocks.
 */
import { decodeBlock, hashBlock, blockHash as hashOfHeader, headerSchema } from '../../src/codec/block.ts'
import { sha256TaggedHex } from '../../src/codec/hashes.ts'
import { decodeMessage, encodeMessage } from '../../src/codec/messages.ts'
import { decodeSafetyRecord, encodeSafetyRecord } from '../../src/codec/safety-record.ts'
import { utf8ToBytes } from '../../src/codec/utf8.ts'
import type { ConsensusEffect, SignRequest } from '../../src/consensus/effect.ts'
import type { ConsensusEvent } from '../../src/consensus/event.ts'
import type { ConsensusInput } from '../../src/consensus/input.ts'
import { Replica } from '../../src/consensus/replica.ts'
import { foldSafetyRecords } from '../../src/consensus/safety.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import type { QuorumCertificate } from '../../src/types/certificates.ts'
import type { ChainParameters } from '../../src/types/genesis.ts'
import type { ConsensusMessage, Proposal } from '../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asMonotonicMs,
  asUnixMs,
  asValidatorIndex,
  asView,
  nextHeight,
  type StateRoot,
  type ValidatorId,
  type ValidatorIndex,
} from '../../src/types/primitives.ts'
import type { SafetyRecord } from '../../src/types/safety.ts'
import type { ValidatorSet } from '../../src/types/validator-set.ts'
import { mintVerified } from '../../src/types/verified.ts'
import { Random } from './random.ts'

export interface ClusterOptions {
  readonly seed: number
  readonly stakes: readonly bigint[]
  readonly parameters?: Partial<ChainParameters>
  /** Probability that a message is lost, before `healAtMs`. */
  readonly drop?: number
  /** Extra delay up to this, before `healAtMs`. */
  readonly delayMaxMs?: number
  /** Crashes per second and node, before `healAtMs`. */
  readonly crashesPerSecond?: number
  readonly healAtMs?: number
}

export const PARAMETERS: ChainParameters = {
  heartbeatMs: 0,
  viewTimeoutMinMs: 100,
  viewTimeoutMaxMs: 2_000,
  unreachableLeaderTimeoutMs: 20,
  clockSkewMaxMs: 5_000,
  blockBytesMax: 1_000_000,
  blockTransactionsMax: 100,
  certificateIntervalMs: 0,
}

const START_UNIX_MS = 1_700_000_000_000

interface SimulatedNode {
  readonly index: ValidatorIndex
  replica: Replica | null
  /** Durable. */
  readonly records: Uint8Array[]
  readonly finalBlocks: HashedBlock[]
  readonly stateRoots: StateRoot[]
  finality: QuorumCertificate | null
  timers: Map<string, number>
  incarnation: number
  readonly events: ConsensusEvent[]
}

type Occurrence = { atMs: number; order: number; run: () => void }

export class Cluster {
  readonly nodes: SimulatedNode[]
  readonly violations: string[] = []
  readonly genesis: HashedBlock
  readonly random: Random
  nowMs = 0
  #order = 0
  readonly #queue: Occurrence[] = []
  readonly #options: ClusterOptions
  readonly #set: ValidatorSet
  /** Who cannot talk to whom. */
  readonly cut = new Set<string>()
  /** Everything visible that was signed: slot → content, to notice double signing across restarts. */
  readonly #signed = new Map<string, string>()
  trace = ''

  constructor(options: ClusterOptions) {
    this.#options = options
    this.random = new Random(options.seed)
    this.#set = {
      epoch: asEpoch(1),
      validators: options.stakes.map((stake, i) => ({
        id: `${i}`.padStart(64, '0') as ValidatorId,
        publicKey: new Uint8Array(0),
        stake,
      })),
    }
    const header = { ...headerSchema.fromRaw(headerSchema.ssz.defaultValue()), epoch: asEpoch(1) }
    this.genesis = hashBlock({ header: { ...header, timestamp: asUnixMs(START_UNIX_MS) }, transactions: [] })
    this.nodes = options.stakes.map((_, i) => ({
      index: asValidatorIndex(i),
      replica: null,
      records: [],
      finalBlocks: [this.genesis],
      stateRoots: [stateAfter(this.genesis)],
      finality: null,
      timers: new Map(),
      incarnation: 0,
      events: [],
    }))
    for (const node of this.nodes) this.start(node)
  }

  /** Runs until the time or until the condition holds; returns whether it held. */
  runUntil(untilMs: number, done: () => boolean = () => false): boolean {
    while (this.#queue.length > 0) {
      if (done()) return true
      const next = this.#pop()
      if (next.atMs > untilMs) {
        this.#push(next.atMs, next.run)
        this.nowMs = untilMs
        return done()
      }
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
    }
    return done()
  }

  /** Height of the last final block of each node. */
  heights(): number[] {
    return this.nodes.map((node) => node.finalBlocks.length - 1)
  }

  crash(node: SimulatedNode): void {
    node.replica = null
    node.timers = new Map()
    node.incarnation++
    for (const other of this.nodes) {
      if (other !== node)
        this.feed(other, { kind: 'reachability-changed', validator: node.index, isReachable: false })
    }
  }

  start(node: SimulatedNode): void {
    const recovered = foldSafetyRecords(node.records.map((bytes) => unwrap(decodeSafetyRecord(bytes))))
    const final = node.finalBlocks.at(-1) ?? this.genesis
    node.replica = new Replica({
      validatorSet: this.#set,
      self: node.index,
      parameters: { ...PARAMETERS, ...this.#options.parameters },
      final,
      finality: node.finality,
      recovered,
      recoveredProposal:
        recovered.proposal === null ? null : (unwrap(decodeMessage(recovered.proposal.bytes)) as Proposal),
      recoveredBlocks: recovered.blocks.map((bytes) => unwrap(decodeBlock(bytes))),
      encodeProposal: encodeMessage,
    })
    this.feed(node, { kind: 'started' })
    for (const other of this.nodes) {
      if (other === node || other.replica === null) continue
      this.feed(other, { kind: 'reachability-changed', validator: node.index, isReachable: true })
      this.feed(node, { kind: 'reachability-changed', validator: other.index, isReachable: true })
    }
    const { crashesPerSecond = 0, healAtMs = 0 } = this.#options
    if (crashesPerSecond > 0) {
      const atMs = this.nowMs + (-Math.log(1 - this.random.next()) / crashesPerSecond) * 1_000
      if (atMs < healAtMs) this.at(atMs, () => this.#crashAndRestart(node))
    }
  }

  #crashAndRestart(node: SimulatedNode): void {
    this.crash(node)
    this.at(this.nowMs + this.random.below(800), () => this.start(node))
  }

  at(atMs: number, run: () => void): void {
    this.#push(atMs, run)
  }

  feed(node: SimulatedNode, first: ConsensusInput): void {
    const inputs: ConsensusInput[] = [first]
    for (let input = inputs.shift(); input !== undefined && node.replica !== null; input = inputs.shift()) {
      const now = {
        monotonicMs: asMonotonicMs(this.nowMs),
        unixMs: asUnixMs(START_UNIX_MS + Math.floor(this.nowMs)),
      }
      const { effects, events } = node.replica.step(input, now)
      node.events.push(...events)
      for (const effect of effects) this.#perform(node, effect, inputs)
    }
  }

  #perform(node: SimulatedNode, effect: ConsensusEffect, inputs: ConsensusInput[]): void {
    this.trace = sha256TaggedHex('verdict', utf8ToBytes(this.trace + node.index + describe(effect)))
    switch (effect.kind) {
      case 'sign':
        inputs.unshift({ kind: 'signed', request: effect.request, signature: new Uint8Array(3309) })
        return
      case 'persist': {
        this.#checkRecord(node, effect.record)
        node.records.push(encodeSafetyRecord(effect.record))
        return
      }
      case 'broadcast':
        for (const other of this.nodes) if (other !== node) this.#deliver(node, other, effect.message)
        return
      case 'send': {
        const to = this.nodes[effect.to]
        if (to !== undefined) this.#deliver(node, to, effect.message)
        return
      }
      case 'set-timer': {
        const generation = (node.timers.get(effect.timer) ?? 0) + 1
        node.timers.set(effect.timer, generation)
        const { incarnation } = node
        this.at(this.nowMs + effect.delayMs, () => {
          if (node.incarnation !== incarnation || node.timers.get(effect.timer) !== generation) return
          this.feed(node, { kind: 'timer-expired', timer: effect.timer, view: effect.view })
        })
        return
      }
      case 'cancel-timer':
        node.timers.set(effect.timer, (node.timers.get(effect.timer) ?? 0) + 1)
        return
      case 'build-block': {
        const { parent, view, epoch, justify } = effect
        const isEmpty = this.#options.parameters?.heartbeatMs !== undefined && !effect.isEmptyAllowed
        if (isEmpty) {
          inputs.push({ kind: 'block-built', view, built: null })
          return
        }
        const header = {
          ...parent.header,
          epoch,
          view,
          height: nextHeight(parent.header.height),
          parentHash: parent.hash,
          justify,
          timestamp: asUnixMs(Math.max(parent.header.timestamp + 1, START_UNIX_MS + Math.floor(this.nowMs))),
          proposer: node.index,
          parentStateRoot: stateAfter(parent),
        }
        const block = hashBlock({ header, transactions: [] })
        inputs.push({ kind: 'block-built', view, built: { block, stateRoot: stateAfter(block) } })
        return
      }
      case 'check-block': {
        const isRight =
          hashOfHeader(effect.block.header) === effect.block.hash &&
          effect.block.header.parentStateRoot === stateAfter(effect.parent) &&
          effect.block.header.height === effect.parent.header.height + 1
        inputs.push({
          kind: 'block-checked',
          blockHash: effect.block.hash,
          outcome: isRight ? { ok: true, stateRoot: stateAfter(effect.block) } : { ok: false, code: 'wrong' },
        })
        return
      }
      case 'finalize':
        for (const block of effect.blocks) {
          if (block.header.parentHash !== node.finalBlocks.at(-1)?.hash)
            this.violations.push(`I2: node ${node.index}`)
          node.finalBlocks.push(block)
          node.stateRoots.push(stateAfter(block))
          node.finality = effect.certificate
          this.#checkAgreement(node, block)
          const { view, height, timestamp } = block.header
          inputs.push({
            kind: 'blocks-committed',
            view,
            height,
            timestamp,
            blockHash: block.hash,
            stateRoot: stateAfter(block),
          })
        }
        return
      case 'fetch-block':
        this.#answerLater(node, (other) => {
          const block =
            other.finalBlocks.find((b) => b.hash === effect.blockHash) ??
            proposalBlock(other, effect.blockHash)
          return block === undefined ? null : { kind: 'blocks-received', blocks: [block], finality: null }
        })
        return
      case 'sync':
        this.#answerLater(node, (other) => {
          const from = node.finalBlocks.length
          const blocks = other.finalBlocks.slice(from)
          if (blocks.length === 0 || other.finality === null) return null
          return { kind: 'blocks-received', blocks, finality: mintVerified(other.finality) }
        })
        return
      case 'store-commit-certificate':
        return
      case 'halt':
        this.violations.push(`halt: node ${node.index} ${effect.reason}`)
        return
    }
  }

  #answerLater(node: SimulatedNode, answer: (other: SimulatedNode) => ConsensusInput | null): void {
    for (const other of this.nodes) {
      if (other === node || other.replica === null || this.#isLost(node, other)) continue
      const input = answer(other)
      if (input === null) continue
      const { incarnation } = node
      this.at(this.nowMs + this.#delayMs(), () => {
        if (node.incarnation === incarnation) this.feed(node, input)
      })
    }
  }

  #deliver(from: SimulatedNode, to: SimulatedNode, message: ConsensusMessage): void {
    if (this.#isLost(from, to)) return
    const bytes = encodeMessage(message)
    this.at(this.nowMs + this.#delayMs(), () => {
      if (to.replica === null) return
      const decoded = unwrap(decodeMessage(bytes))
      if (to.replica.triage(decoded) === 'ignore') return
      this.feed(to, { kind: 'message-received', from: from.index, message: mintVerified(decoded) })
    })
  }

  #isLost(from: SimulatedNode, to: SimulatedNode): boolean {
    if (this.cut.has(`${from.index}-${to.index}`)) return true
    const { drop = 0, healAtMs = 0 } = this.#options
    return this.nowMs < healAtMs && this.random.chance(drop)
  }

  #delayMs(): number {
    const { delayMaxMs = 0, healAtMs = 0 } = this.#options
    return 8 + this.random.next() * (this.nowMs < healAtMs ? delayMaxMs : 4)
  }

  /** I3: one content per slot, across restarts. I7: no vote at or below a given-up view. */
  #checkRecord(node: SimulatedNode, record: SafetyRecord): void {
    for (const vote of [record.prepare, record.preCommit]) {
      if (vote === null) continue
      this.#checkSlot(`${node.index}/${vote.kind}/${vote.view}`, vote.blockHash)
      const givenUp = Number(this.#signed.get(`${node.index}/given-up`) ?? 0)
      if (vote.view <= givenUp)
        this.violations.push(`I7: node ${node.index} ${vote.kind} in view ${vote.view} ≤ ${givenUp}`)
    }
    if (record.timeout !== null) {
      this.#checkSlot(`${node.index}/timeout/${record.timeout.view}`, `${record.timeout.highQcView}`)
      this.#signed.set(`${node.index}/given-up`, `${record.timeout.view}`)
    }
    if (record.proposal !== null) {
      const proposal = unwrap(decodeMessage(record.proposal.bytes)) as Proposal
      this.#checkSlot(`${node.index}/proposal/${record.proposal.view}`, proposal.block.hash)
    }
  }

  #checkSlot(slot: string, content: string): void {
    const before = this.#signed.get(slot)
    if (before !== undefined && before !== content)
      this.violations.push(`I3: ${slot} signed ${before} and ${content}`)
    this.#signed.set(slot, content)
  }

  /** I1: no two nodes hold different final blocks at one height. */
  #checkAgreement(node: SimulatedNode, block: HashedBlock): void {
    for (const other of this.nodes) {
      const theirs = other.finalBlocks[block.header.height]
      if (theirs !== undefined && theirs.hash !== block.hash) {
        this.violations.push(`I1: height ${block.header.height}, nodes ${node.index} and ${other.index}`)
      }
    }
  }

  #push(atMs: number, run: () => void): void {
    const entry = { atMs, order: this.#order++, run }
    const queue = this.#queue
    let i = queue.push(entry) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!isBefore(entry, queue[parent] as Occurrence)) break
      queue[i] = queue[parent] as Occurrence
      i = parent
    }
    queue[i] = entry
  }

  #pop(): Occurrence {
    const queue = this.#queue
    const top = queue[0] as Occurrence
    const last = queue.pop() as Occurrence
    if (queue.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= queue.length) break
      if (child + 1 < queue.length && isBefore(queue[child + 1] as Occurrence, queue[child] as Occurrence))
        child++
      if (!isBefore(queue[child] as Occurrence, last)) break
      queue[i] = queue[child] as Occurrence
      i = child
    }
    queue[i] = last
    return top
  }
}

function isBefore(a: Occurrence, b: Occurrence): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs
}

function stateAfter(block: HashedBlock): StateRoot {
  return sha256TaggedHex<StateRoot>('verdict', utf8ToBytes(`state after ${block.hash}`))
}

/** A block that a node holds durably because it voted for it. */
function proposalBlock(node: SimulatedNode, hash: string): HashedBlock | undefined {
  for (const bytes of [...node.records].reverse()) {
    for (const block of unwrap(decodeSafetyRecord(bytes)).blocks) {
      const decoded = unwrap(decodeBlock(block))
      if (decoded.hash === hash) return decoded
    }
  }
  return undefined
}

function unwrap<T>(result: { ok: true; value: T } | { ok: false; detail: string }): T {
  if (!result.ok) throw new Error(result.detail)
  return result.value
}

function describe(effect: ConsensusEffect): string {
  if (effect.kind === 'sign') return `sign ${describeRequest(effect.request)}`
  if (effect.kind === 'set-timer') return `${effect.timer} ${effect.view} ${effect.delayMs}`
  if (effect.kind === 'broadcast' || effect.kind === 'send') return `${effect.kind} ${effect.message.kind}`
  return effect.kind
}

function describeRequest(request: SignRequest): string {
  return `${request.kind} ${request.view} ${'blockHash' in request ? request.blockHash : ''}`
}

export { asHeight, asView }
