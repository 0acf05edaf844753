/** What everybody knows of a join-split: in bytes and amounts as a transaction has it, and as elements. */
import { type Refusal, refuse } from '../../types/errors.ts'
import type { Digest } from '../hash/poseidon2.ts'
import { DIGEST_BYTES, decodeDigest, digestBytes } from '../notes/digest-bytes.ts'
import {
  hashCommitment,
  hashNullifier,
  hashNullifierKey,
  hashOwner,
  VALUE_LIMIT,
  valueLimbs,
} from '../notes/note-hashes.ts'
import type { JoinSplit, MadeNote, SpentNote } from './trace.ts'

export const BINDING_BYTES = 32

/** The statement: two notes under the anchor are spent, two are made, and the amounts balance. */
export interface JoinSplitPublicInputs {
  /** Root of the tree of note commitments in which the inputs are; 32 bytes. */
  readonly anchor: Uint8Array
  /** Of the notes that are spent, in order; 32 bytes each. They differ. */
  readonly nullifiers: readonly [Uint8Array, Uint8Array]
  /** Of the notes that are made, in order; 32 bytes each. */
  readonly commitments: readonly [Uint8Array, Uint8Array]
  /** Amounts in [0, 2^64): inputs + mint = outputs + burn + fee. Who may mint is for the ledger to say. */
  readonly fee: bigint
  readonly mint: bigint
  readonly burn: bigint
  /** 32 bytes: hash of whatever else of the transaction the proof shall vouch for. */
  readonly binding: Uint8Array
}

/** Why public inputs are none. */
export type StatementRefusal =
  | 'anchor-malformed'
  | 'nullifier-malformed'
  | 'commitment-malformed'
  | 'amount-out-of-range'
  | 'binding-malformed'
  | 'nullifier-repeated'

/** Decoded: 52 elements, and the binding as it is. */
export interface Statement {
  readonly elements: Int32Array
  readonly binding: Uint8Array
}

function isAmount(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value < VALUE_LIMIT
}

/** The elements of public inputs that came from anywhere, or what is wrong with them. */
export function decodeStatement(inputs: JoinSplitPublicInputs): Statement | Refusal<StatementRefusal> {
  const wrong = (code: StatementRefusal, what: string) => refuse(code, what)
  const digests: Digest[] = []
  const rows = [
    ['anchor-malformed', inputs.anchor],
    ['nullifier-malformed', inputs.nullifiers[0]],
    ['nullifier-malformed', inputs.nullifiers[1]],
    ['commitment-malformed', inputs.commitments[0]],
    ['commitment-malformed', inputs.commitments[1]],
  ] as const
  for (const [code, bytes] of rows) {
    const digest = decodeDigest(bytes)
    if (digest === null) return wrong(code, `not ${DIGEST_BYTES} bytes of canonical elements`)
    digests.push(digest)
  }
  for (const name of ['fee', 'mint', 'burn'] as const) {
    if (!isAmount(inputs[name])) return wrong('amount-out-of-range', `${name} is not in [0, 2^64)`)
  }
  if (!(inputs.binding instanceof Uint8Array) || inputs.binding.length !== BINDING_BYTES) {
    return wrong('binding-malformed', `not ${BINDING_BYTES} bytes`)
  }
  const [, first, second] = digests as [Digest, Digest, Digest]
  if (first.every((lane, i) => lane === second[i])) {
    return wrong('nullifier-repeated', 'both inputs are the same note')
  }
  const amounts = [inputs.fee, inputs.mint, inputs.burn].flatMap(valueLimbs)
  return { elements: Int32Array.from([...digests.flat(), ...amounts]), binding: inputs.binding }
}

/** The nullifier of an input. */
export function nullifierOf(note: SpentNote): Digest {
  const key = hashNullifierKey(note.spendingKey)
  const commitment = hashCommitment(hashOwner(key), note.value, note.randomness)
  return hashNullifier(key, commitment, note.position)
}

/** The public inputs that are true of these notes. */
export function publicInputsOf(
  joinSplit: JoinSplit,
  anchor: Digest,
  binding: Uint8Array,
): JoinSplitPublicInputs {
  const [a, b] = joinSplit.inputs.map((note) => digestBytes(nullifierOf(note))) as [Uint8Array, Uint8Array]
  const commit = ({ owner, value, randomness }: MadeNote) =>
    digestBytes(hashCommitment(owner, value, randomness))
  const [c, d] = joinSplit.outputs.map(commit) as [Uint8Array, Uint8Array]
  const { fee, mint, burn } = joinSplit
  return { anchor: digestBytes(anchor), nullifiers: [a, b], commitments: [c, d], fee, mint, burn, binding }
}
