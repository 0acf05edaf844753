/** Shielded transactions with real proofs, made once for each seed; and the same with a proof that is wrong. */
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { ciphertextsHash, shieldedBinding } from '../../../src/codec/shielded.ts'
import { JOIN_SPLIT_SHAPE } from '../../../src/shielded/join-split/join-split.ts'
import { decodeStatement, publicInputsOf } from '../../../src/shielded/join-split/public-inputs.ts'
import { joinSplitTrace } from '../../../src/shielded/join-split/trace.ts'
import { prove } from '../../../src/shielded/stark/prover.ts'
import { asHeight, type GenesisHash, type Hex32, type Nullifier } from '../../../src/types/primitives.ts'
import { NOTE_CIPHERTEXT_BYTES, type ShieldedTransaction } from '../../../src/types/shielded.ts'
import { sampleJoinSplit, seededBytes } from './join-splits.ts'

const made = new Map<number, ShieldedTransaction>()

/** One that is right on no chain but that of this genesis hash, under an anchor of its own. Proving takes half a second. */
export function shieldedTransaction(seed: number): ShieldedTransaction {
  const known = made.get(seed)
  if (known !== undefined) return known
  const { joinSplit, anchor } = sampleJoinSplit(seed, { inputs: [5_000n, 3_000n], first: 1_000n, fee: 7n })
  const ciphertexts = [seed, seed + 1].map((each) => seededBytes(each, NOTE_CIPHERTEXT_BYTES)) as [
    Uint8Array,
    Uint8Array,
  ]
  const content = {
    genesisHash: 'ab'.repeat(32) as GenesisHash,
    expiresAtHeight: asHeight(1_000),
    ciphertextsHash: ciphertextsHash(ciphertexts),
    mint: null,
    burn: null,
  }
  const binding = shieldedBinding(content)
  const publicInputs = publicInputsOf(joinSplit, anchor, fromHex(binding))
  const statement = decodeStatement(publicInputs)
  if ('ok' in statement) throw new Error(statement.detail)
  const proof = prove(JOIN_SPLIT_SHAPE, joinSplitTrace(joinSplit), statement, seededBytes(seed + 2, 32))
  const hex = <T extends string>(bytes: Uint8Array): T => toHex(bytes) as T
  const transaction: ShieldedTransaction = {
    kind: 'shielded',
    ...content,
    anchor: hex<Hex32>(publicInputs.anchor),
    nullifiers: [hex<Nullifier>(publicInputs.nullifiers[0]), hex<Nullifier>(publicInputs.nullifiers[1])],
    commitments: [hex<Hex32>(publicInputs.commitments[0]), hex<Hex32>(publicInputs.commitments[1])],
    fee: publicInputs.fee,
    ciphertexts,
    binding,
    proof,
  }
  made.set(seed, transaction)
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
