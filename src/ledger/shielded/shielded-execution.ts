/** The shielded half of one block: what its transactions leave behind, and what the proposer has of them. */
import { shieldedEntryLeaf } from '../../codec/shielded.ts'
import type { Height, Hex32 } from '../../types/primitives.ts'
import {
  ANCHORS_MAX,
  type ShieldedEntry,
  type ShieldedState,
  type ShieldedTransaction,
} from '../../types/shielded.ts'
import type { HashedTransaction } from '../../types/transaction.ts'
import type { ChainRules } from '../chain-rules.ts'
import { appendLeaves } from '../frontier.ts'
import { appendNotes, noteRoot } from './note-tree.ts'

export class ShieldedExecution {
  readonly #before: ShieldedState
  readonly #height: Height
  readonly #entries: ShieldedEntry[] = []
  #pool: bigint
  #fees = 0n

  /** @param before of the parent */
  constructor(before: ShieldedState, height: Height) {
    this.#before = before
    this.#height = height
    this.#pool = before.pool
  }

  /** What the next one is judged on. */
  get state(): Pick<ShieldedState, 'anchors' | 'pool'> {
    return { anchors: this.#before.anchors, pool: this.#pool }
  }

  /** Of the block's transactions so far, in order. */
  get entries(): readonly ShieldedEntry[] {
    return this.#entries
  }

  /** Fees of the block's transactions so far. */
  get fees(): bigint {
    return this.#fees
  }

  /** Takes a legal one. @param pool worth of all notes after it */
  add({ transaction, hash }: HashedTransaction<ShieldedTransaction>, pool: bigint): void {
    const { nullifiers, commitments, ciphertexts, fee } = transaction
    this.#entries.push({ height: this.#height, hash, nullifiers, commitments, ciphertexts })
    this.#pool = pool
    this.#fees += fee
  }

  /** The state after the block; the one before it, the very object, when nothing changed. @param reward that it brings */
  finish(reward: bigint): ShieldedState {
    const before = this.#before
    const issued = before.issued + reward
    if (this.#entries.length === 0) return reward === 0n ? before : { ...before, issued }
    const notes = appendNotes(
      before.notes,
      this.#entries.flatMap(({ commitments }) => commitments),
    )
    const entries = appendLeaves(before.entries, this.#entries.map(shieldedEntryLeaf))
    const anchors: readonly Hex32[] = [...before.anchors, noteRoot(notes)].slice(-ANCHORS_MAX)
    return { notes, entries, pool: this.#pool, issued, anchors }
  }
}

/** All there may ever be: amounts have 64 bits. */
const SUPPLY_LIMIT = 1n << 64n

/**
 * What a block makes out of nothing: the reward of genesis, for every block of a proposer, as long as all there is
 * stays below 2^64. Supply rule: what genesis gave plus `issued` is what there is, in accounts and notes.
 */
export function rewardOf(
  issued: bigint,
  { shielded, genesisSupply }: Pick<ChainRules, 'shielded' | 'genesisSupply'>,
): bigint {
  const reward = shielded?.blockReward ?? 0n
  return genesisSupply + issued + reward < SUPPLY_LIMIT ? reward : 0n
}
