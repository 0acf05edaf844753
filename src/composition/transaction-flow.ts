/**
 * The way of a transaction before it is in a block: from a client or from gossip into the pool, on to the
 * others, and the replica told that there is work. Judges nothing: every validator does that on the ledger.
 */
import { decodeTransaction } from '../codec/transaction.ts'
import { isProvenWrong } from '../ledger/staking/admission.ts'
import type { Mempool } from '../mempool/mempool.ts'
import { ok, type Result } from '../types/errors.ts'
import type { RequestKey } from '../types/primitives.ts'
import type { HashedTransaction } from '../types/transaction.ts'

type Rejection = 'known' | 'full' | 'malformed' | 'expired' | 'rules'

/** The pool's refusals as metric labels. */
const REASONS: Readonly<Record<string, Rejection>> = {
  'already-final': 'known',
  full: 'full',
  'source-budget': 'full',
  malformed: 'malformed',
}

export interface TransactionFlowOptions {
  readonly pool: Mempool
  /** On to the other nodes. */
  readonly publish: (transactions: readonly Uint8Array[]) => void
  readonly workArrived: (requestKeys: readonly RequestKey[]) => void
  readonly rejected: (reason: Rejection) => void
}

export class TransactionFlow {
  readonly #options: TransactionFlowOptions

  constructor(options: TransactionFlowOptions) {
    this.#options = options
  }

  /** A client of this node asks. `source` is for limits per client, which the carriers keep. */
  submit(transaction: HashedTransaction): Result<'added' | 'known'> {
    const { pool, publish, workArrived } = this.#options
    const outcome = pool.admit(transaction, null)
    if (!outcome.ok) {
      this.#count(outcome.code)
      return outcome
    }
    if (outcome.value === 'known') return ok('known')
    publish([transaction.bytes])
    workArrived([transaction.requestKey])
    return outcome
  }

  /** A batch from gossip; `from` is the peer that passed it on. */
  received(batch: readonly Uint8Array[], from: string): 'accept' | 'ignore' | 'reject' {
    const { pool, workArrived } = this.#options
    const added: RequestKey[] = []
    let isMalformed = false
    for (const bytes of batch) {
      const decoded = decodeTransaction(bytes)
      if (!decoded.ok) {
        isMalformed = true
        this.#count('malformed')
        continue
      }
      const outcome = pool.admit(decoded.value, from)
      if (!outcome.ok) {
        this.#count(outcome.code)
        // The sender could have seen it from the bytes alone.
        if (isProvenWrong(outcome.code) || outcome.code === 'ballots-in-pool') isMalformed = true
      } else if (outcome.value === 'added') added.push(decoded.value.requestKey)
    }
    if (added.length > 0) workArrived(added)
    if (isMalformed) return 'reject'
    return added.length > 0 ? 'accept' : 'ignore'
  }

  #count(code: string): void {
    this.#options.rejected(REASONS[code] ?? 'rules')
  }
}
