/**
 * The way of a transaction before it is in a block: from a client or from gossip into the pool, on to the
 * others, and the replica told that there is work. Judges nothing: every validator does that on the ledger.
 */
import { decodeTransaction } from '../codec/transaction.ts'
import { isProvenWrong } from '../ledger/staking/admission.ts'
import type { Mempool } from '../mempool/mempool.ts'
import { ok, type Result } from '../types/errors.ts'
import type { RequestKey } from '../types/primitives.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'
import type { HashedTransaction, Transaction } from '../types/transaction.ts'
import type { ShieldedDoor } from './shielded-door.ts'

type Rejection = 'known' | 'full' | 'malformed' | 'expired' | 'rules'

/** The pool's refusals as metric labels. */
const REASONS: Readonly<Record<string, Rejection>> = {
  'already-final': 'known',
  full: 'full',
  'source-budget': 'full',
  'proofs-busy': 'full',
  malformed: 'malformed',
}

/** What a client is told. */
export type Submitted = Result<'added' | 'known'>

/** What gossip is told: pass it on, not useful now, or the sender's fault. */
export type Received = 'accept' | 'ignore' | 'reject'

export interface TransactionFlowOptions {
  readonly pool: Mempool
  /** Verifies proofs before the pool sees them; absent: a shielded transaction is judged like any other, all at once. */
  readonly door?: Pick<ShieldedDoor, 'enter'>
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

  /**
   * A client of this node asks. `source` is for limits per client, which the carriers keep.
   * @returns at once, but for a shielded transaction, whose proof is verified first
   */
  submit(transaction: HashedTransaction<Exclude<Transaction, ShieldedTransaction>>): Submitted
  submit(transaction: HashedTransaction): Submitted | Promise<Submitted>
  submit(transaction: HashedTransaction): Submitted | Promise<Submitted> {
    const { pool, door } = this.#options
    if (door !== undefined && isShielded(transaction)) {
      return door.enter(transaction, null).then((outcome) => this.#submitted(transaction, outcome))
    }
    return this.#submitted(transaction, pool.admit(transaction, null))
  }

  /**
   * A batch from gossip; `from` is the peer that passed it on.
   * @returns at once, unless there are shielded transactions in it, whose proofs are verified first
   */
  received(batch: readonly Uint8Array[], from: string): Received | Promise<Received> {
    const { pool, door, workArrived } = this.#options
    const added: RequestKey[] = []
    const shielded: HashedTransaction<ShieldedTransaction>[] = []
    let isMalformed = false
    for (const bytes of batch) {
      const decoded = decodeTransaction(bytes)
      if (!decoded.ok) {
        isMalformed = true
        this.#count('malformed')
        continue
      }
      if (door !== undefined && isShielded(decoded.value)) {
        shielded.push(decoded.value)
        continue
      }
      const outcome = pool.admit(decoded.value, from)
      if (!outcome.ok) {
        this.#count(outcome.code)
        if (isSendersFault(outcome.code)) isMalformed = true
      } else if (outcome.value === 'added') added.push(decoded.value.requestKey)
    }
    if (added.length > 0) workArrived(added)
    const verdict = isMalformed ? 'reject' : added.length > 0 ? 'accept' : 'ignore'
    return door === undefined || shielded.length === 0 ? verdict : this.#enter(door, shielded, from, verdict)
  }

  #submitted(transaction: HashedTransaction, outcome: Submitted): Submitted {
    const { publish, workArrived } = this.#options
    if (!outcome.ok) {
      this.#count(outcome.code)
      return outcome
    }
    if (outcome.value === 'known') return ok('known')
    publish([transaction.bytes])
    workArrived([transaction.requestKey])
    return outcome
  }

  /** One after the other, and none after one that is wrong: a batch costs one wrong proof at the most. */
  async #enter(
    door: Pick<ShieldedDoor, 'enter'>,
    shielded: readonly HashedTransaction<ShieldedTransaction>[],
    from: string,
    others: Received,
  ): Promise<Received> {
    let verdict = others
    for (const transaction of shielded) {
      const outcome = await door.enter(transaction, from)
      if (!outcome.ok) {
        this.#count(outcome.code)
        if (isSendersFault(outcome.code)) return 'reject'
      } else if (outcome.value === 'added') {
        this.#options.workArrived([transaction.requestKey])
        if (verdict === 'ignore') verdict = 'accept'
      }
    }
    return verdict
  }

  #count(code: string): void {
    this.#options.rejected(REASONS[code] ?? 'rules')
  }
}

/** Whether the sender could have seen it from the bytes alone. */
function isSendersFault(code: string): boolean {
  return isProvenWrong(code) || code === 'ballots-in-pool'
}

function isShielded(hashed: HashedTransaction): hashed is HashedTransaction<ShieldedTransaction> {
  return hashed.transaction.kind === 'shielded'
}
