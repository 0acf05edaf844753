/**
 * Executes blocks on their branches and builds new ones, with the time it took. The rules are the ledger's;
 * here is only which state a block runs on.
 */
import { BLOCK_OVERHEAD_BYTES } from '../codec/block.ts'
import { BranchStates } from '../ledger/branch-state.ts'
import { buildBlock, isGoodLater, type ProposedFields } from '../ledger/build-block.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import { checkBlock } from '../ledger/check-block.ts'
import type { ExecutedBlock, ParentBlock } from '../ledger/executed-block.ts'
import type { StateReader } from '../ledger/state-reader.ts'
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import { ok, type Result } from '../types/errors.ts'
import type { BlockHash, StateRoot } from '../types/primitives.ts'
import type { TransactionPool } from './ports.ts'

export interface ExecutorOptions {
  readonly rules: ChainRules
  readonly final: { readonly hash: BlockHash; readonly stateRoot: StateRoot }
  /** State after the last final block, live. */
  readonly finalState: StateReader
  readonly pool: TransactionPool
  /** Milliseconds with fractions, for measuring. */
  readonly stopwatch: () => number
}

/** An executed block with the time its transactions took to judge. */
export interface TimedExecution {
  readonly executed: ExecutedBlock
  readonly executionMs: number
}

export class BlockExecutor {
  readonly #options: ExecutorOptions
  readonly #branches: BranchStates
  readonly #timings = new Map<BlockHash, number>()
  #finalStateRoot: StateRoot

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#branches = new BranchStates(options.final.hash, options.finalState)
    this.#finalStateRoot = options.final.stateRoot
  }

  /** Executes a block on its parent, once. */
  check(block: HashedBlock, parent: HashedBlock): Result<ExecutedBlock> {
    const known = this.#branches.executed(block.hash)
    if (known !== null) return ok(known)
    const start = this.#options.stopwatch()
    const outcome = checkBlock(block, this.#parentOf(parent), this.#options.rules)
    if (outcome.ok) this.#keep(outcome.value, start)
    return outcome
  }

  /**
   * Builds a block from the pool; null when nothing waits and it may not be empty.
   * @param use `template`: it is not kept, for most templates never become blocks
   */
  build(
    fields: ProposedFields,
    parent: HashedBlock,
    isEmptyAllowed: boolean,
    use: 'proposal' | 'template' = 'proposal',
  ): ExecutedBlock | null {
    const { pool, rules, stopwatch } = this.#options
    const start = stopwatch()
    const on = this.#parentOf(parent)
    const candidates = pool.select({
      bytesMax: rules.parameters.blockBytesMax - BLOCK_OVERHEAD_BYTES,
      countMax: rules.parameters.blockTransactionsMax,
      exclude: (requestKey) => on.state.verdict(requestKey) !== null,
    })
    if (candidates.length === 0 && !isEmptyAllowed) return null
    const { executed, skipped } = buildBlock(fields, candidates, on, rules)
    pool.remove(skipped.filter((one) => !isGoodLater(one)).map(({ transaction }) => transaction))
    if (executed.block.transactions.length === 0 && !isEmptyAllowed) return null
    if (use === 'proposal') this.#keep(executed, start)
    return executed
  }

  /** What executing a block gave that is not final; null for any other. */
  executed(hash: BlockHash): ExecutedBlock | null {
    return this.#branches.executed(hash)
  }

  /** A block that will not be asked about again. */
  drop(hash: BlockHash): void {
    this.#timings.delete(hash)
    this.#branches.drop(hash)
  }

  /** An executed block that is not final yet. */
  take(hash: BlockHash): TimedExecution {
    const executed = this.#branches.executed(hash)
    assert(executed !== null, `block ${hash} is finalized before it is executed`)
    return { executed, executionMs: this.#timings.get(hash) ?? 0 }
  }

  /** The block's batch is durable: the final state shows it. */
  committed(executed: ExecutedBlock): void {
    const { hash } = executed.block
    this.#timings.delete(hash)
    for (const dropped of this.#branches.finalize(hash)) this.#timings.delete(dropped.block.hash)
    this.#finalStateRoot = executed.stateRoot
  }

  #parentOf(block: HashedBlock): ParentBlock {
    const { hash, header } = block
    const state = this.#branches.at(hash)
    const stateRoot =
      hash === this.#branches.finalHash ? this.#finalStateRoot : this.#branches.executed(hash)?.stateRoot
    assert(state !== null && stateRoot !== undefined, `the parent ${hash} has no executed state`)
    return { hash, header, state, stateRoot }
  }

  #keep(executed: ExecutedBlock, start: number): void {
    this.#branches.add(executed)
    this.#timings.set(executed.block.hash, this.#options.stopwatch() - start)
  }
}
