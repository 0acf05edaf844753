/**
 * Nullifiers: values that may be spent once. Two paths meet a spent one, and they differ on purpose:
 * - a validation request only spends when it is judged Valid, so one that names a spent nonce is legal and is
 *   judged Invalid (four-proofs/time.ts looks it up); it adds nothing to the set;
 * - a transaction that does spend must not spend what was spent: {@link checkNullifiers} makes the block illegal.
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import type { Frontier } from '../types/ledger-state.ts'
import type { Hex32, Nullifier } from '../types/primitives.ts'
import { appendLeaves, frontierRoot } from './frontier.ts'
import type { StateReader } from './state-reader.ts'

export type NullifierRefusal =
  | 'nullifier-repeated-in-transaction'
  | 'nullifier-repeated-in-block'
  | 'nullifier-spent'

/**
 * Whether the nullifiers that a block spends are all new.
 * @param spentByTransaction one list per transaction, in the order of the block
 * @param state before the block: the final set and every unfinalized block of the branch
 * @returns all of them in order, ready to be appended
 */
export function checkNullifiers(
  spentByTransaction: readonly (readonly Nullifier[])[],
  state: Pick<StateReader, 'hasNullifier'>,
): Result<readonly Nullifier[], NullifierRefusal> {
  const inBlock = new Set<Nullifier>()
  for (const [position, nullifiers] of spentByTransaction.entries()) {
    const inTransaction = new Set<Nullifier>()
    for (const nullifier of nullifiers) {
      const where = `nullifier ${nullifier} of transaction ${position}`
      if (inTransaction.has(nullifier)) {
        return refuse('nullifier-repeated-in-transaction', `${where} is in it twice`)
      }
      if (inBlock.has(nullifier)) {
        return refuse('nullifier-repeated-in-block', `${where} is spent earlier in the block`)
      }
      if (state.hasNullifier(nullifier)) {
        return refuse('nullifier-spent', `${where} is spent before the block`)
      }
      inTransaction.add(nullifier)
      inBlock.add(nullifier)
    }
  }
  return ok([...inBlock])
}

/** The set's accumulator with nullifiers appended in order. */
export function appendNullifiers(set: Frontier, nullifiers: readonly Nullifier[]): Frontier {
  // A nullifier is its own leaf: it is a hash already.
  return appendLeaves(set, nullifiers as readonly string[] as readonly Hex32[])
}

/** What a header carries as `nullifierRoot`. */
export function nullifierRoot(set: Frontier): Hex32 {
  return frontierRoot(set)
}
