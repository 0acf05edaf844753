/**
 * Performs what the replica asks for. Everything that can be seen from outside goes through the durable
 * outbox, so that no signed byte leaves before its record is on disk (S0).
 */
import { decodeBlock } from '../codec/block.ts'
import { encodeMessage } from '../codec/messages.ts'
import { encodeSafetyRecord } from '../codec/safety-record.ts'
import { commitSigningPayload, signedVotePayload, timeoutSigningPayload } from '../codec/signing-payloads.ts'
import type { ConsensusEffect, SignRequest } from '../consensus/effect.ts'
import type { ConsensusInput } from '../consensus/input.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import { assert, unreachable } from '../types/assert.ts'
import { type Ballots, NO_BALLOTS } from '../types/ballots.ts'
import type { Logger } from '../types/logger.ts'
import { type Openings, voteOfProposal } from '../types/messages.ts'
import {
  asHeight,
  type BlockHash,
  type GenesisHash,
  type Height,
  type ValidatorIndex,
} from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'
import type { AnswerFigureMeter } from './answer-figures.ts'
import type { BallotBox } from './ballot-box.ts'
import type { BlockExecutor } from './block-executor.ts'
import type { DurableOutbox } from './durable-outbox.ts'
import type { Finalizer } from './finalizer.ts'
import type {
  BlockFetcher,
  BlockProofsPort,
  Clock,
  ConsensusTransport,
  EquivocationListener,
  RangeSyncPort,
  SafetyLogPort,
  SlotSigner,
  TimerPort,
} from './ports.ts'

export interface EffectHandlerOptions {
  readonly genesisHash: GenesisHash
  readonly electorate: Electorate
  /** Null for a node that follows without voting: it is never asked to sign or persist. */
  readonly validator: {
    readonly index: ValidatorIndex
    readonly signer: SlotSigner
    readonly log: SafetyLogPort
    readonly outbox: DurableOutbox
    /** The whole safety record as of now, for compaction. */
    readonly snapshot: () => SafetyRecord
  } | null
  readonly clock: Clock
  readonly timers: TimerPort
  readonly transport: ConsensusTransport
  readonly executor: BlockExecutor
  readonly proofs: BlockProofsPort | undefined
  readonly ballots: BallotBox
  readonly finalizer: Finalizer
  readonly fetcher: BlockFetcher
  readonly sync: RangeSyncPort
  readonly figures: AnswerFigureMeter
  readonly input: (input: ConsensusInput) => void
  readonly onEquivocation: EquivocationListener
  readonly onHalt: (reason: string, dump: object) => void
  readonly onFatal: (error: unknown) => void
  readonly logger: Logger
}

export class EffectHandler {
  readonly #options: EffectHandlerOptions
  readonly #fetching = new Set<BlockHash>()
  #isStopped = false

  constructor(options: EffectHandlerOptions) {
    this.#options = options
  }

  /** Performs one effect; returns the answer when it is there at once. */
  perform(effect: ConsensusEffect): ConsensusInput | null {
    const { timers, finalizer, sync, onHalt } = this.#options
    switch (effect.kind) {
      case 'sign': {
        const { request } = effect
        const ballots = this.#ballotsFor(request)
        return { kind: 'signed', request, signature: this.#sign(request, ballots), ballots }
      }
      case 'yield':
        timers.soon(() => this.#options.input({ kind: 'resumed' }))
        return null
      case 'persist':
        this.#validator().outbox.append(encodeSafetyRecord(effect.record))
        return null
      case 'broadcast':
        if (effect.message.kind === 'prepare' || effect.message.kind === 'pre-commit') {
          this.#options.ballots.heard(effect.message)
        } else if (effect.message.kind === 'proposal') {
          this.#options.ballots.heard(voteOfProposal(effect.message))
        }
        this.#broadcast(effect)
        return null
      case 'send':
        this.#send(effect.to, encodeMessage(effect.message))
        return null
      case 'set-timer':
        timers.set(effect.timer, effect.view, effect.delayMs)
        return null
      case 'cancel-timer':
        timers.cancel(effect.timer)
        return null
      case 'build-block':
        return this.#build(effect)
      case 'check-block': {
        const proofs = this.#options.proofs?.prepare(effect.block) ?? null
        if (proofs === null) return this.#check(effect)
        void this.#checkAfter(proofs, effect)
        return null
      }
      case 'finalize':
        this.#options.ballots.final(effect.blocks.at(-1)?.header.height ?? asHeight(0))
        this.#ordered(() => finalizer.finalize(effect.blocks, effect.fillers, effect.certificate))
        return null
      case 'open-ballots':
        return this.#open(effect)
      case 'store-commit-certificate':
        finalizer.storeCommitCertificate(effect.certificate)
        return null
      case 'report-equivocation':
        this.#reportEquivocation(effect)
        return null
      case 'fetch-block':
        void this.#fetch(effect.blockHash, effect.from)
        return null
      case 'sync':
        sync.request(effect.target)
        return null
      case 'halt':
        onHalt(effect.reason, effect.dump)
        return null
      default:
        return unreachable(effect)
    }
  }

  /** Group commit: one write for all records of this turn. */
  turnEnded(): void {
    const { validator, onFatal } = this.#options
    if (validator === null) return
    validator.outbox.flush()
    if (validator.log.wantsCompaction) {
      validator.log.compact(encodeSafetyRecord(validator.snapshot())).catch(onFatal)
    }
  }

  /** Performs nothing more that was to be performed later. */
  stop(): void {
    this.#isStopped = true
  }

  #check({ block, parent }: ConsensusEffect & { kind: 'check-block' }): ConsensusInput {
    const { executor, logger } = this.#options
    const outcome = executor.check(block, parent)
    if (!outcome.ok) logger.warn({ code: outcome.code, detail: outcome.detail }, 'block refused')
    return {
      kind: 'block-checked',
      blockHash: block.hash,
      outcome: outcome.ok
        ? { ok: true, ...executor.outcomeOf(outcome.value) }
        : { ok: false, code: outcome.code },
    }
  }

  /** Meanwhile the parent may have gone: then another block is final in its place, and nobody asks about this one. */
  async #checkAfter(proofs: Promise<void>, effect: ConsensusEffect & { kind: 'check-block' }): Promise<void> {
    const { executor, input, onFatal } = this.#options
    try {
      await proofs
      if (!this.#isStopped && executor.hasStateOf(effect.parent.hash)) input(this.#check(effect))
    } catch (error) {
      onFatal(error)
    }
  }

  #validator(): NonNullable<EffectHandlerOptions['validator']> {
    const { validator } = this.#options
    assert(validator !== null, 'only a validator signs')
    return validator
  }

  #ballotsFor(request: SignRequest): Ballots {
    const { kind } = request
    if (kind !== 'proposal' && kind !== 'prepare' && kind !== 'pre-commit') return NO_BALLOTS
    const { executor, ballots } = this.#options
    const { hash, height } = votedFor(request)
    const voting = executor.votingAfter(hash)
    return voting === null ? NO_BALLOTS : ballots.say(kind, { hash, height, voting })
  }

  #sign(request: SignRequest, ballots: Ballots): Uint8Array {
    const { signer } = this.#validator()
    const { genesisHash } = this.#options
    const { kind, epoch } = request
    switch (kind) {
      case 'proposal':
      case 'prepare':
      case 'pre-commit': {
        const { view } = request
        const { hash, height } = votedFor(request)
        const signed = kind === 'proposal' ? 'prepare' : kind
        const vote = { kind: signed, epoch, view, height, blockHash: hash, ballots } as const
        return signer.sign({ kind: signed, epoch, position: view }, signedVotePayload(genesisHash, vote))
      }
      case 'commit':
        return signer.sign(
          { kind, epoch, position: request.height },
          commitSigningPayload(genesisHash, request),
        )
      case 'timeout':
        return signer.sign(
          { kind, epoch, position: request.view },
          timeoutSigningPayload(genesisHash, request),
        )
      default:
        return unreachable(kind)
    }
  }

  #build(effect: ConsensusEffect & { kind: 'build-block' }): ConsensusInput {
    const { executor, clock } = this.#options
    const { epoch, view, justify, parent, isEmptyAllowed, mayAwaitBallots, awaitedOpenings } = effect
    const fields = { epoch, view, justify, timestamp: clock.unixMs(), proposer: this.#validator().index }
    const { electorate, ballots } = this.#options
    const voting = executor.votingAfter(parent.hash)
    const point = voting && { hash: parent.hash, height: parent.header.height, voting }
    const { validators } = electorate.set
    if (mayAwaitBallots && point !== null && ballots.isIncomplete(point, validators, view)) {
      return { kind: 'block-built', view, built: 'ballots-missing' }
    }
    const collected = point && ballots.collect(point, validators)
    const holdsCommits = (collected?.transaction.transaction.commits ?? []).length > 0
    const missing = holdsCommits || point === null ? null : ballots.missingOpenings(point, validators, view)
    const isAwaited = awaitedOpenings === 'all' ? missing !== null : missing === awaitedOpenings
    const executed = executor.build(fields, parent, isEmptyAllowed, {
      use: 'proposal',
      ballots: collected?.transaction ?? null,
      mustHoldMore: isAwaited,
    })
    if (executed === null && isAwaited) {
      return { kind: 'block-built', view, built: missing === 'quorum' ? 'openings-missing' : 'openings-late' }
    }
    const hasBallots = executed?.block.transactions[0]?.transaction.kind === 'ballots'
    const ballotVotes = hasBallots ? (collected?.votes ?? []) : []
    const built = executed && {
      ...executor.outcomeOf(executed),
      block: executed.block,
      ballotVotes,
    }
    return { kind: 'block-built', view, built }
  }

  /** The leader needs no message to hear itself. */
  #open({ to, blockHash, height }: ConsensusEffect & { kind: 'open-ballots' }): ConsensusInput | null {
    const { executor, ballots, electorate } = this.#options
    const voting = executor.votingAfter(blockHash)
    const openings = voting === null ? [] : ballots.openings({ hash: blockHash, height, voting })
    if (openings.length === 0) return null
    const { epoch } = electorate.set
    const voter = this.#validator().index
    const message: Openings = { kind: 'openings', epoch, voter, openings }
    if (to !== voter) {
      this.#send(to, encodeMessage(message))
      return null
    }
    ballots.opened(message)
    return { kind: 'ballots-opened' }
  }

  #reportEquivocation(effect: ConsensusEffect & { kind: 'report-equivocation' }): void {
    const { slashable, epoch, view, validator, one, other } = effect
    const publicKey = this.#options.electorate.at(validator)?.publicKey
    assert(publicKey !== undefined, `no validator ${validator}`)
    this.#options.onEquivocation({ kind: slashable, epoch, view, publicKey, one, other })
  }

  #broadcast({ message, isUrgent, first }: ConsensusEffect & { kind: 'broadcast' }): void {
    const { transport, figures, electorate } = this.#options
    const bytes = encodeMessage(message)
    const firstId = first === null ? undefined : electorate.at(first)?.id
    this.#ordered(() => {
      transport.broadcast(bytes, { lazy: !isUrgent, first: firstId })
      figures.transferred(bytes.length * (electorate.size - 1))
    })
  }

  #send(to: ValidatorIndex, bytes: Uint8Array): void {
    const { transport, figures, electorate } = this.#options
    const id = electorate.at(to)?.id
    assert(id !== undefined, `no validator ${to}`)
    this.#ordered(() => {
      transport.send(id, bytes)
      figures.transferred(bytes.length)
    })
  }

  #ordered(run: () => void): void {
    const { validator } = this.#options
    if (validator === null) run()
    else validator.outbox.afterDurable(run)
  }

  async #fetch(blockHash: BlockHash, from: ValidatorIndex | null): Promise<void> {
    const { fetcher, electorate, input, onFatal, logger } = this.#options
    if (this.#fetching.has(blockHash)) return
    this.#fetching.add(blockHash)
    try {
      const id = from === null ? null : (electorate.at(from)?.id ?? null)
      const bytes = await fetcher.fetchByHash(blockHash, id)
      const decoded = bytes === null ? null : decodeBlock(bytes)
      if (decoded === null || !decoded.ok || decoded.value.hash !== blockHash) {
        logger.debug({ blockHash }, 'block could not be fetched')
        return
      }
      input({ kind: 'blocks-received', blocks: [decoded.value], finality: null })
    } catch (error) {
      onFatal(error)
    } finally {
      this.#fetching.delete(blockHash)
    }
  }
}

/** The block that a request is to vote for. */
function votedFor(request: SignRequest & { kind: 'proposal' | 'prepare' | 'pre-commit' }): {
  readonly hash: BlockHash
  readonly height: Height
} {
  if (request.kind !== 'proposal') return { hash: request.blockHash, height: request.height }
  const { hash, header } = request.block
  return { hash, height: header.height }
}
