/**
 * A liar's node that breaks the rules about notes: it takes every proof for right, does not know which notes it was tempted
 * with are spent, and puts them into its blocks. The rest is the honest code, so that its headers fit what they hold.
 */
import type { StateReader } from '../../../src/ledger/state-reader.ts'
import type { Mempool } from '../../../src/mempool/mempool.ts'
import type { TransactionPool } from '../../../src/runtime/ports.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { Nullifier } from '../../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import type { Random } from '../random.ts'

/** Temptations that are remembered. */
const REMEMBERED = 12

/** What clients tempted a liar with. */
export class NoteForger {
  readonly #random: Random
  /** How often it gives in, 0 to 1. */
  readonly #chance: number
  readonly #groups: (readonly HashedTransaction<ShieldedTransaction>[])[] = []
  readonly #blindTo = new Set<Nullifier>()

  constructor(random: Random, chance: number) {
    this.#random = random
    this.#chance = chance
  }

  /** Transactions that no block may hold, alone or together. */
  tempted(group: readonly HashedTransaction<ShieldedTransaction>[]): void {
    if (this.#chance === 0) return
    this.#groups.push(group)
    if (this.#groups.length > REMEMBERED) this.#groups.shift()
    for (const { transaction } of group) {
      for (const nullifier of transaction.nullifiers) this.#blindTo.add(nullifier)
    }
  }

  /** Whether there are notes about, for one who breaks the ledger's rules. */
  get isTempted(): boolean {
    return this.#groups.length > 0
  }

  /** Whether a block holds something that it was tempted with. */
  isIn({ transactions }: HashedBlock): boolean {
    return transactions.some(
      ({ transaction }) =>
        transaction.kind === 'shielded' &&
        transaction.nullifiers.some((nullifier) => this.#blindTo.has(nullifier)),
    )
  }

  isBlindTo(nullifier: Nullifier): boolean {
    return this.#blindTo.has(nullifier)
  }

  /** What its next block holds beside what the pool has. */
  forgeries(): readonly HashedTransaction[] {
    if (this.#groups.length === 0 || !this.#random.chance(this.#chance)) return []
    return this.#groups[this.#random.below(this.#groups.length)] ?? []
  }
}

/** The pool, with something that is not in it. */
export function poolOfForger(pool: Mempool, forger: NoteForger): TransactionPool {
  return {
    select: (selection) => [...forger.forgeries(), ...pool.select(selection)],
    remove: (transactions) => pool.remove(transactions),
  }
}

/** The final state, with some notes unspent again. */
export function stateOfForger(state: StateReader, forger: NoteForger): StateReader {
  return {
    hasNullifier: (nullifier) => !forger.isBlindTo(nullifier) && state.hasNullifier(nullifier),
    verdict: (requestKey) => state.verdict(requestKey),
    requestKeyOfId: (requestIdHash) => state.requestKeyOfId(requestIdHash),
    lastSequence: (nodeIdHash) => state.lastSequence(nodeIdHash),
    get accumulators() {
      return state.accumulators
    },
    get staking() {
      return state.staking
    },
    get voting() {
      return state.voting
    },
  }
}
