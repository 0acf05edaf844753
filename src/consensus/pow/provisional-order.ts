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
  /** The blocks after those. */
  readonly rest: readonly SealedBlock[]
  /** BFT has made one of the rest's transactions final before another that was mined earlier: the rest is void. */
  readonly isContradicted: boolean
}

/**
 * F4: which prefix of a mined chain has become final so far. Transactions that were not mined do not matter, nor
 * do mined blocks without any, which count with those before them.
 * @param chain oldest first
 * @param ordered requests of the BFT blocks that became final since the block under the chain, in their order
 */
export function reconcile(chain: readonly SealedBlock[], ordered: readonly RequestKey[]): Reconciled {
  const mined = provisionalTransactions(chain).map(({ requestKey }) => requestKey)
  const isMined = new Set(mined)
  const final = ordered.filter((requestKey) => isMined.has(requestKey))
  let agreed = 0
  while (agreed < final.length && final[agreed] === mined[agreed]) agreed += 1
  let blocks = 0
  let transactions = 0
  for (const { block } of chain) {
    transactions += block.transactions.length
    if (transactions > agreed) break
    blocks += 1
  }
  return {
    finalized: chain.slice(0, blocks),
    rest: chain.slice(blocks),
    isContradicted: agreed < final.length,
  }
}
