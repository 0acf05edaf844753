/**
 * One replica under a test's hand, and whatever the other validators could say to it. Signatures, checks and built
 * blocks are answered at once, as the driver does; everything else is up to the test.
 */

import { commitsDigest } from '../../../src/codec/ballots.ts'
import { hashBlock, headerSchema, transactionsRoot } from '../../../src/codec/block.ts'
import { encodeMessage } from '../../../src/codec/messages.ts'
import type { ConsensusEffect, SignRequest } from '../../../src/consensus/effect.ts'
import type { ConsensusEvent } from '../../../src/consensus/event.ts'
import { rootCertificate } from '../../../src/consensus/initial-state.ts'
import type { ConsensusInput } from '../../../src/consensus/input.ts'
import { NO_LEADER_RECORD } from '../../../src/consensus/leader-election.ts'
import { Replica, type ReplicaOptions } from '../../../src/consensus/replica.ts'
import { type Ballots, NO_BALLOTS } from '../../../src/types/ballots.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { QuorumCertificate, TimeoutCertificate } from '../../../src/types/certificates.ts'
import type { ChainParameters } from '../../../src/types/genesis.ts'
import type { CommitVote, ConsensusMessage, Proposal, Timeout, Vote } from '../../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asMonotonicMs,
  asUnixMs,
  asValidatorIndex,
  asView,
  type StateRoot,
  type ValidatorId,
  type ValidatorIndex,
} from '../../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD } from '../../../src/types/safety.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import type { ValidatorSet } from '../../../src/types/validator-set.ts'
import { mintVerified } from '../../../src/types/verified.ts'

export const START_UNIX_MS = 1_760_000_000_000

/** Round figures, so that a table of delays can be read. */
export const PARAMETERS: ChainParameters = {
  heartbeatMs: 2_000,
  viewTimeoutMinMs: 100,
  viewTimeoutMaxMs: 1_600,
  unreachableLeaderTimeoutMs: 50,
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

export function validatorSet(stakes: readonly bigint[]): ValidatorSet {
  return {
    epoch: asEpoch(1),
    validators: stakes.map((stake, i) => ({
      id: `${i}`.padStart(64, '0') as ValidatorId,
      publicKey: new Uint8Array(0),
      stake,
    })),
  }
}

const emptyHeader = {
  ...headerSchema.fromRaw(headerSchema.ssz.defaultValue()),
  epoch: asEpoch(1),
  transactionsRoot: transactionsRoot([]),
}

export const GENESIS: HashedBlock = hashBlock({
  header: { ...emptyHeader, timestamp: asUnixMs(START_UNIX_MS - 1_000) },
  transactions: [],
})

/** Leader of a view among four equal validators: their smooth round-robin begins with the first at view 0. */
export const leaderOf = (view: number): number => view % 4

interface BlockFields {
  readonly proposer?: number
  readonly justifyView?: number
  readonly height?: number
  readonly timestamp?: number
  readonly transactions?: readonly HashedTransaction[]
  readonly epoch?: number
}

/** A block of a view on a parent, by the view's leader unless told otherwise. */
export function blockOn(parent: HashedBlock, view: number, fields: BlockFields = {}): HashedBlock {
  const { transactions = [] } = fields
  return hashBlock({
    header: {
      ...emptyHeader,
      epoch: asEpoch(fields.epoch ?? 1),
      view: asView(view),
      height: asHeight(fields.height ?? parent.header.height + 1),
      parentHash: parent.hash,
      justify: { view: asView(fields.justifyView ?? parent.header.view), blockHash: parent.hash },
      timestamp: asUnixMs(fields.timestamp ?? parent.header.timestamp + 1),
      proposer: asValidatorIndex(fields.proposer ?? leaderOf(view)),
      transactionsRoot: transactionsRoot(transactions),
    },
    transactions,
  })
}

/** Blocks of the views 1 to `count`, each on the one before. */
export function chainOf(count: number): HashedBlock[] {
  const blocks: HashedBlock[] = []
  for (let view = 1; view <= count; view++) blocks.push(blockOn(blocks.at(-1) ?? GENESIS, view))
  return blocks
}

const SIGNATURE = new Uint8Array(3_309)

export function proposal(
  block: HashedBlock,
  timeoutCertificate: TimeoutCertificate | null = null,
  commits: Proposal['commits'] = [],
): Proposal {
  return { kind: 'proposal', block, timeoutCertificate, ballotVotes: [], signature: SIGNATURE, commits }
}

export function vote(
  kind: Vote['kind'],
  voter: number,
  block: HashedBlock,
  ballots: Ballots = NO_BALLOTS,
): Vote {
  const { epoch, view, height } = block.header
  return {
    kind,
    epoch,
    view,
    height,
    blockHash: block.hash,
    voter: asValidatorIndex(voter),
    signature: SIGNATURE,
    ballots,
  }
}

export function commitVote(voter: number, block: HashedBlock, stateRoot = stateAfter(block)): CommitVote {
  const { epoch, view, height } = block.header
  return {
    kind: 'commit',
    epoch,
    view,
    height,
    blockHash: block.hash,
    stateRoot,
    voter: asValidatorIndex(voter),
    signature: SIGNATURE,
  }
}

export function quorumOn(
  kind: QuorumCertificate['kind'],
  block: HashedBlock,
  voters: readonly number[] = [0, 1, 2],
): QuorumCertificate {
  if (block.header.height === 0) return rootCertificate(block, asEpoch(1))
  const { epoch, view, height } = block.header
  return {
    kind,
    epoch,
    view,
    height,
    blockHash: block.hash,
    stateRoot: kind === 'commit' ? stateAfter(block) : null,
    signatures: voters.map((voter) => ({
      voter: asValidatorIndex(voter),
      signature: SIGNATURE,
      commits: null,
    })),
  }
}

export function timeout(view: number, voter: number, highQc: HashedBlock | number = GENESIS): Timeout {
  const highQcView = typeof highQc === 'number' ? asView(highQc) : highQc.header.view
  const blockHash = typeof highQc === 'number' ? GENESIS.hash : highQc.hash
  return {
    kind: 'timeout',
    epoch: asEpoch(1),
    view: asView(view),
    highQcView,
    voter: asValidatorIndex(voter),
    signature: SIGNATURE,
    highQc: { view: highQcView, blockHash },
    final: { height: asHeight(0), blockHash: GENESIS.hash },
  }
}

export function timeoutQuorum(
  view: number,
  highQc: QuorumCertificate,
  reports: readonly (readonly [voter: number, highQcView: number])[] = [0, 1, 2].map((i) => [i, highQc.view]),
): TimeoutCertificate {
  return {
    epoch: asEpoch(1),
    view: asView(view),
    timeouts: reports.map(([voter, highQcView]) => ({
      voter: asValidatorIndex(voter),
      highQcView: asView(highQcView),
      signature: SIGNATURE,
    })),
    highQc,
  }
}

/** The state after a block, made up. */
export function stateAfter(block: HashedBlock): StateRoot {
  return block.hash as string as StateRoot
}

export interface HarnessOptions extends Partial<Omit<ReplicaOptions, 'validatorSet' | 'parameters'>> {
  readonly stakes?: readonly bigint[]
  readonly parameters?: Partial<ChainParameters>
  /** What the pool has for a block; without it there is nothing to propose. */
  readonly pool?: readonly HashedTransaction[]
  /** Blocks whose check fails. */
  readonly invalid?: (block: HashedBlock) => boolean
  /** What the replica's own votes carry. */
  readonly ballots?: (kind: Vote['kind']) => Ballots
  /** Whether ballots for the next block are missing, where the replica may wait for them. */
  readonly isBallotMissing?: () => boolean
  /** The same of openings of what the parent closed. */
  readonly missingOpenings?: () => 'openings-missing' | 'openings-late' | null
  /** Who does not weigh in the period that begins after a block; null when none does. */
  readonly weightless?: (block: HashedBlock) => readonly ValidatorIndex[] | null
  /** What is put off to a later turn does not come by itself. */
  readonly isBusy?: boolean
  /** Blocks that nobody waits for; none by default. */
  readonly isFinalWithNext?: (block: HashedBlock) => boolean
  /** False: `started` is up to the test. */
  readonly isStarted?: boolean
  /** Validators with a connection from the start. */
  readonly reachable?: readonly number[]
}

export class Harness {
  readonly replica: Replica
  readonly events: ConsensusEvent[] = []
  readonly effects: ConsensusEffect[] = []
  pool: readonly HashedTransaction[]
  nowMs = 1_000
  /** What this machine's clock says beyond the time that has passed. */
  unixOffsetMs = START_UNIX_MS
  readonly #options: HarnessOptions

  constructor(options: HarnessOptions = {}) {
    this.#options = options
    this.pool = options.pool ?? []
    const { self = asValidatorIndex(0), stakes = [1n, 1n, 1n, 1n] } = options
    this.replica = new Replica({
      validatorSet: validatorSet(stakes),
      self,
      parameters: { ...PARAMETERS, ...options.parameters },
      final: options.final ?? GENESIS,
      finality: options.finality ?? null,
      epochEnd: options.epochEnd ?? null,
      leaderRecord: options.leaderRecord ?? NO_LEADER_RECORD,
      pacemaker: options.pacemaker ?? null,
      recovered: { ...(options.recovered ?? EMPTY_SAFETY_RECORD), epoch: asEpoch(1) },
      recoveredProposal: options.recoveredProposal ?? null,
      recoveredBlocks: options.recoveredBlocks ?? [],
      encodeProposal: encodeMessage,
      commitsDigest,
    })
    if (options.isStarted === false) return
    this.feed({ kind: 'started' })
    for (const i of options.reachable ?? stakes.map((_, i) => i)) {
      if (i !== self) this.reach(i, true)
    }
    this.events.length = 0
    this.effects.length = 0
  }

  get view(): number {
    return this.replica.look().view
  }

  /** Takes an input and answers what can be answered at once; returns all effects, in order. */
  feed(input: ConsensusInput): ConsensusEffect[] {
    const all: ConsensusEffect[] = []
    const waiting = [input]
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const now = {
        monotonicMs: asMonotonicMs(this.nowMs),
        unixMs: asUnixMs(this.unixOffsetMs + this.nowMs),
      }
      const { effects, events } = this.replica.step(next, now)
      this.events.push(...events)
      all.push(...effects)
      waiting.unshift(...effects.map((effect) => this.#answer(effect)).filter((answer) => answer !== null))
      if (effects.some(({ kind }) => kind === 'yield') && this.#options.isBusy !== true) {
        waiting.push({ kind: 'resumed' })
      }
    }
    this.effects.push(...all)
    return all
  }

  /** A message, after the triage that the ingress asks for. */
  receive(message: ConsensusMessage, from = 1): ConsensusEffect[] {
    if (this.replica.triage(message) === 'ignore') return []
    return this.feed({
      kind: 'message-received',
      from: asValidatorIndex(from),
      message: mintVerified(message),
    })
  }

  reach(validator: number, isReachable: boolean): ConsensusEffect[] {
    return this.feed({
      kind: 'reachability-changed',
      validator: asValidatorIndex(validator),
      isReachable,
    })
  }

  expire(timer: 'view' | 'propose' | 'timeout-repeat' | 'fetch', view = this.view): ConsensusEffect[] {
    return this.feed({ kind: 'timer-expired', timer, view: asView(view) })
  }

  later(ms: number): this {
    this.nowMs += ms
    return this
  }

  /** Votes of the others until the block is certified: then, with this replica's, it has a quorum. */
  votes(kind: Vote['kind'], block: HashedBlock, voters: readonly number[] = [1, 2, 3]): ConsensusEffect[] {
    return voters.flatMap((voter) => this.receive(vote(kind, voter, block), voter))
  }

  /** The block of the next view by its leader, prepared and pre-committed by all. */
  finalize(block: HashedBlock): void {
    if (leaderOf(block.header.view) !== this.replica.self) this.receive(proposal(block))
    this.votes('prepare', block)
    this.votes('pre-commit', block)
  }

  /** The batch with this block is durable. */
  commit(block: HashedBlock): ConsensusEffect[] {
    const { view, height, timestamp } = block.header
    const stateRoot = stateAfter(block)
    return this.feed({
      kind: 'blocks-committed',
      view,
      height,
      timestamp,
      blockHash: block.hash,
      stateRoot,
    })
  }

  #ballotsOf({ kind }: SignRequest): Ballots {
    // As the shell does: a proposal has commits and no openings.
    if (kind === 'proposal')
      return { ...NO_BALLOTS, commits: this.#options.ballots?.('prepare').commits ?? [] }
    return kind === 'prepare' || kind === 'pre-commit'
      ? (this.#options.ballots?.(kind) ?? NO_BALLOTS)
      : NO_BALLOTS
  }

  #answer(effect: ConsensusEffect): ConsensusInput | null {
    switch (effect.kind) {
      case 'sign': {
        const ballots = this.#ballotsOf(effect.request)
        return { kind: 'signed', request: effect.request, signature: SIGNATURE, ballots }
      }
      case 'check-block': {
        const isInvalid = this.#options.invalid?.(effect.block) ?? false
        return {
          kind: 'block-checked',
          blockHash: effect.block.hash,
          outcome: isInvalid
            ? { ok: false, code: 'timestamp' }
            : {
                ok: true,
                stateRoot: stateAfter(effect.block),
                weightless: this.#options.weightless?.(effect.block) ?? null,
                isFinalWithNext: this.#options.isFinalWithNext?.(effect.block) ?? false,
              },
        }
      }
      case 'build-block': {
        const { view, parent, isEmptyAllowed, mayAwaitBallots, awaitedOpenings } = effect
        if (mayAwaitBallots && this.#options.isBallotMissing?.() === true)
          return { kind: 'block-built', view, built: 'ballots-missing' }
        const missing = this.#options.missingOpenings?.() ?? null
        const isAwaited =
          awaitedOpenings === 'all' || (awaitedOpenings === 'quorum' && missing === 'openings-missing')
        if (missing !== null && isAwaited) return { kind: 'block-built', view, built: missing }
        if (this.pool.length === 0 && !isEmptyAllowed) return { kind: 'block-built', view, built: null }
        const block = blockOn(parent, view, {
          proposer: this.replica.self ?? 0,
          justifyView: effect.justify.view,
          transactions: this.pool,
        })
        return {
          kind: 'block-built',
          view,
          built: {
            block,
            stateRoot: stateAfter(block),
            weightless: null,
            isFinalWithNext: false,
            ballotVotes: [],
          },
        }
      }
      case 'open-ballots':
        return effect.to === this.replica.self ? { kind: 'ballots-opened' } : null
      default:
        return null
    }
  }
}

/** Messages among effects, those to one and those to all. */
export function said(effects: readonly ConsensusEffect[]): ConsensusMessage[] {
  return effects.flatMap((effect) =>
    effect.kind === 'broadcast' || effect.kind === 'send' ? [effect.message] : [],
  )
}

/** A short word for each effect: a whole list can be compared at a glance. */
export function words(effects: readonly ConsensusEffect[]): string[] {
  return effects.map((effect) => {
    switch (effect.kind) {
      case 'sign':
        return `sign ${effect.request.kind} ${effect.request.view}`
      case 'broadcast':
        return `broadcast ${effect.message.kind}`
      case 'send':
        return `send ${effect.message.kind} to ${effect.to}`
      case 'set-timer':
        return `set ${effect.timer} ${Math.round(effect.delayMs)}`
      case 'cancel-timer':
        return `cancel ${effect.timer}`
      case 'check-block':
        return `check ${effect.block.header.height}`
      case 'finalize':
        return `finalize ${effect.blocks.map(({ header }) => header.height)}`
      case 'persist': {
        const { blocks, commits, ...fields } = effect.record
        const set = Object.entries(fields).flatMap(([name, value]) =>
          value === null || name === 'epoch' ? [] : [name],
        )
        const lists = [...(blocks.length > 0 ? ['blocks'] : []), ...(commits.length > 0 ? ['commits'] : [])]
        return `persist ${[...set, ...lists].join('+')}`
      }
      case 'open-ballots':
        return `open-ballots ${effect.height} to ${effect.to}`
      case 'halt':
        return `halt ${effect.reason}`
      default:
        return effect.kind
    }
  })
}
