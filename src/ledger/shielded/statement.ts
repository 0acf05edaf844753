/** What the proof of a shielded transaction has to prove, and whether it does. */
import { fromHex } from '../../codec/hex.ts'
import { verifyJoinSplit } from '../../shielded/join-split/join-split.ts'
import type { JoinSplitPublicInputs } from '../../shielded/join-split/public-inputs.ts'
import type { ShieldedTransaction } from '../../types/shielded.ts'

/** The statement, in the transaction's own words. */
export function statementOf(transaction: Omit<ShieldedTransaction, 'proof'>): JoinSplitPublicInputs {
  const { anchor, nullifiers, commitments, fee, mint, burn, binding } = transaction
  return {
    anchor: fromHex(anchor),
    nullifiers: [fromHex(nullifiers[0]), fromHex(nullifiers[1])],
    commitments: [fromHex(commitments[0]), fromHex(commitments[1])],
    fee,
    mint: mint?.amount ?? 0n,
    burn: burn?.amount ?? 0n,
    binding: fromHex(binding),
  }
}

/** Whether the proof is right. A pure function of the transaction, equal on every node. Takes some milliseconds. */
export type VerifyShielded = (transaction: ShieldedTransaction) => boolean

/** Here and now. */
export const verifyShieldedProof: VerifyShielded = (transaction) =>
  verifyJoinSplit(statementOf(transaction), transaction.proof).ok
