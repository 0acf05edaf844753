/** The header's commitment to the proofs of its transactions: SHA-384, so that it is no weaker than the proofs' own hashes. */
import { sha384TaggedHex } from '../codec/hashes.ts'
import type { ValidationTransaction } from '../types/transaction.ts'

/** The proofs of one transaction in bincode form (codec/proofs.ts). */
export interface TransactionProof {
  readonly kind: ValidationTransaction['kind']
  readonly proofBincode: Uint8Array
}

/** First byte of each part; told apart so that no set of one kind commits like one of the other. */
const KIND_BYTES: Record<ValidationTransaction['kind'], number> = {
  'validate-certificate': 0,
  'validate-proofs': 1,
}

/**
 * SHA-384(len ‖ tag ‖ u32 count ‖ (u32 len ‖ kind byte ‖ bincode of the proofs)*) over the block's validation
 * transactions in order, as 96 hex digits.
 */
export function proofCommitment(proofs: readonly TransactionProof[]): string {
  return sha384TaggedHex(
    'proofCommitment',
    proofs.map(({ kind, proofBincode }) => {
      const part = new Uint8Array(1 + proofBincode.length)
      part[0] = KIND_BYTES[kind]
      part.set(proofBincode, 1)
      return part
    }),
  )
}
