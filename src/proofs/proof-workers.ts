/**
 * Verifies proofs of shielded transactions in threads beside the main one, many at a time, and tells the verdicts to all
 * who ask: blocks first, then what wants to wait for one. Threads begin with the first proof.
 */
import { availableParallelism } from 'node:os'
import type { Logger } from '../types/logger.ts'
import type { Hex32 } from '../types/primitives.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'
import { PROOF_WORKER, ProofThread, type ThreadEnd } from './proof-thread.ts'
import type { ProofVerdicts } from './proof-verdicts.ts'
import { packStatement } from './statement-bytes.ts'

/** For whom a proof is verified: a block that others wait for, or the pool. */
export type Urgency = 'block' | 'pool'

export interface ProofWorkersOptions {
  readonly verdicts: ProofVerdicts
  /** Threads at the most; two, or as many as there are processors. */
  readonly threadsMax?: number
  /** What may wait for a thread; more is not taken. */
  readonly waitingMax?: Readonly<Record<Urgency, number>>
  /** A thread that is silent for so long has hung; 10 s. */
  readonly silentMaxMs?: number
  /** The file that a thread runs, when it is not this package's. */
  readonly entry?: URL
  /** Told whenever the number of those that wait has changed. */
  readonly onWaiting?: (count: number) => void
  readonly onEnded?: (end: ThreadEnd) => void
  readonly logger: Logger
}

/** A range of blocks that is being caught up with, or the largest block there can be; and a moment's transactions. */
const WAITING_MAX: Readonly<Record<Urgency, number>> = { block: 8_192, pool: 256 }
/** What a thread has been given at once: it goes on while its answer is on the way. */
const GIVEN_MAX = 2
const SILENT_MAX_MS = 10_000
/** A proof whose thread died so often is verified here. */
const ATTEMPTS_MAX = 2
/** So many threads in a row without one answer, and no more are begun for a while. */
const FAILURES_MAX = 4
const REST_MS = 60_000

interface Job {
  readonly hash: Hex32
  readonly transaction: ShieldedTransaction
  readonly verdict: PromiseWithResolvers<boolean | null>
  urgency: Urgency
  attempts: number
}

export class ProofWorkers {
  readonly #options: ProofWorkersOptions
  readonly #threadsMax: number
  readonly #threads = new Set<ProofThread<Job>>()
  /** Whatever has no verdict yet, wherever it is. */
  readonly #jobs = new Map<Hex32, Job>()
  readonly #waiting: Record<Urgency, Map<Hex32, Job>> = { block: new Map(), pool: new Map() }
  /** To be verified in this thread, one in each turn. */
  readonly #here: Job[] = []
  #turn: NodeJS.Immediate | undefined
  #failuresInRow = 0
  #restsUntilMs = 0
  #isStopped = false

  constructor(options: ProofWorkersOptions) {
    this.#options = options
    this.#threadsMax = options.threadsMax ?? Math.min(2, availableParallelism())
  }

  /** Proofs that wait for a thread. */
  get waiting(): number {
    return this.#waiting.block.size + this.#waiting.pool.size
  }

  /**
   * The verdict on a proof, remembered from here on. One that several ask for is verified once.
   * @returns null when there is no room, or nobody to verify it any more; it never rejects
   */
  verify(transaction: ShieldedTransaction, urgency: Urgency): Promise<boolean | null> {
    const { verdicts, waitingMax = WAITING_MAX } = this.#options
    const hash = verdicts.hashOf(transaction)
    const known = verdicts.known(hash)
    if (known !== null || this.#isStopped) return Promise.resolve(known)
    const underWay = this.#jobs.get(hash)
    if (underWay !== undefined) {
      if (urgency === 'block') this.#hurry(underWay)
      return underWay.verdict.promise
    }
    if (this.#waiting[urgency].size >= waitingMax[urgency]) return Promise.resolve(null)
    const job = { hash, transaction, urgency, attempts: 0, verdict: Promise.withResolvers<boolean | null>() }
    this.#jobs.set(hash, job)
    this.#waiting[urgency].set(hash, job)
    this.#handOut()
    return job.verdict.promise
  }

  /** Ends the threads. What has no verdict gets none. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearImmediate(this.#turn)
    this.#here.length = 0
    for (const queue of Object.values(this.#waiting)) queue.clear()
    for (const job of this.#jobs.values()) job.verdict.resolve(null)
    this.#jobs.clear()
    const threads = [...this.#threads]
    this.#threads.clear()
    await Promise.all(threads.map((thread) => thread.stop()))
  }

  #hurry(job: Job): void {
    if (!this.#waiting.pool.delete(job.hash)) return
    job.urgency = 'block'
    this.#waiting.block.set(job.hash, job)
  }

  #handOut(): void {
    for (;;) {
      const [job] = this.#waiting.block.size > 0 ? this.#waiting.block.values() : this.#waiting.pool.values()
      if (job === undefined) break
      const isResting = performance.now() < this.#restsUntilMs
      const thread = isResting ? undefined : this.#freeThread()
      if (!isResting && thread === undefined) break
      this.#waiting[job.urgency].delete(job.hash)
      if (thread === undefined) this.#verifyHere(job)
      else thread.give(job)
    }
    this.#options.onWaiting?.(this.waiting)
  }

  /** One with nothing to do, or a new one, or one that will soon have nothing to do. */
  #freeThread(): ProofThread<Job> | undefined {
    let freest: ProofThread<Job> | undefined
    for (const thread of this.#threads) if (freest === undefined || thread.load < freest.load) freest = thread
    if (freest?.load === 0) return freest
    if (this.#threads.size < this.#threadsMax) {
      try {
        return this.#begin()
      } catch (error) {
        // The system gives no more threads: the same as one that died at once.
        this.#ended('crashed', [], String(error))
        return undefined
      }
    }
    return freest !== undefined && freest.load < GIVEN_MAX ? freest : undefined
  }

  #begin(): ProofThread<Job> {
    const { entry = PROOF_WORKER, silentMaxMs = SILENT_MAX_MS } = this.#options
    const thread: ProofThread<Job> = new ProofThread({
      entry,
      silentMaxMs,
      statementOf: (job) => packStatement(job.transaction),
      answered: (job, isRight) => {
        this.#failuresInRow = 0
        this.#options.verdicts.found(job.hash, isRight)
        this.#done(job, isRight)
        this.#handOut()
      },
      ended: (end, unanswered, detail) => {
        this.#threads.delete(thread)
        this.#ended(end, unanswered, detail)
      },
    })
    this.#threads.add(thread)
    return thread
  }

  #ended(end: ThreadEnd, unanswered: readonly Job[], detail: string): void {
    const { logger, onEnded } = this.#options
    onEnded?.(end)
    logger.warn({ end, detail, proofs: unanswered.length }, 'a thread that verifies proofs is replaced')
    this.#failuresInRow++
    if (this.#failuresInRow >= FAILURES_MAX) {
      this.#failuresInRow = 0
      this.#restsUntilMs = performance.now() + REST_MS
      logger.error({ restMs: REST_MS, detail }, 'proofs are verified on the main thread for a while')
    }
    for (const job of unanswered) {
      job.attempts++
      if (job.attempts >= ATTEMPTS_MAX) this.#verifyHere(job)
      else this.#waiting[job.urgency].set(job.hash, job)
    }
    this.#handOut()
  }

  #verifyHere(job: Job): void {
    this.#here.push(job)
    this.#turn ??= setImmediate(() => this.#takeTurn())
  }

  #takeTurn(): void {
    this.#turn = undefined
    const job = this.#here.shift()
    if (job === undefined) return
    try {
      this.#done(job, this.#options.verdicts.verify(job.transaction))
    } catch (error) {
      // What no thread survived is no reason for the process to end; whoever asked goes without a verdict.
      this.#options.logger.error({ error, hash: job.hash }, 'a proof could not be verified')
      this.#done(job, null)
    }
    if (this.#here.length > 0) this.#turn ??= setImmediate(() => this.#takeTurn())
  }

  #done(job: Job, verdict: boolean | null): void {
    this.#jobs.delete(job.hash)
    job.verdict.resolve(verdict)
  }
}
