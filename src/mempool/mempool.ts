/**
 * Transactions that wait for a block: bounded in number, bytes and per source, first in first out. It judges
 * nothing: whether a request is Valid is the ledger's word. It never drops a transaction to make room for another
 * one, so whatever was admitted ends in a block, or is reported as expired.
 *
 * Two requests with one nonce of one node may wait here side by side. Both callers are owed a verdict, and only
 * the ledger can give it: the first in the order of the chain is judged by its merits, the second is Invalid
 * ("replayed"). Dropping one here would leave its caller without an answer and let whoever is first to a node
 * decide which.
 */

import type { TransactionRefusal } from '../ledger/execution.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import type { MonotonicMs, Nullifier, RequestKey } from '../types/primitives.ts'
import { type HashedTransaction, isValidation } from '../types/transaction.ts'

export interface MempoolLimits {
  readonly countMax: number
  /** Canonical bytes of all waiting transactions. */
  readonly bytesMax: number
  /** The same for what one source brought. */
  readonly countPerSourceMax: number
  readonly bytesPerSourceMax: number
  /** How long a transaction may wait. */
  readonly timeToLiveMs: number
}

export type AdmitRefusal =
  | 'already-final'
  | 'ballots-in-pool'
  | 'too-large'
  | 'source-budget'
  | 'full'
  | 'nullifier-waiting'
  | TransactionRefusal

/** What the mempool needs of its owner. */
export interface MempoolPorts {
  now(): MonotonicMs
  /** Whether the transaction is in a final block, with or without its verdict. */
  isFinal(requestKey: RequestKey, transaction: HashedTransaction): boolean
  /** Why a transaction without a verdict cannot be in a block soon, signatures included; null when it can. */
  refusal(transaction: HashedTransaction): Refusal<TransactionRefusal> | null
  /** Transactions that waited too long, oldest first. Called at most once for each. */
  expired(transactions: readonly HashedTransaction[]): void
}

/** What a proposer asks for. */
export interface Selection {
  /** Canonical bytes of the selected transactions together. */
  readonly bytesMax: number
  readonly countMax: number
  /** True for what is in a block already that is not final, or cannot be in the block that is asked for. */
  readonly exclude: (transaction: HashedTransaction) => boolean
}

/**
 * Parts of a selection that transactions without a verdict take at most: whoever floods with them delays no request.
 * Shielded ones are large, and pay a fee.
 */
const SHARES = { shielded: 2, others: 4 } as const

interface Entry {
  readonly transaction: HashedTransaction
  readonly source: string | null
  readonly expiresAt: MonotonicMs
}

interface Usage {
  count: number
  bytes: number
}

export class Mempool {
  readonly #limits: MempoolLimits
  readonly #ports: MempoolPorts
  // In order of admission. A key names what a transaction is about: a request with its exact content, an offence
  // whatever the signatures that prove it. One for each is enough.
  readonly #entries = new Map<RequestKey, Entry>()
  /** Of the shielded transactions: two that spend one note never both wait. */
  readonly #spenders = new Map<Nullifier, RequestKey>()
  /** Keys of the entries that get no verdict. */
  readonly #others = new Set<RequestKey>()
  readonly #total: Usage = { count: 0, bytes: 0 }
  readonly #bySource = new Map<string, Usage>()
  readonly #listeners = new Set<(hasTransactions: boolean) => void>()

  constructor(limits: MempoolLimits, ports: MempoolPorts) {
    this.#limits = limits
    this.#ports = ports
  }

  /** Waiting transactions. */
  get size(): number {
    return this.#total.count
  }

  /** Their canonical bytes. */
  get bytes(): number {
    return this.#total.bytes
  }

  has(requestKey: RequestKey): boolean {
    return this.#entries.has(requestKey)
  }

  /** Whether this very transaction waits, not another one under its key. */
  holds({ requestKey, hash }: Pick<HashedTransaction, 'requestKey' | 'hash'>): boolean {
    return this.#entries.get(requestKey)?.transaction.hash === hash
  }

  /**
   * Takes a transaction in.
   * @param source whose budget it counts against: a peer's name; null for what this node's own clients sent,
   *   whose rate is limited where they connect
   * @returns `known` when it waits already, which is no fault of the one who sent it
   */
  admit(transaction: HashedTransaction, source: string | null): Result<'added' | 'known', AdmitRefusal> {
    const examined = this.examine(transaction, source, (asked) => this.#ports.refusal(asked))
    if (!examined.ok) return examined
    if (examined.value === 'known') return ok('known')
    const { requestKey, bytes } = transaction
    if (!isValidation(transaction)) this.#others.add(requestKey)
    for (const nullifier of nullifiersOf(transaction)) this.#spenders.set(nullifier, requestKey)
    const expiresAt = (this.#ports.now() + this.#limits.timeToLiveMs) as MonotonicMs
    const wasEmpty = this.#total.count === 0
    this.#entries.set(requestKey, { transaction, source, expiresAt })
    this.#count(source, 1, bytes.length)
    if (wasEmpty) this.#notify()
    return ok('added')
  }

  /**
   * What {@link admit} would say of a transaction, which is not taken in.
   * @param refusalOf asked in place of the port `refusal`, and of what gets no verdict only
   */
  examine(
    transaction: HashedTransaction,
    source: string | null,
    refusalOf: MempoolPorts['refusal'],
  ): Result<'new' | 'known', AdmitRefusal> {
    const { requestKey, bytes } = transaction
    if (this.#entries.has(requestKey)) return ok('known')
    if (transaction.transaction.kind === 'ballots') {
      return refuse('ballots-in-pool', 'ballots travel in votes; who makes a block makes their transaction')
    }
    if (this.#ports.isFinal(requestKey, transaction)) {
      return refuse('already-final', `transaction ${requestKey} is in a final block`)
    }
    this.expire()
    const refusal = this.#overBudget(bytes.length, source)
    if (refusal !== null) return refusal
    if (isValidation(transaction)) return ok('new')
    const spender = this.#spenderOf(transaction)
    if (spender !== null) {
      return refuse('nullifier-waiting', `transaction ${spender} waits, and spends a note of this one`)
    }
    // The dearest check last: there are signatures and proofs in it.
    return refusalOf(transaction) ?? ok('new')
  }

  /**
   * The oldest transactions that fit. One that does not fit is passed over for now, and stays the first in line
   * for the next selection.
   */
  select(selection: Selection): HashedTransaction[] {
    const selected: HashedTransaction[] = []
    let bytes = 0
    const left = {
      shielded: Math.floor(selection.bytesMax / SHARES.shielded),
      others: Math.floor(selection.bytesMax / SHARES.others),
    }
    for (const { transaction } of this.#entries.values()) {
      if (selected.length >= selection.countMax) break
      const grown = bytes + transaction.bytes.length
      if (grown > selection.bytesMax || selection.exclude(transaction)) continue
      if (this.#others.has(transaction.requestKey)) {
        const share = transaction.transaction.kind === 'shielded' ? 'shielded' : 'others'
        if (transaction.bytes.length > left[share]) continue
        left[share] -= transaction.bytes.length
      }
      selected.push(transaction)
      bytes = grown
    }
    return selected
  }

  /**
   * Removes transactions without a verdict that have become impossible. Call when the final state has moved.
   * @param isHopeless asked once for each that waits
   */
  review(isHopeless: (transaction: HashedTransaction) => boolean): void {
    const hopeless: HashedTransaction[] = []
    for (const requestKey of this.#others) {
      const transaction = this.#entries.get(requestKey)?.transaction
      if (transaction !== undefined && isHopeless(transaction)) hopeless.push(transaction)
    }
    this.remove(hopeless)
  }

  /** Forgets transactions that are final, or that no block may hold. Unknown ones do not matter. */
  remove(transactions: Iterable<{ readonly requestKey: RequestKey }>): void {
    const wasEmpty = this.#total.count === 0
    for (const { requestKey } of transactions) this.#delete(requestKey)
    if (!wasEmpty && this.#total.count === 0) this.#notify()
  }

  /** Removes what has waited too long and reports it. The owner calls this now and then; admitting does it too. */
  expire(): void {
    const now = this.#ports.now()
    const expired: HashedTransaction[] = []
    // All live equally long, so the oldest expire first.
    for (const { transaction, expiresAt } of this.#entries.values()) {
      if (expiresAt > now) break
      expired.push(transaction)
    }
    if (expired.length === 0) return
    this.remove(expired)
    this.#ports.expired(expired)
  }

  /** Calls `listener` whenever the mempool ceases or begins to be empty. Returns the way to stop that. */
  onChange(listener: (hasTransactions: boolean) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #spenderOf(transaction: HashedTransaction): RequestKey | null {
    for (const nullifier of nullifiersOf(transaction)) {
      const spender = this.#spenders.get(nullifier)
      if (spender !== undefined) return spender
    }
    return null
  }

  #overBudget(bytes: number, source: string | null): ReturnType<typeof refuse<AdmitRefusal>> | null {
    const { countMax, bytesMax, countPerSourceMax, bytesPerSourceMax } = this.#limits
    if (bytes > Math.min(bytesMax, bytesPerSourceMax)) {
      return refuse('too-large', `${bytes} bytes are more than any budget`)
    }
    const used = source === null ? undefined : this.#bySource.get(source)
    if (used !== undefined && (used.count >= countPerSourceMax || used.bytes + bytes > bytesPerSourceMax)) {
      return refuse(
        'source-budget',
        `${used.count} transactions of ${used.bytes} bytes wait from this source`,
      )
    }
    if (this.#total.count >= countMax || this.#total.bytes + bytes > bytesMax) {
      return refuse('full', `${this.#total.count} transactions of ${this.#total.bytes} bytes wait`)
    }
    return null
  }

  #delete(requestKey: RequestKey): void {
    const entry = this.#entries.get(requestKey)
    if (entry === undefined) return
    this.#entries.delete(requestKey)
    this.#others.delete(requestKey)
    for (const nullifier of nullifiersOf(entry.transaction)) this.#spenders.delete(nullifier)
    this.#count(entry.source, -1, -entry.transaction.bytes.length)
  }

  #count(source: string | null, count: number, bytes: number): void {
    this.#total.count += count
    this.#total.bytes += bytes
    if (source === null) return
    const used = this.#bySource.get(source) ?? { count: 0, bytes: 0 }
    used.count += count
    used.bytes += bytes
    if (used.count === 0) this.#bySource.delete(source)
    else this.#bySource.set(source, used)
  }

  #notify(): void {
    const hasTransactions = this.#total.count > 0
    for (const listener of this.#listeners) listener(hasTransactions)
  }
}

/** Of the notes that a transaction spends: none but shielded ones spend any by themselves. */
function nullifiersOf({ transaction }: HashedTransaction): readonly Nullifier[] {
  return transaction.kind === 'shielded' ? transaction.nullifiers : []
}
