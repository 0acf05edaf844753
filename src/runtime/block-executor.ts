/**
 * Executes blocks on their branches and builds new ones, with the time it took. The rules are the ledger's;
 * here is only which state a block runs on.
 */
import { BLOCK_OVERHEAD_BYTES } from '../codec/block.ts'
import type { ExecutionOutcome } from '../consensus/input.ts'
import { BranchStates } from '../ledger/branch-state.ts'
import { buildBlock, isGoodLater, type ProposedFields } from '../ledger/build-block.ts'
import type { ChainRules } from '../ledger/chain-rules.ts'
import { checkBlock } from '../ledger/check-block.ts'
import type { ExecutedBlock, ParentBlock } from '../ledger/executed-block.ts'
import { checkPlace } from '../ledger/shielded/check-shielded.ts'
import type { StateReader } from '../ledger/state-reader.ts'
import { isFinalWithNext } from '../ledger/verdicts/final-with-next.ts'
import { weightlessAfter } from '../ledger/verdicts/leaders.ts'
import { isAtWork, isOpen } from '../ledger/verdicts/open-requests.ts'
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import { ok, type Result } from '../types/errors.ts'
import { type BlockHash, nextHeight, type RequestKey, type StateRoot } from '../types/primitives.ts'
import type { BallotsTransaction, HashedTransaction } from '../types/transaction.ts'
import type { Judgement, RuleFailure } from '../types/verdict.ts'
import type { VerdictVoting } from '../types/voting.ts'
import { BlockSize } from './block-size.ts'
import type { TransactionPool } from './ports.ts'

/** Executing a block may take this part of the minimal view timeout: a view has three delays and a signature more. */
const EXECUTION_PARTS = 4

export interface ExecutorOptions {
  readonly rules: ChainRules
  readonly final: { readonly hash: BlockHash; readonly stateRoot: StateRoot }
  /** State after the last final block, live. */
  readonly finalState: StateReader
  readonly pool: TransactionPool
  /** Milliseconds with fractions, for measuring. */
  readonly stopwatch: () => number
}

/** What a block is built for, and the ballots that go into it. */
export interface BuildUse {
  readonly use: 'proposal' | 'template'
  readonly ballots: HashedTransaction<BallotsTransaction> | null
  /** Not with ballots alone, and not empty: what is missing for it is on its way. */
  readonly mustHoldMore?: boolean
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
  readonly #size: BlockSize
  #finalStateRoot: StateRoot

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#branches = new BranchStates(options.final.hash, options.finalState)
    this.#finalStateRoot = options.final.stateRoot
    const { viewTimeoutMinMs, blockTransactionsMax } = options.rules.parameters
    this.#size = new BlockSize(viewTimeoutMinMs / EXECUTION_PARTS, blockTransactionsMax)
  }

  /** Whether there is a state to execute a child of this block on. */
  hasStateOf(hash: BlockHash): boolean {
    return this.#branches.at(hash) !== null
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
   * Builds a block from the pool; null when nothing waits and it may not be empty. While verdicts are open there is
   * always something to do: their windows are heights.
   * @param use `template`: it is not kept, for most templates never become blocks
   */
  build(
    fields: ProposedFields,
    parent: HashedBlock,
    isEmptyAllowed: boolean,
    { use, ballots, mustHoldMore = false }: BuildUse = { use: 'proposal', ballots: null },
  ): ExecutedBlock | null {
    const { pool, rules, stopwatch } = this.#options
    const start = stopwatch()
    const on = this.#parentOf(parent)
    const mayBeEmpty = isEmptyAllowed || (rules.verdicts === 'tallied' && isAtWork(on.state))
    const held = this.#heldBy(parent.hash)
    const place = shieldedPlace(on)
    const candidates = pool.select({
      bytesMax: rules.parameters.blockBytesMax - BLOCK_OVERHEAD_BYTES - (ballots?.bytes.length ?? 0),
      countMax: this.#size.max,
      exclude: ({ requestKey, transaction }) =>
        held.has(requestKey) ||
        on.state.verdict(requestKey) !== null ||
        isOpen(on.state.voting, requestKey) ||
        (transaction.kind === 'shielded' && checkPlace(transaction, place) !== null),
    })
    if (candidates.length === 0 && (mustHoldMore || !mayBeEmpty)) return null
    const offered = ballots === null ? candidates : [ballots, ...candidates]
    const { executed, skipped } = buildBlock(fields, offered, on, rules)
    pool.remove(skipped.filter((one) => !isGoodLater(one)).map(({ transaction }) => transaction))
    if (executed.block.transactions.length === 0 && !mayBeEmpty) return null
    if (use === 'proposal') this.#keep(executed, start)
    return executed
  }

  /** Verdicts and trust after a block that is final last or was executed here; null for any other. */
  votingAfter(hash: BlockHash): VerdictVoting | null {
    return this.#branches.at(hash)?.voting ?? null
  }

  /** What consensus has to know about an executed block. */
  outcomeOf({ block, changes, stateRoot }: ExecutedBlock): ExecutionOutcome {
    const { parameters, verdicts } = this.#options.rules
    const { voting, staking } = changes
    return {
      stateRoot,
      weightless: weightlessAfter(block.header.height, voting, staking.validators, parameters),
      isFinalWithNext: verdicts === 'tallied' && isFinalWithNext(block, changes),
    }
  }

  /** What this node's rules found about a request of a block that is not final; null for any other. */
  judgement(hash: BlockHash, requestKey: RequestKey): readonly RuleFailure[] | null {
    const executed = this.#branches.executed(hash)
    return executed === null ? null : (failuresIn(executed.changes.judgements).get(requestKey) ?? null)
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

  /** What the branch that ends in a block holds above the last final one: the pool has all of it until it is final. */
  #heldBy(hash: BlockHash): ReadonlySet<RequestKey> {
    const held = new Set<RequestKey>()
    for (
      let executed = this.#branches.executed(hash);
      executed !== null;
      executed = this.#branches.executed(executed.block.header.parentHash)
    ) {
      for (const { requestKey } of executed.block.transactions) held.add(requestKey)
    }
    return held
  }

  #keep(executed: ExecutedBlock, start: number): void {
    this.#branches.add(executed)
    const tookMs = this.#options.stopwatch() - start
    this.#timings.set(executed.block.hash, tookMs)
    this.#size.executed(executed.block.transactions.length, tookMs)
  }
}

/** Where a shielded transaction would stand in a child of this block. */
function shieldedPlace({ header, state }: ParentBlock): Parameters<typeof checkPlace>[1] {
  return {
    height: nextHeight(header.height),
    shielded: state.accumulators.shielded,
    hasNullifier: (nullifier) => state.hasNullifier(nullifier),
  }
}

const failuresByKey = new WeakMap<readonly Judgement[], ReadonlyMap<RequestKey, readonly RuleFailure[]>>()

/** A block's judgements by request, indexed once: ballots ask for all of them. */
function failuresIn(judgements: readonly Judgement[]): ReadonlyMap<RequestKey, readonly RuleFailure[]> {
  const known = failuresByKey.get(judgements)
  if (known !== undefined) return known
  const made = new Map(judgements.map(({ requestKey, failures }) => [requestKey, failures]))
  failuresByKey.set(judgements, made)
  return made
}
