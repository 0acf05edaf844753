/**
 * What a BFT node does beside its replica when nothing becomes final any more (F1 to F5): mines a provisional
 * chain on its last final block, and keeps that chain's order for the time when there is a quorum again. It has
 * no replica, signer or safety log in its hands.
 */
import type { PowTimerName } from '../../consensus/pow/effect.ts'
import { Fallback } from '../../consensus/pow/fallback.ts'
import { type PowView, rootOn } from '../../consensus/pow/pow-engine.ts'
import { provisionalTransactions, type Reconciled, reconcile } from '../../consensus/pow/provisional-order.ts'
import type { ChainRules } from '../../ledger/chain-rules.ts'
import type { StateReader } from '../../ledger/state-reader.ts'
import type { HashedBlock } from '../../types/block.ts'
import type { SealedBlock, SealHash } from '../../types/pow.ts'
import type { RequestKey, StateRoot } from '../../types/primitives.ts'
import type { HashedTransaction } from '../../types/transaction.ts'
import { BlockExecutor } from '../block-executor.ts'
import type { TransactionPool } from '../ports.ts'
import { PowShell, type PowShellOptions, type PowVerdict } from './pow-shell.ts'

export interface FinalPoint {
  readonly block: HashedBlock
  /** After the block. */
  readonly stateRoot: StateRoot
}

export interface FallbackMinerOptions
  extends Pick<
    PowShellOptions,
    'mining' | 'clockSkewMaxMs' | 'clock' | 'miner' | 'network' | 'timers' | 'proofs' | 'observe' | 'onFatal'
  > {
  readonly afterMs: number
  readonly rules: ChainRules
  readonly final: FinalPoint
  /** State after the last block that is final and durable, live. */
  readonly finalState: StateReader
  /** Whether a transaction cannot be in a block any more, the final state being as it is. */
  readonly isHopeless: (transaction: HashedTransaction) => boolean
  readonly pool: TransactionPool
  /** Calls back once after a time; a later call replaces it, `null` cancels it. */
  readonly wake: (delayMs: number | null, run: () => void) => void
  /** BFT made blocks final: what that means for the chain that was mined. */
  readonly onReconciled: (reconciled: Reconciled) => void
}

/** Mined and not final; more are left to the mempool's own order. */
const ORDER_MAX = 100_000

export class FallbackMiner {
  readonly #options: FallbackMinerOptions
  readonly #fallback: Fallback
  readonly #shell: PowShell
  #executor: BlockExecutor
  /** Of chains that have ended, in their order. */
  #leftOver: HashedTransaction[] = []
  /** The chain that ended last, as far as it is neither final nor contradicted. */
  #ended: readonly SealedBlock[] = []
  /** Requests that BFT has made final since that chain began. */
  #ordered: RequestKey[] = []

  constructor(options: FallbackMinerOptions) {
    this.#options = options
    const { mining, clockSkewMaxMs, clock, miner, network, timers, proofs, observe, onFatal } = options
    this.#fallback = new Fallback(options.afterMs, clock.monotonicMs())
    this.#executor = this.#executorOn(options.final)
    this.#shell = new PowShell({
      mining,
      clockSkewMaxMs,
      epochBlocks: options.rules.parameters.epochBlocks,
      root: rootOn(options.final.block),
      depth: 'provisional',
      executor: {
        check: (block, parent) => this.#executor.check(block, parent),
        hasStateOf: (hash) => this.#executor.hasStateOf(hash),
        build: (fields, parent, isEmptyAllowed, use) =>
          this.#executor.build(fields, parent, isEmptyAllowed, use),
        take: (hash) => this.#executor.take(hash),
        committed: (executed) => this.#executor.committed(executed),
        drop: (hash) => this.#executor.drop(hash),
      },
      proofs,
      clock,
      miner,
      network,
      timers,
      observe,
      onFatal,
      // Nothing of it outlives the process: after a restart the others still have it, or it is mined again.
      store: { keep: () => {}, forget: () => {}, settle: () => Promise.resolve() },
      listener: { switched: () => {} },
    })
  }

  start(): void {
    this.#shell.start()
    this.#decide()
  }

  async stop(): Promise<void> {
    this.#options.wake(null, () => {})
    await this.#shell.stop()
  }

  /** A mined block of a peer. Taken whether we mine or not: the others may have lost sight of a quorum before us. */
  received(sealed: SealedBlock, from: string | null): PowVerdict | Promise<PowVerdict> {
    return this.#shell.received(sealed, from)
  }

  timerExpired(timer: PowTimerName): void {
    this.#shell.input({ kind: 'timer-expired', timer })
  }

  sealedBlock(hash: SealHash): SealedBlock | null {
    return this.#shell.sealedBlock(hash)
  }

  look(): PowView {
    return this.#shell.look()
  }

  /** Mined and not final, oldest first: what a leader proposes first (F3). */
  order(): HashedTransaction[] {
    return [...this.#leftOver, ...provisionalTransactions(this.#shell.chain())]
  }

  /** Blocks became final and durable, in order of height. */
  finalMoved(points: readonly FinalPoint[]): void {
    const last = points.at(-1)
    if (last === undefined) return
    const { finalState, isHopeless, clock } = this.#options
    const ordered = points.flatMap(({ block }) => block.transactions.map(({ requestKey }) => requestKey))
    const isFinal = new Set<string>(ordered)
    this.#reconcile(ordered)
    this.#leftOver = this.order()
      .filter(
        (transaction) =>
          !isFinal.has(transaction.requestKey) &&
          finalState.verdict(transaction.requestKey) === null &&
          !isHopeless(transaction),
      )
      .slice(0, ORDER_MAX)
    this.#shell.input({ kind: 'mining-wanted', isWanted: false })
    this.#executor = this.#executorOn(last)
    this.#shell.input({ kind: 'final-moved', block: last.block })
    this.#fallback.finalMoved(clock.monotonicMs())
    this.#decide()
  }

  #reconcile(ordered: readonly RequestKey[]): void {
    const chain = this.#shell.chain()
    if (chain.length > 0) {
      // What an earlier outage left is told of no more; its order is in what is left over.
      this.#ended = chain
      this.#ordered = []
    }
    if (this.#ended.length === 0) return
    this.#ordered.push(...ordered)
    const reconciled = reconcile(this.#ended, this.#ordered)
    this.#options.onReconciled(reconciled)
    const { finalized, rest, isContradicted } = reconciled
    const done = new Set(provisionalTransactions(finalized).map(({ requestKey }) => requestKey))
    this.#ended = isContradicted ? [] : rest
    this.#ordered =
      this.#ended.length === 0 ? [] : this.#ordered.filter((requestKey) => !done.has(requestKey))
  }

  #decide(): void {
    const { clock, wake } = this.#options
    const { isMiningWanted, askAgainMs } = this.#fallback.decide(clock.monotonicMs())
    this.#shell.input({ kind: 'mining-wanted', isWanted: isMiningWanted })
    wake(askAgainMs, () => this.#decide())
  }

  #executorOn({ block, stateRoot }: FinalPoint): BlockExecutor {
    const { rules, finalState, pool, clock } = this.#options
    return new BlockExecutor({
      // Without a quorum there are no ballots: what is mined is provisional, and so are its verdicts.
      rules: { ...rules, verdicts: 'executed' },
      final: { hash: block.hash, stateRoot },
      finalState,
      pool,
      stopwatch: () => clock.monotonicMs(),
    })
  }
}
