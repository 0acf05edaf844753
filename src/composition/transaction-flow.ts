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
import { type HashedTransaction, isValidation, type Transaction } from '../types/transaction.ts'
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
    const findings = new BatchFindings()
    const shielded: HashedTransaction<ShieldedTransaction>[] = []
    for (const bytes of batch) {
      const decoded = decodeTransaction(bytes)
      if (!decoded.ok) {
        findings.wrong()
        this.#count('malformed')
      } else if (door !== undefined && isShielded(decoded.value)) shielded.push(decoded.value)
      else this.#found(findings, decoded.value, pool.admit(decoded.value, from))
    }
    if (findings.added.length > 0) workArrived(findings.added.map(({ requestKey }) => requestKey))
    return door === undefined || shielded.length === 0
      ? this.#verdict(findings)
      : this.#enter(door, shielded, from, findings)
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
    findings: BatchFindings,
  ): Promise<Received> {
    for (const transaction of shielded) {
      const outcome = await door.enter(transaction, from)
      this.#found(findings, transaction, outcome)
      if (!outcome.ok && isSendersFault(outcome.code)) break
      if (outcome.ok && outcome.value === 'added') this.#options.workArrived([transaction.requestKey])
    }
    return this.#verdict(findings)
  }

  #found(
    findings: BatchFindings,
    transaction: HashedTransaction,
    outcome: Result<'added' | 'known', string>,
  ): void {
    if (!outcome.ok) {
      this.#count(outcome.code)
      if (isSendersFault(outcome.code)) findings.wrong()
      else findings.leftOpen(transaction)
    } else if (outcome.value === 'added') findings.added.push(transaction)
    // Another proof or signature under the same key was not looked at.
    else if (!this.#options.pool.holds(transaction)) findings.leftOpen(transaction)
  }

  /** A message is passed on whole or not at all: with something in it that was not judged, what is new goes without it. */
  #verdict({ added, isWrong, isOpen }: BatchFindings): Received {
    if (isWrong) return 'reject'
    if (added.length === 0) return 'ignore'
    if (!isOpen) return 'accept'
    this.#options.publish(added.map(({ bytes }) => bytes))
    return 'ignore'
  }

  #count(code: string): void {
    this.#options.rejected(REASONS[code] ?? 'rules')
  }
}

/**
 * What was found about the transactions of one message. Whoever passes a message on answers for all of it: what one node
 * leaves open, for want of room or because of its state, another one may find to be wrong.
 */
class BatchFindings {
  readonly added: HashedTransaction[] = []
  #isWrong = false
  #isOpen = false

  /** Something in it is the sender's fault. */
  get isWrong(): boolean {
    return this.#isWrong
  }

  /** Something in it may be, and was not looked at. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  wrong(): void {
    this.#isWrong = true
  }

  /** It was refused before it was judged to the end. Of a request nobody can be at fault: it is for its verdict. */
  leftOpen(transaction: HashedTransaction): void {
    if (!isValidation(transaction)) this.#isOpen = true
  }
}

/** Whether the sender could have seen it from the bytes alone. */
function isSendersFault(code: string): boolean {
  return isProvenWrong(code) || code === 'ballots-in-pool'
}

function isShielded(hashed: HashedTransaction): hashed is HashedTransaction<ShieldedTransaction> {
  return hashed.transaction.kind === 'shielded'
}
