/**
 * The pool as a BFT leader sees it on a network that mined while it had no quorum (F3): first what was mined, in
 * that order, then the rest. Voters ask for no order: a leader that knows another chain, or none, is not refused.
 */
import type { HashedTransaction } from '../../types/transaction.ts'
import type { TransactionPool } from '../ports.ts'

export class ProvisionalPool implements TransactionPool {
  readonly #inner: TransactionPool
  readonly #first: () => readonly HashedTransaction[]

  /** @param first transactions that were mined and are not final, in the order of the mined chain */
  constructor(inner: TransactionPool, first: () => readonly HashedTransaction[]) {
    this.#inner = inner
    this.#first = first
  }

  select(selection: Parameters<TransactionPool['select']>[0]): HashedTransaction[] {
    const { bytesMax, countMax, exclude } = selection
    const selected: HashedTransaction[] = []
    const keys = new Set<string>()
    let bytes = 0
    for (const transaction of this.#first()) {
      const { requestKey, bytes: own } = transaction
      if (exclude(transaction) || keys.has(requestKey)) continue
      // A gap would put a later one before an earlier one: what does not fit ends the block.
      if (selected.length >= countMax || bytes + own.length > bytesMax) return selected
      selected.push(transaction)
      keys.add(requestKey)
      bytes += own.length
    }
    const rest = this.#inner.select({
      bytesMax: bytesMax - bytes,
      countMax: countMax - selected.length,
      exclude: (transaction) => keys.has(transaction.requestKey) || exclude(transaction),
    })
    return [...selected, ...rest]
  }

  remove(transactions: Parameters<TransactionPool['remove']>[0]): void {
    this.#inner.remove(transactions)
  }
}
