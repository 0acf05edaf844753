/** What the prover alone knows of a join-split, as a wallet has it; looked through before anything is made of it. */
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import type { Digest } from '../hash/poseidon2.ts'
import { decodeDigest, decodeElements, digestBytes } from '../notes/digest-bytes.ts'
import { NOTE_RANDOMNESS_BYTES, type Note, POSITION_LIMIT } from '../notes/keys.ts'
import { hashCommitment, NOTE_RANDOMNESS_LANES, VALUE_LIMIT } from '../notes/note-hashes.ts'
import { TREE_DEPTH } from '../notes/note-tree.ts'
import { type JoinSplitPublicInputs, nullifierOf } from './public-inputs.ts'
import type { JoinSplit, MadeNote, SpentNote } from './trace.ts'

/** Where a note is in the tree. */
export interface NotePlace {
  /** Of the leaf, from 0. */
  readonly position: number
  /** The 32 siblings of 32 bytes each, from the leaf upwards. */
  readonly siblings: readonly Uint8Array[]
}

/** A note that is spent. */
export interface InputNote {
  /** 32 bytes. */
  readonly spendingKey: Uint8Array
  readonly value: bigint
  /** 28 bytes. */
  readonly randomness: Uint8Array
  /** Null for a dummy: a note of no value that is in no tree. Its key and randomness are fresh. */
  readonly place: NotePlace | null
}

/** Two notes in and two out; a dummy where there are fewer. An output that nobody needs has no value. */
export interface JoinSplitWitness {
  readonly inputs: readonly [InputNote, InputNote]
  readonly outputs: readonly [Note, Note]
}

/** Amounts that everybody sees. */
export type PublicAmounts = Pick<JoinSplitPublicInputs, 'fee' | 'mint' | 'burn'>

/** Why a witness is none. */
export type WitnessRefusal =
  | 'witness-key-malformed'
  | 'witness-randomness-malformed'
  | 'witness-value-out-of-range'
  | 'witness-path-malformed'
  | 'witness-dummy-with-value'

function checkedNote(
  note: Pick<Note, 'value' | 'randomness'>,
  what: string,
): { value: bigint; randomness: readonly number[] } | Refusal<WitnessRefusal> {
  const randomness = decodeElements(note.randomness, NOTE_RANDOMNESS_LANES)
  if (randomness === null) {
    return refuse(
      'witness-randomness-malformed',
      `the randomness of ${what} is not ${NOTE_RANDOMNESS_BYTES} bytes of canonical elements`,
    )
  }
  if (note.value < 0n || note.value >= VALUE_LIMIT) {
    return refuse('witness-value-out-of-range', `the value of ${what} is not in [0, 2^64)`)
  }
  return { value: note.value, randomness }
}

const NO_PLACE = {
  position: 0,
  siblings: Array.from({ length: TREE_DEPTH }, () => new Array<number>(8).fill(0)),
}

function checkedPlace(
  place: NotePlace,
  what: string,
): { position: number; siblings: readonly Digest[] } | Refusal<WitnessRefusal> {
  const { position } = place
  if (!Number.isInteger(position) || position < 0 || position >= POSITION_LIMIT) {
    return refuse('witness-path-malformed', `${what} is at no position of the tree`)
  }
  const siblings = place.siblings.map(decodeDigest)
  if (siblings.length !== TREE_DEPTH || siblings.includes(null)) {
    return refuse('witness-path-malformed', `the path of ${what} is not of ${TREE_DEPTH} digests`)
  }
  return { position, siblings: siblings as readonly Digest[] }
}

function checkedInput(note: InputNote, what: string): SpentNote | Refusal<WitnessRefusal> {
  const spendingKey = decodeDigest(note.spendingKey)
  if (spendingKey === null) {
    return refuse('witness-key-malformed', `the key of ${what} is not 32 bytes of canonical elements`)
  }
  const checked = checkedNote(note, what)
  if ('ok' in checked) return checked
  if (note.place === null) {
    if (note.value !== 0n) return refuse('witness-dummy-with-value', `${what} is in no tree and has a value`)
    return { spendingKey, ...checked, ...NO_PLACE, enabled: false }
  }
  const place = checkedPlace(note.place, what)
  return 'ok' in place ? place : { spendingKey, ...checked, ...place, enabled: true }
}

function checkedOutput(note: Note, what: string): MadeNote | Refusal<WitnessRefusal> {
  const owner = decodeDigest(note.owner)
  if (owner === null) {
    return refuse('witness-key-malformed', `the owner of ${what} is not 32 bytes of canonical elements`)
  }
  const checked = checkedNote(note, what)
  return 'ok' in checked ? checked : { owner, ...checked }
}

/** The notes over elements. Whether the statement is true of them is not looked at. */
export function decodeWitness(
  witness: JoinSplitWitness,
  amounts: PublicAmounts,
): Result<JoinSplit, WitnessRefusal> {
  const inputs: SpentNote[] = []
  for (const [i, note] of witness.inputs.entries()) {
    const checked = checkedInput(note, `input ${i}`)
    if ('ok' in checked) return checked
    inputs.push(checked)
  }
  const outputs: MadeNote[] = []
  for (const [i, note] of witness.outputs.entries()) {
    const checked = checkedOutput(note, `output ${i}`)
    if ('ok' in checked) return checked
    outputs.push(checked)
  }
  const { fee, mint, burn } = amounts
  return ok({ inputs, outputs, fee, mint, burn })
}

/** The nullifiers and commitments that a witness has: what its public inputs are to say. */
export function publishedBy(
  witness: JoinSplitWitness,
): Result<Pick<JoinSplitPublicInputs, 'nullifiers' | 'commitments'>, WitnessRefusal> {
  const decoded = decodeWitness(witness, { fee: 0n, mint: 0n, burn: 0n })
  if (!decoded.ok) return decoded
  const nullifiers = decoded.value.inputs.map((note) => digestBytes(nullifierOf(note)))
  const commitments = decoded.value.outputs.map(({ owner, value, randomness }) =>
    digestBytes(hashCommitment(owner, value, randomness)),
  )
  return ok({
    nullifiers: nullifiers as [Uint8Array, Uint8Array],
    commitments: commitments as [Uint8Array, Uint8Array],
  })
}
