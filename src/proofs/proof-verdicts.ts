/**
 * What has been found about proofs of shielded transactions: each is verified once, whoever asks first. The key is a
 * hash of all that a verdict depends on, so a verdict never becomes wrong; forgetting one only costs the time again.
 */
import { shieldedStatementHash } from '../codec/shielded.ts'
import { type VerifyShielded, verifyShieldedProof } from '../ledger/shielded/statement.ts'
import type { Hex32 } from '../types/primitives.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'

/** How many verdicts are kept. They are kept apart: whoever sends wrong proofs pushes out no right one. */
export interface VerdictLimits {
  readonly rightMax: number
  readonly wrongMax: number
}

/** More right ones than a pool of the usual size holds, and many blocks of wrong ones; some 150 bytes each. */
const LIMITS: VerdictLimits = { rightMax: 16_384, wrongMax: 4_096 }

/** Told of every verdict that is given: where it came from, and what it is. */
export type CountVerdict = (place: 'worker' | 'inline' | 'cache', isRight: boolean) => void

export class ProofVerdicts {
  readonly #count: CountVerdict
  readonly #limits: VerdictLimits
  // In order of their coming: the oldest is forgotten first.
  readonly #right = new Set<Hex32>()
  readonly #wrong = new Set<Hex32>()
  /** Hashing a proof takes a tenth of a millisecond, and a block's are asked about twice. */
  readonly #hashes = new WeakMap<ShieldedTransaction, Hex32>()

  constructor(count: CountVerdict = () => undefined, limits: VerdictLimits = LIMITS) {
    this.#count = count
    this.#limits = limits
  }

  /** Names a proof with its statement. */
  hashOf(transaction: ShieldedTransaction): Hex32 {
    const known = this.#hashes.get(transaction)
    if (known !== undefined) return known
    const hash = shieldedStatementHash(transaction)
    this.#hashes.set(transaction, hash)
    return hash
  }

  /** The verdict on a proof; null when there is none yet. */
  known(hash: Hex32): boolean | null {
    if (this.#right.has(hash)) return true
    return this.#wrong.has(hash) ? false : null
  }

  /** A worker's verdict. */
  found(hash: Hex32, isRight: boolean): void {
    this.#count('worker', isRight)
    this.#keep(hash, isRight)
  }

  /** The ledger's rule: what is known, or else verified here and now. Never wrong; slow when nobody asked before. */
  readonly verify: VerifyShielded = (transaction) => {
    const hash = this.hashOf(transaction)
    const known = this.known(hash)
    const isRight = known ?? verifyShieldedProof(transaction)
    this.#count(known === null ? 'inline' : 'cache', isRight)
    if (known === null) this.#keep(hash, isRight)
    return isRight
  }

  #keep(hash: Hex32, isRight: boolean): void {
    const kept = isRight ? this.#right : this.#wrong
    const max = isRight ? this.#limits.rightMax : this.#limits.wrongMax
    kept.add(hash)
    for (const oldest of kept) {
      if (kept.size <= max) break
      kept.delete(oldest)
    }
  }
}
