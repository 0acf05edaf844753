/**
 * The seam between the two engines: what BFT takes over from a chain that was mined while it had no quorum. An
 * order of transactions and nothing else: no block, verdict or certificate crosses it.
 */

import type { SealedBlock } from '../../types/pow.ts'
import type { RequestKey } from '../../types/primitives.ts'
import type { HashedTransaction } from '../../types/transaction.ts'

/** F3: what a leader proposes first: the transactions of the heaviest mined chain on the last final block, in its order. */
export function provisionalTransactions(chain: readonly SealedBlock[]): HashedTransaction[] {
  return chain.flatMap(({ block }) => block.transactions)
}

export interface Reconciled {
  /** Mined blocks, from the first on, all of whose transactions BFT has made final in the order of the chain. */
  readonly finalized: readonly SealedBlock[]
  /** The others: void, their transactions wait again unless they are final. */
  readonly void: readonly SealedBlock[]
}

/**
 * F4: which prefix of a mined chain has become final. It has when its transactions are a subsequence of what
 * BFT made final; blocks without any count with those before them.
 * @param chain on the final block that `ordered` begins after, oldest first
 * @param ordered requests of the BFT blocks that became final since, in their order
 */
export function reconcile(chain: readonly SealedBlock[], ordered: readonly RequestKey[]): Reconciled {
  let at = 0
  let count = 0
  for (const { block } of chain) {
    for (const { requestKey } of block.transactions) {
      const found = ordered.indexOf(requestKey, at)
      if (found < 0) return { finalized: chain.slice(0, count), void: chain.slice(count) }
      at = found + 1
    }
    count += 1
  }
  return { finalized: chain, void: [] }
}
