/** Shielded transactions with real proofs, made once for each seed; and the same with a proof that is wrong. */
import type { GenesisHash } from '../../../src/types/primitives.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import { Spender } from './spender.ts'

const made = new Map<string, ShieldedTransaction>()
const NOWHERE = 'ab'.repeat(32) as GenesisHash

/** One that spends nothing and makes two notes of no value: right on a network that has no notes yet. */
export function shieldedTransaction(seed: number, genesisHash = NOWHERE): ShieldedTransaction {
  const name = `${seed} ${genesisHash}`
  const transaction =
    made.get(name) ?? new Spender(genesisHash, seed).spend({ fee: 0n }).transaction.transaction
  made.set(name, transaction)
  return transaction
}

/**
 * The same with another proof, which is right but for one of its last bytes: it takes as long to refuse as to accept.
 * @param number another one for each
 */
export function withWrongProof(transaction: ShieldedTransaction, number = 1): ShieldedTransaction {
  const proof = Uint8Array.from(transaction.proof)
  const at = proof.length - 1 - (number >> 7)
  proof[at] = (proof[at] ?? 0) ^ (1 + (number & 0x7f))
  return { ...transaction, proof }
}
