/**
 * Writes final blocks, one after the other, and tells the rest of the node when they are durable. A failed
 * write stops the process: what is final and not written would be lost.
 */
import type { ConsensusInput } from '../consensus/input.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { FinalizedBlock } from '../types/ledger-state.ts'
import type { AnswerFigureMeter } from './answer-figures.ts'
import type { BlockExecutor } from './block-executor.ts'
import type { Clock, FinalListener, FinalStore, TransactionPool } from './ports.ts'

export interface FinalizerOptions {
  readonly executor: BlockExecutor
  readonly store: FinalStore
  readonly pool: TransactionPool
  readonly figures: AnswerFigureMeter
  readonly clock: Clock
  readonly input: (input: ConsensusInput) => void
  readonly onFinal: FinalListener
  readonly onFatal: (error: unknown) => void
}

export class Finalizer {
  readonly #options: FinalizerOptions
  #last: Promise<void> = Promise.resolve()
  #hasFailed = false

  constructor(options: FinalizerOptions) {
    this.#options = options
  }

  /** Queues blocks that are final, in order of height; all have been executed. */
  finalize(
    blocks: readonly HashedBlock[],
    fillers: readonly HashedBlock[],
    certificate: QuorumCertificate,
  ): void {
    this.#queue(() => this.#commit(blocks, fillers, certificate))
  }

  /** Queues a commit certificate behind the blocks. */
  storeCommitCertificate(certificate: QuorumCertificate): void {
    this.#queue(() => this.#options.store.putCommitCertificate(certificate))
  }

  /** Resolves when everything queued so far is written. */
  settled(): Promise<void> {
    return this.#last
  }

  /** After a failure nothing is written: a later block on disk without the ones before it would be worse. */
  #queue(write: () => Promise<void>): void {
    this.#last = this.#last
      .then(() => (this.#hasFailed ? undefined : write()))
      .catch((error: unknown) => {
        this.#hasFailed = true
        this.#options.onFatal(error)
      })
  }

  async #commit(
    blocks: readonly HashedBlock[],
    fillers: readonly HashedBlock[],
    certificate: QuorumCertificate,
  ): Promise<void> {
    const { executor, store, pool, figures, clock, input, onFinal } = this.#options
    const now = clock.monotonicMs()
    const executions = blocks.map((block) => executor.take(block.hash))
    const finalized: FinalizedBlock[] = executions.map((execution, i) => ({
      block: execution.executed.block,
      stateRoot: execution.executed.stateRoot,
      changes: execution.executed.changes,
      finality: certificate,
      fillers: i === blocks.length - 1 ? fillers : [],
      answers: figures.measure(execution, now),
    }))
    await store.commitFinalized(finalized)
    for (const { executed } of executions) executor.committed(executed)
    for (const { transactions } of blocks) pool.remove(transactions)
    onFinal(finalized)
    for (const { block, stateRoot } of finalized) {
      const { view, height, timestamp } = block.header
      input({ kind: 'blocks-committed', view, height, timestamp, blockHash: block.hash, stateRoot })
    }
  }
}
