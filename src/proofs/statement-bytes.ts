/**
 * A proof with its statement as one buffer, which is handed to a worker and not copied: anchor, nullifiers, commitments
 * and binding of 32 bytes each, fee, mint and burn as u64 little endian, then the proof.
 */
import { statementOf } from '../ledger/shielded/statement.ts'
import type { JoinSplitPublicInputs } from '../shielded/join-split/public-inputs.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'

const HASHES = 6
const AMOUNTS_AT = HASHES * 32
const PROOF_AT = AMOUNTS_AT + 3 * 8

/** @returns a buffer of its own, whatever the transaction's bytes are a part of */
export function packStatement(transaction: ShieldedTransaction): ArrayBuffer {
  const { anchor, nullifiers, commitments, binding, fee, mint, burn } = statementOf(transaction)
  const { proof } = transaction
  const packed = new Uint8Array(PROOF_AT + proof.length)
  for (const [i, hash] of [anchor, ...nullifiers, ...commitments, binding].entries()) packed.set(hash, 32 * i)
  const numbers = new DataView(packed.buffer)
  for (const [i, amount] of [fee, mint, burn].entries())
    numbers.setBigUint64(AMOUNTS_AT + 8 * i, amount, true)
  packed.set(proof, PROOF_AT)
  return packed.buffer
}

/** Reads what {@link packStatement} has made. */
export function unpackStatement(packed: ArrayBuffer): {
  readonly publicInputs: JoinSplitPublicInputs
  readonly proof: Uint8Array
} {
  const hash = (i: number): Uint8Array => new Uint8Array(packed, 32 * i, 32)
  const numbers = new DataView(packed)
  const amount = (i: number): bigint => numbers.getBigUint64(AMOUNTS_AT + 8 * i, true)
  return {
    publicInputs: {
      anchor: hash(0),
      nullifiers: [hash(1), hash(2)],
      commitments: [hash(3), hash(4)],
      binding: hash(5),
      fee: amount(0),
      mint: amount(1),
      burn: amount(2),
    },
    proof: new Uint8Array(packed, PROOF_AT),
  }
}
