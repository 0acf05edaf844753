/** How a wallet has its proofs made: the port, and a prover in the caller's own thread. */
import { proveJoinSplit } from '../../shielded/join-split/join-split.ts'
import type { JoinSplitPublicInputs } from '../../shielded/join-split/public-inputs.ts'
import type { JoinSplitWitness } from '../../shielded/join-split/witness.ts'
import { WalletError } from '../wallet-error.ts'

/**
 * Proves a statement of a witness.
 * @param randomness 32 bytes, used for nothing else
 * @returns the proof's bytes; rejects with WalletError `E_WALLET_PROOF`
 */
export type Prover = (
  witness: JoinSplitWitness,
  publicInputs: JoinSplitPublicInputs,
  randomness: Uint8Array,
) => Promise<Uint8Array>

/** For a proof that was not made. @param why names a rule, never a figure of the witness */
export function proofFailed(why: string): WalletError {
  return new WalletError('E_WALLET_PROOF', 'the proof of the transaction was not made', {
    why,
    fix: 'read the chain anew with scan --again and try once more; nothing was sent',
  })
}

/** Keeps its thread busy for half a second. */
export const proveHere: Prover = async (witness, publicInputs, randomness) => {
  const proof = proveJoinSplit(witness, publicInputs, randomness)
  if (!proof.ok) throw proofFailed(proof.code)
  return proof.value
}
