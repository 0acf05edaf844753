/** Keys and notes as bytes, for a wallet: from a seed to what is spent with, what is paid to, what is published. */

import { assert } from '../../types/assert.ts'
import { elementBytes } from '../field/element-bytes.ts'
import type { Digest } from '../hash/poseidon2.ts'
import { RandomElements } from '../hash/random-elements.ts'
import { sha256Tagged } from '../hash/sha256.ts'
import { decodeDigest, decodeElements, digestBytes } from './digest-bytes.ts'
import {
  hashCommitment,
  hashNullifier,
  hashNullifierKey,
  hashOwner,
  NOTE_RANDOMNESS_LANES,
  VALUE_LIMIT,
} from './note-hashes.ts'

/** Bytes of a seed that keys or a note's randomness are made of. */
export const SEED_BYTES_MIN = 32
/** Bytes of a note's randomness. */
export const NOTE_RANDOMNESS_BYTES = 4 * NOTE_RANDOMNESS_LANES
/** Leaves of the tree of notes. */
export const POSITION_LIMIT = 2 ** 32

function seeded(tag: string, seed: Uint8Array): RandomElements {
  assert(seed.length >= SEED_BYTES_MIN, `a seed of ${seed.length} bytes, not ${SEED_BYTES_MIN} at least`)
  return new RandomElements(sha256Tagged(tag, seed))
}

function digest(bytes: Uint8Array, what: string): Digest {
  const elements = decodeDigest(bytes)
  assert(elements !== null, `${what} is 32 bytes of canonical elements`)
  return elements
}

/**
 * The key that spends: eight elements, 248 bits.
 * @param seed 32 bytes or more from the system's random source, or derived from such
 * @returns 32 bytes
 */
export function deriveSpendingKey(seed: Uint8Array): Uint8Array {
  return digestBytes([...seeded('hypermesh/shielded/spending-key/v1', seed).elements(8)])
}

/**
 * What hides a note: never twice.
 * @param seed as of {@link deriveSpendingKey}
 * @returns 28 bytes
 */
export function deriveNoteRandomness(seed: Uint8Array): Uint8Array {
  const elements = seeded('hypermesh/shielded/note-randomness/v1', seed).elements(NOTE_RANDOMNESS_LANES)
  return elementBytes(elements)
}

/** The nullifier key of a spending key: who has it sees which notes are spent, and can spend none. */
export function nullifierKeyOf(spendingKey: Uint8Array): Uint8Array {
  return digestBytes(hashNullifierKey(digest(spendingKey, 'a spending key')))
}

/** What a note names its owner by, from the owner's spending key. */
export function ownerOf(spendingKey: Uint8Array): Uint8Array {
  return digestBytes(hashOwner(hashNullifierKey(digest(spendingKey, 'a spending key'))))
}

/** A note: an amount, whose it is, and what hides it. */
export interface Note {
  /** {@link ownerOf} the owner's spending key. */
  readonly owner: Uint8Array
  /** In [0, 2^64). */
  readonly value: bigint
  /** 28 bytes. */
  readonly randomness: Uint8Array
}

/**
 * The commitment that stands for the note on the ledger.
 * @throws InvariantViolation for anything but a {@link Note}
 */
export function noteCommitment(note: Note): Uint8Array {
  const randomness = decodeElements(note.randomness, NOTE_RANDOMNESS_LANES)
  assert(randomness !== null, "a note's randomness is 28 bytes of canonical elements")
  assert(note.value >= 0n && note.value < VALUE_LIMIT, `the value ${note.value} is not of 64 bits`)
  return digestBytes(hashCommitment(digest(note.owner, 'an owner'), note.value, randomness))
}

/**
 * What is published when the note with this commitment, at this position of the tree, is spent.
 * @param nullifierKey {@link nullifierKeyOf} its owner's spending key
 * @param position of the leaf, from 0
 */
export function noteNullifier(
  nullifierKey: Uint8Array,
  commitment: Uint8Array,
  position: number,
): Uint8Array {
  assert(
    Number.isInteger(position) && position >= 0 && position < POSITION_LIMIT,
    `there is no position ${position}`,
  )
  return digestBytes(
    hashNullifier(digest(nullifierKey, 'a nullifier key'), digest(commitment, 'a commitment'), position),
  )
}
