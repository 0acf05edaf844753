/**
 * The shell around consensus, assembled: one run per epoch, and what outlives epochs: execution, finality, the
 * barrier of the safety record. Everything it touches of the world comes in as a port, so that the node and a
 * simulator host the same code.
 */
import { decodeQuorumCertificate } from '../codec/certificates.ts'
import { decodeFinalAnnouncement } from '../codec/final-announcement.ts'
import { decodeMessage } from '../codec/messages.ts'
import type { ConsensusInput } from '../consensus/input.ts'
import type { LeaderRecord } from '../consensus/leader-election.ts'
import type { Pacemaker } from '../consensus/pacemaker.ts'
import type { ReplicaView } from '../consensus/replica.ts'
import type { Electorate } from '../consensus/validator-set.ts'
import { weightlessIn } from '../ledger/verdicts/leaders.ts'
import { isAtWork } from '../ledger/verdicts/open-requests.ts'
import { periodOf } from '../ledger/verdicts/windows.ts'
import type { HashedBlock } from '../types/block.ts'
import type { AheadCertificate, QuorumCertificate } from '../types/certificates.ts'
import {
  asValidatorIndex,
  type BlockHash,
  nextHeight,
  type RequestKey,
  type ValidatorId,
  type ValidatorIndex,
} from '../types/primitives.ts'
import type { ValidatorSet } from '../types/validator-set.ts'
import type { Verified } from '../types/verified.ts'
import { AnswerFigureMeter } from './answer-figures.ts'
import { BallotBox } from './ballot-box.ts'
import { BlockExecutor } from './block-executor.ts'
import { CommitWatch, logged } from './commit-watch.ts'
import type { ConsensusNodeOptions } from './consensus-node-options.ts'
import { DurableOutbox } from './durable-outbox.ts'
import { EarlyMessages, epochOfMessage } from './early-messages.ts'
import type { EffectHandlerOptions } from './effect-handler.ts'
import { EpochRun, type EpochRunOptions } from './epoch-run.ts'
import { Finalizer } from './finalizer.ts'
import type { IngressOutcome } from './ingress.ts'
import { voteIn, votesIn } from './votes-in.ts'

export class ConsensusNode {
  readonly #options: ConsensusNodeOptions
  readonly #figures: AnswerFigureMeter
  readonly #executor: BlockExecutor
  readonly #finalizer: Finalizer
  readonly #outbox: DurableOutbox | null
  readonly #reachable = new Set<ValidatorId>()
  readonly #early = new EarlyMessages()
  readonly #ballots: BallotBox
  readonly #commits: CommitWatch
  /** Transactions wait in the pool. */
  #hasTransactions = false
  /** What the run was told last: transactions wait, or verdicts do. */
  #hasWork = false
  #run: EpochRun
  /** The epoch before: its last votes, and answers for those who are still in it. */
  #retired: EpochRun | null = null

  constructor(options: ConsensusNodeOptions) {
    this.#options = options
    const { rules, clock, pool, store, validator, tip, onFatal } = options
    this.#commits = new CommitWatch(logged(options.onCommitPair, options.logger))
    this.#outbox = validator === null ? null : new DurableOutbox(validator.log, onFatal)
    this.#figures = new AnswerFigureMeter(rules.parameters.blockBytesMax)
    this.#executor = new BlockExecutor({
      rules,
      final: { hash: tip.block.hash, stateRoot: tip.stateRoot },
      finalState: options.finalState,
      pool,
      stopwatch: () => clock.monotonicMs(),
    })
    this.#finalizer = new Finalizer({
      executor: this.#executor,
      store,
      pool,
      figures: this.#figures,
      clock,
      input: (input) => this.#afterCommit(input),
      onFinal: options.onFinal,
      onFatal,
    })
    const set = options.nextSet()
    const ballots = {
      genesisHash: rules.genesisHash,
      blockBytesMax: rules.parameters.blockBytesMax,
      self:
        validator === null
          ? null
          : { id: validator.id, committed: validator.recovered.commits, ...validator.ballots },
      judgement: (block: BlockHash, key: RequestKey) =>
        this.#executor.judgement(block, key) ?? options.judgement(key),
    }
    this.#ballots = new BallotBox(ballots, set.epoch)
    this.#ballots.final(tip.block.header.height)
    const isRoot = tip.block.header.height === 0 || tip.block.header.epoch !== set.epoch
    this.#run = this.#makeRun(set, tip.block, isRoot ? null : tip.finality, options.leaderRecord, null)
  }

  /** The validators of the epoch that is going on. */
  get electorate(): Electorate {
    return this.#run.electorate
  }

  /** This node's index among them; null when it follows. */
  get self(): ValidatorIndex | null {
    return this.#run.self
  }

  /** Begins to take part. Channel and gossip may already deliver. */
  start(): void {
    this.#options.onEpoch(this.electorate, this.self)
    this.#run.input({ kind: 'started' })
    this.#tellWork()
  }

  /** Takes no more inputs, waits for what is being written. */
  async stop(): Promise<void> {
    this.#retired?.stop()
    this.#run.stop()
    await this.#outbox?.settled()
    await this.#finalizer.settled()
  }

  /** Bytes from another validator's channel. */
  receive(from: ValidatorId, bytes: Uint8Array): IngressOutcome {
    this.#figures.transferred(bytes.length)
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) return 'malformed'
    const message = decoded.value
    const epoch = epochOfMessage(message)
    const { epoch: current } = this.#run
    if (epoch === current) return this.#run.take(from, message)
    if (epoch === null) {
      // Whoever asks may be in either epoch.
      this.#retired?.take(from, message)
      return this.#run.take(from, message)
    }
    if (epoch === this.#retired?.epoch) return this.#retired.take(from, message)
    if (epoch === current + 1) this.#early.keep(from, message, bytes.length)
    if (epoch > current) this.#options.sync.suspect()
    return 'ignored'
  }

  /** A validator's channel opened or closed. */
  reachabilityChanged(id: ValidatorId, isReachable: boolean): void {
    if (isReachable) this.#reachable.add(id)
    else this.#reachable.delete(id)
    for (const run of [this.#retired, this.#run]) {
      const validator = run?.electorate.indexOf(id) ?? null
      if (validator !== null) run?.input({ kind: 'reachability-changed', validator, isReachable })
    }
  }

  /** Requests have come into the pool. */
  workArrived(requestKeys: readonly RequestKey[]): void {
    const now = this.#options.clock.monotonicMs()
    for (const requestKey of requestKeys) this.#figures.arrived(requestKey, now)
    this.#hasTransactions = true
    // Every time: a leader that waits for work must hear of it.
    this.#hasWork = true
    this.#run.input({ kind: 'work-arrived' })
  }

  /** The pool has become empty. */
  workExhausted(): void {
    this.#hasTransactions = false
    this.#tellWork()
  }

  /**
   * A final block that was announced.
   * @returns accept: new and its certificate holds; ignore: known, or of an epoch to come; reject: it does not hold
   */
  announced(bytes: Uint8Array): 'accept' | 'ignore' | 'reject' {
    const decoded = decodeFinalAnnouncement(bytes)
    if (!decoded.ok) return 'reject'
    const { block, finality } = decoded.value
    if (block.header.height <= this.look().final.header.height) return 'ignore'
    // On the block itself it proves the block; on a descendant it only says how far the chain has come.
    if (finality.kind !== 'pre-commit' || finality.height < block.header.height) return 'reject'
    const isOwn = finality.height === block.header.height
    if (isOwn && finality.blockHash !== block.hash) return 'reject'
    if (finality.epoch > this.#run.epoch) {
      if (finality.epoch === this.#run.epoch + 1) this.#early.keepBlock(bytes)
      this.#options.sync.suspect()
      return 'ignore'
    }
    const verified = this.#run.verifier.verifyCertificate(finality)
    if (verified === null) return 'reject'
    this.take(isOwn ? [block] : [], verified)
    return 'accept'
  }

  /** Blocks that lead to a certified final block, from range sync or an announcement. */
  take(blocks: readonly HashedBlock[], finality: Verified<QuorumCertificate>): void {
    // While the first are executed the proofs of the others are verified: they are final, so none is for nothing.
    for (const block of blocks) void this.#options.proofs?.prepare(block)
    this.#run.input({ kind: 'blocks-received', blocks, finality })
  }

  /**
   * A pre-commit certificate in canonical bytes, checked.
   * @returns null when it does not hold; the height it claims when it is of an epoch whose validators are not known here yet
   */
  verifyFinality(bytes: Uint8Array): Verified<QuorumCertificate> | AheadCertificate | null {
    const decoded = decodeQuorumCertificate(bytes)
    if (!decoded.ok || decoded.value.kind !== 'pre-commit') return null
    if (decoded.value.epoch > this.#run.epoch) return { claimedHeight: decoded.value.height }
    return this.#run.verifier.verifyCertificate(decoded.value)
  }

  /** What an onlooker may know. */
  look(): ReplicaView {
    return this.#run.replica.look()
  }

  /** A block above the final one, for peers that ask. */
  unfinalBlock(hash: BlockHash): Uint8Array | null {
    return this.#run.replica.blockBytes(hash) ?? this.#retired?.replica.blockBytes(hash) ?? null
  }

  /** While verdicts are open the chain goes on, for their windows are heights; then it rests. */
  #tellWork(): void {
    const { rules, finalState } = this.#options
    const hasOpen = rules.verdicts === 'tallied' && isAtWork(finalState)
    const hasWork = this.#hasTransactions || hasOpen
    if (hasWork === this.#hasWork) return
    this.#hasWork = hasWork
    this.#run.input({ kind: hasWork ? 'work-arrived' : 'work-exhausted' })
  }

  #afterCommit(input: ConsensusInput): void {
    this.#run.input(input)
    this.#tellWork()
    if (input.kind === 'blocks-committed' && input.height === this.#run.epochEnd) this.#beginEpoch()
  }

  /** R13: the last block of the epoch is durable, and the state after it says who decides from here on. */
  #beginEpoch(): void {
    const { nextSet, onEpoch } = this.#options
    const before = this.#run
    const { final } = before.replica.look()
    this.#retired?.stop()
    this.#retired = before
    const set = nextSet()
    const period = periodOf(nextHeight(final.header.height), this.#options.rules.parameters)
    const weightless = weightlessIn(period, this.#options.finalState.voting, set.validators)
    this.#run = this.#makeRun(set, final, null, { weightless, turns: [] }, before.replica.pacemaker)
    this.#ballots.beginEpoch(this.#run.electorate.set.epoch)
    this.#commits.keepOnly(set.validators)
    onEpoch(this.electorate, this.self)
    this.#run.input({ kind: 'started' })
    for (const [index, { id }] of this.electorate.set.validators.entries()) {
      const validator = asValidatorIndex(index)
      if (this.#reachable.has(id))
        this.#run.input({ kind: 'reachability-changed', validator, isReachable: true })
    }
    if (this.#hasWork) this.#run.input({ kind: 'work-arrived' })
    for (const announcement of this.#early.takeBlocks()) this.announced(announcement)
    for (const { from, message } of this.#early.take()) {
      if (epochOfMessage(message) === this.#run.epoch) this.#run.take(from, message)
    }
  }

  #makeRun(
    validatorSet: ValidatorSet,
    final: HashedBlock,
    finality: QuorumCertificate | null,
    leaderRecord: LeaderRecord,
    pacemaker: Pacemaker | null,
  ): EpochRun {
    const { rules, validator, clock, observe, onVerified, onFatal, epochEndOf, signatures } = this.#options
    return new EpochRun({
      genesisHash: rules.genesisHash,
      parameters: rules.parameters,
      validatorSet,
      epochEnd: epochEndOf(validatorSet.epoch),
      validator,
      final,
      finality,
      leaderRecord,
      pacemaker,
      signatures: signatures(validatorSet),
      clock,
      effects: (run) => this.#effectOptions(run),
      observe,
      onVerified: (verified) => {
        const said = voteIn(verified)
        if (said !== null) this.#ballots.heard(said)
        if ('openings' in verified) this.#ballots.opened(verified)
        for (const vote of votesIn(verified)) {
          const validator = validatorSet.validators[vote.voter]
          if (validator !== undefined) this.#commits.heard(vote, validator)
        }
        onVerified?.(verified)
      },
      onFatal,
      timers: this.#options.timers,
      beforeEffect: this.#options.beforeEffect,
    })
  }

  #effectOptions(run: Parameters<EpochRunOptions['effects']>[0]): EffectHandlerOptions {
    const { rules, validator, clock, transport, fetcher, sync, proofs, onEquivocation } = this.#options
    const { onHalt, onFatal, logger } = this.#options
    const { self, electorate, timers, input } = run
    const outbox = this.#outbox
    return {
      genesisHash: rules.genesisHash,
      electorate,
      validator:
        validator === null || outbox === null || self === null
          ? null
          : {
              index: self,
              signer: validator.signer,
              log: validator.log,
              outbox,
              // Whoever asks for it: what counts is the epoch that is going on.
              snapshot: () => this.#run.replica.safetySnapshot(),
            },
      clock,
      timers,
      transport,
      executor: this.#executor,
      proofs,
      ballots: this.#ballots,
      finalizer: this.#finalizer,
      fetcher,
      sync,
      figures: this.#figures,
      input,
      onEquivocation,
      onHalt,
      onFatal,
      logger,
    }
  }
}
