/**
 * Transactions that were decoded lately, by hash: gossip brings each once and its block once more. Nothing depends on
 * what is remembered but the time it takes; values are never changed in place.
 */
import type { TransactionHash } from '../types/primitives.ts'
import type { HashedTransaction } from '../types/transaction.ts'

/** Canonical bytes of one generation. Decoded they take some ten times as much. */
const GENERATION_BYTES_MAX = 1024 * 1024
/** Decoded a shielded transaction, nearly all proof, takes twice its bytes: it counts for so much less. */
const SHIELDED_SHARE = 5

export class RecentTransactions {
  #young = new Map<TransactionHash, HashedTransaction>()
  #old: ReadonlyMap<TransactionHash, HashedTransaction> = new Map()
  #youngBytes = 0

  get(hash: TransactionHash): HashedTransaction | undefined {
    return this.#young.get(hash) ?? this.#old.get(hash)
  }

  add(transaction: HashedTransaction): void {
    const { length } = transaction.bytes
    const counted = transaction.transaction.kind === 'shielded' ? length / SHIELDED_SHARE : length
    if (this.#youngBytes + counted > GENERATION_BYTES_MAX) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngBytes = 0
    }
    this.#young.set(transaction.hash, transaction)
    this.#youngBytes += counted
  }
}
