/** Shielded transactions with real proofs; and the same with a proof that is wrong. */
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { ciphertextsHash, shieldedBinding } from '../../../src/codec/shielded.ts'
import { proveJoinSplit } from '../../../src/shielded/join-split/join-split.ts'
import {
  type InputNote,
  type JoinSplitWitness,
  publishedBy,
} from '../../../src/shielded/join-split/witness.ts'
import { deriveNoteRandomness, deriveSpendingKey, ownerOf } from '../../../src/shielded/notes/keys.ts'
import { asHeight, type GenesisHash, type Hex32, type Nullifier } from '../../../src/types/primitives.ts'
import { NOTE_CIPHERTEXT_BYTES, type ShieldedTransaction } from '../../../src/types/shielded.ts'
import { seededBytes } from './join-splits.ts'

/** Where randomness is from: so many bytes of it. */
export type RandomBytes = (count: number) => Uint8Array

/** Bytes that are the same for the same seed, and others at every call. */
export function seeded(seed: number): RandomBytes {
  let calls = 1_000 * seed
  return (count) => seededBytes(calls++, count)
}

/** An input that is no note. */
export function dummy(random: RandomBytes): InputNote {
  const spendingKey = deriveSpendingKey(random(32))
  return { spendingKey, value: 0n, randomness: deriveNoteRandomness(random(32)), place: null }
}

/** A transaction with its proof, with ciphertexts that nobody can open. Takes half a second. */
export function proven(
  witness: JoinSplitWitness,
  { genesisHash, anchor, fee }: Pick<ShieldedTransaction, 'genesisHash' | 'anchor' | 'fee'>,
  random: RandomBytes,
): ShieldedTransaction {
  const ciphertexts = [random(NOTE_CIPHERTEXT_BYTES), random(NOTE_CIPHERTEXT_BYTES)] as const
  const content = {
    genesisHash,
    expiresAtHeight: asHeight(1_000_000),
    ciphertextsHash: ciphertextsHash(ciphertexts),
    mint: null,
    burn: null,
  }
  const binding = shieldedBinding(content)
  const published = publishedBy(witness)
  if (!published.ok) throw new Error(published.detail)
  const { nullifiers, commitments } = published.value
  const statement = { nullifiers, commitments, fee, mint: 0n, burn: 0n, binding: fromHex(binding) }
  const proof = proveJoinSplit(witness, { anchor: fromHex(anchor), ...statement }, random(32))
  if (!proof.ok) throw new Error(proof.detail)
  return {
    kind: 'shielded',
    ...content,
    anchor,
    nullifiers: [toHex(nullifiers[0]) as Nullifier, toHex(nullifiers[1]) as Nullifier],
    commitments: [toHex(commitments[0]) as Hex32, toHex(commitments[1]) as Hex32],
    fee,
    ciphertexts,
    binding,
    proof: proof.value,
  }
}

const made = new Map<string, ShieldedTransaction>()
const NOWHERE = { genesisHash: 'ab'.repeat(32) as GenesisHash, anchor: '00'.repeat(32) as Hex32 }

/** One that spends nothing and makes two notes of no value; made once for each seed and network. */
export function shieldedTransaction(
  seed: number,
  { genesisHash, anchor }: Pick<ShieldedTransaction, 'genesisHash' | 'anchor'> = NOWHERE,
): ShieldedTransaction {
  const name = `${seed} ${genesisHash} ${anchor}`
  const known = made.get(name)
  if (known !== undefined) return known
  const random = seeded(seed)
  const output = () => ({
    owner: ownerOf(deriveSpendingKey(random(32))),
    value: 0n,
    randomness: deriveNoteRandomness(random(32)),
  })
  const witness: JoinSplitWitness = { inputs: [dummy(random), dummy(random)], outputs: [output(), output()] }
  const transaction = proven(witness, { genesisHash, anchor, fee: 0n }, random)
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
