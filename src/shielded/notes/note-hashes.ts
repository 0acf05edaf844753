/**
 * What notes are made of, over field elements: keys, commitments, nullifiers. Every hash is one or two permutations of
 * Poseidon2 with a tag in the last lane; the constraints of the join-split are these same equations.
 */
import { compressTagged, type Digest } from '../hash/poseidon2.ts'

/** In lane 15, so that a hash of one use is none of another. */
export const TAGS = {
  nullifierKey: 101,
  owner: 102,
  ownerAndValue: 103,
  commitment: 104,
  keyAndCommitment: 105,
  nullifier: 106,
} as const

/** Of a value, least significant first, 16 bits each. */
export const VALUE_LIMBS = 4
export const LIMB_BITS = 16
/** A value is below this. */
export const VALUE_LIMIT = 1n << 64n
/** Lanes of a note's randomness: 217 bits. */
export const NOTE_RANDOMNESS_LANES = 7

/** A value's limbs; whoever calls has seen to it that it is in [0, 2^64). */
export function valueLimbs(value: bigint): number[] {
  return [0n, 16n, 32n, 48n].map((shift) => Number((value >> shift) & 0xffffn))
}

/** A position's lower and upper 16 bits. */
export function positionLimbs(position: number): [number, number] {
  return [position & 0xffff, position >>> 16]
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0)

/** The sixteen lanes that each hash is of: the rows of the trace hold them. */
export const preimages = {
  nullifierKey: (spendingKey: Digest): number[] => [...spendingKey, ...zeros(7), TAGS.nullifierKey],
  owner: (nullifierKey: Digest): number[] => [...nullifierKey, ...zeros(7), TAGS.owner],
  ownerAndValue: (owner: Digest, value: bigint): number[] => [
    ...owner,
    ...valueLimbs(value),
    ...zeros(3),
    TAGS.ownerAndValue,
  ],
  commitment: (ownerAndValue: Digest, randomness: readonly number[]): number[] => [
    ...ownerAndValue,
    ...randomness,
    TAGS.commitment,
  ],
  keyAndCommitment: (nullifierKey: Digest, commitment: Digest): number[] => [
    ...nullifierKey,
    ...commitment.slice(0, 7),
    TAGS.keyAndCommitment,
  ],
  nullifier: (keyAndCommitment: Digest, commitment: Digest, position: number): number[] => [
    ...keyAndCommitment,
    commitment[7] as number,
    ...positionLimbs(position),
    ...zeros(4),
    TAGS.nullifier,
  ],
} as const

/** nk: spends nothing by itself, but knows of every note of the owner whether it is spent. */
export function hashNullifierKey(spendingKey: Digest): Digest {
  return compressTagged(preimages.nullifierKey(spendingKey))
}

/** What a note names its owner by. */
export function hashOwner(nullifierKey: Digest): Digest {
  return compressTagged(preimages.owner(nullifierKey))
}

/** The commitment of a note: hiding by its randomness, binding to owner and value. */
export function hashCommitment(owner: Digest, value: bigint, randomness: readonly number[]): Digest {
  const ownerAndValue = compressTagged(preimages.ownerAndValue(owner, value))
  return compressTagged(preimages.commitment(ownerAndValue, randomness))
}

/** What is published when a note is spent: of its commitment and its position, by the owner's key. */
export function hashNullifier(nullifierKey: Digest, commitment: Digest, position: number): Digest {
  const keyAndCommitment = compressTagged(preimages.keyAndCommitment(nullifierKey, commitment))
  return compressTagged(preimages.nullifier(keyAndCommitment, commitment, position))
}
