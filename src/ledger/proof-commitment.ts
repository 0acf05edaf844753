/** The header's commitment to the proofs of its transactions: SHA-384, so that it is no weaker than what it is over. */
import { sha384TaggedHex } from '../codec/hashes.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'
import type { ValidationTransaction } from '../types/transaction.ts'

/** What stands for the proofs of one transaction. */
export interface TransactionProof {
  readonly kind: ValidationTransaction['kind'] | ShieldedTransaction['kind']
  /**
   * Of a request its proofs in bincode form (codec/proofs.ts); of a shielded transaction its hash, which covers the proof:
   * it is known, and a proof is long.
   */
  readonly proofBytes: Uint8Array
}

/** First byte of each part; told apart so that no set of one kind commits like one of the other. */
const KIND_BYTES: Record<TransactionProof['kind'], number> = {
  'validate-certificate': 0,
  'validate-proofs': 1,
  shielded: 2,
}

/**
 * SHA-384(len ‖ tag ‖ u32 count ‖ (u32 len ‖ kind byte ‖ proofs)*) over the block's validation and shielded
 * transactions in order, as 96 hex digits.
 */
export function proofCommitment(proofs: readonly TransactionProof[]): string {
  return sha384TaggedHex(
    'proofCommitment',
    proofs.map(({ kind, proofBytes }) => {
      const part = new Uint8Array(1 + proofBytes.length)
      part[0] = KIND_BYTES[kind]
      part.set(proofBytes, 1)
      return part
    }),
  )
}
