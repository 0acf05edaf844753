/**
 * The way of a shielded transaction into the pool: the cheap rules, then its proof by the workers, then the pool. What
 * waits for a worker is bounded, for each who sends and in all, and who sends wrong proofs is not listened to for a while.
 */
import type { AdmitRefusal, Mempool, MempoolPorts } from '../mempool/mempool.ts'
import type { Urgency } from '../proofs/proof-workers.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'
import type { HashedTransaction } from '../types/transaction.ts'
import { Turns } from './turns.ts'

/** `proofs-busy`: it may come again in a moment. */
export type DoorRefusal = AdmitRefusal | 'proofs-busy'

export interface ShieldedDoorOptions {
  readonly pool: Pick<Mempool, 'admit' | 'examine'>
  /** What the ledger says of a transaction when its proof is left aside. */
  readonly refusalBeforeProof: MempoolPorts['refusal']
  /** Null: not now. */
  readonly verify: (transaction: ShieldedTransaction, urgency: Urgency) => Promise<boolean | null>
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number
}

/** Transactions whose proofs wait, of one peer or of all clients together, and in all: some 85 KiB each. */
const WAITING_PER_SOURCE_MAX = 32
const WAITING_MAX = 128
/** Of those of one source so many are with the workers: what they find out about it counts for the others. */
const AT_ONCE_PER_SOURCE_MAX = 4
/** After so many wrong proofs within so long, no more proofs of a source are verified until that time is over. */
const WRONG_MAX = 12
const WRONG_WITHIN_MS = 60_000
/** Sources that are remembered for their wrong proofs; those remembered longest are forgotten. */
const SOURCES_MAX = 1_024

/** Clients of this node, who share what one peer has; their rate is limited where they connect. */
const CLIENTS = ''

export class ShieldedDoor {
  readonly #options: ShieldedDoorOptions
  readonly #turns = new Turns(AT_ONCE_PER_SOURCE_MAX)
  readonly #waitingOf = new Map<string, number>()
  readonly #wrongOf = new Map<string, { count: number; readonly sinceMs: number }>()
  #waiting = 0

  constructor(options: ShieldedDoorOptions) {
    this.#options = options
  }

  /**
   * @param source the peer that it is from; null for clients of this node
   * @returns what the pool says, when the proof is right; it never rejects
   */
  async enter(
    hashed: HashedTransaction<ShieldedTransaction>,
    source: string | null,
  ): Promise<Result<'added' | 'known', DoorRefusal>> {
    const { pool, refusalBeforeProof } = this.#options
    const examined = pool.examine(hashed, source, refusalBeforeProof)
    if (!examined.ok) return examined
    if (examined.value === 'known') return ok('known')
    const name = source ?? CLIENTS
    const busy = this.#busy(name)
    if (busy !== null) return busy
    this.#count(name, 1)
    const isRight = await this.#verdict(hashed.transaction, name)
    this.#count(name, -1)
    if (isRight === null) return refuse('proofs-busy', 'no more proofs can be verified now')
    if (!isRight) return refuse('shielded-proof', 'the proof does not prove what the transaction says')
    // Once more with the verdict at hand: the chain has gone on.
    return pool.admit(hashed, source)
  }

  /** @returns null when it is not verified now, perhaps for what was found wrong while it waited */
  async #verdict(transaction: ShieldedTransaction, name: string): Promise<boolean | null> {
    const turn = this.#turns.take(name)
    if (turn !== null) await turn
    try {
      if (this.#deafTo(name) !== null) return null
      const isRight = await this.#options.verify(transaction, 'pool')
      if (isRight === false && name !== CLIENTS) this.#wrong(name)
      return isRight
    } finally {
      this.#turns.give(name)
    }
  }

  #busy(name: string): Refusal<'proofs-busy'> | null {
    const waiting = this.#waitingOf.get(name) ?? 0
    if (waiting >= WAITING_PER_SOURCE_MAX || this.#waiting >= WAITING_MAX) {
      return refuse(
        'proofs-busy',
        `${waiting} proofs from here and ${this.#waiting} in all wait to be verified`,
      )
    }
    return this.#deafTo(name)
  }

  #deafTo(name: string): Refusal<'proofs-busy'> | null {
    const wrong = this.#wrongOf.get(name)
    if (wrong === undefined) return null
    if (this.#options.now() - wrong.sinceMs >= WRONG_WITHIN_MS) this.#wrongOf.delete(name)
    else if (wrong.count >= WRONG_MAX)
      return refuse('proofs-busy', `${wrong.count} wrong proofs came from here`)
    return null
  }

  #count(name: string, change: number): void {
    const waiting = (this.#waitingOf.get(name) ?? 0) + change
    if (waiting === 0) this.#waitingOf.delete(name)
    else this.#waitingOf.set(name, waiting)
    this.#waiting += change
  }

  #wrong(source: string): void {
    const wrong = this.#wrongOf.get(source)
    if (wrong !== undefined) {
      wrong.count++
      return
    }
    this.#wrongOf.set(source, { count: 1, sinceMs: this.#options.now() })
    for (const oldest of this.#wrongOf.keys()) {
      if (this.#wrongOf.size <= SOURCES_MAX) break
      this.#wrongOf.delete(oldest)
    }
  }
}
