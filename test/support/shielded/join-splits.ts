/** Join-splits for tests: two notes in one tree, paid to two owners; every figure from a seed. */
import { P } from '../../../src/shielded/field/koala-bear.ts'
import type { Digest } from '../../../src/shielded/hash/poseidon2.ts'
import type { JoinSplit, MadeNote, SpentNote } from '../../../src/shielded/join-split/trace.ts'
import { hashCommitment, hashNullifierKey, hashOwner } from '../../../src/shielded/notes/note-hashes.ts'
import { rootOfPath, TREE_DEPTH } from '../../../src/shielded/notes/note-tree.ts'
import { seededRandom } from '../seeded-random.ts'

/** Uniform elements, the same ones for the same seed. */
export function seededElements(seed: number): (count: number) => number[] {
  const random = seededRandom(seed)
  return (count) => Array.from({ length: count }, () => Math.floor(random() * P))
}

/** Bytes, the same ones for the same seed. */
export function seededBytes(seed: number, count: number): Uint8Array {
  const random = seededRandom(seed)
  return Uint8Array.from({ length: count }, () => Math.floor(random() * 256))
}

/** The commitment of a note that is to be spent. */
export function commitmentOf(note: Pick<SpentNote, 'spendingKey' | 'value' | 'randomness'>): Digest {
  return hashCommitment(hashOwner(hashNullifierKey(note.spendingKey)), note.value, note.randomness)
}

/** Amounts of a join-split; what is not given is zero, and the second output takes what is left. */
export interface Amounts {
  readonly inputs: readonly [bigint, bigint]
  readonly first: bigint
  readonly fee?: bigint
  readonly mint?: bigint
  readonly burn?: bigint
}

/** Position of the first input; the second is its sibling. High and low bits are both set. */
export const POSITION = 0x8000_1235

/** Two notes side by side in a tree of random siblings, spent together. */
export function sampleJoinSplit(
  seed: number,
  amounts: Amounts,
  position = POSITION,
): { joinSplit: JoinSplit; anchor: Digest } {
  const elements = seededElements(seed)
  const note = (value: bigint) => ({ spendingKey: elements(8), value, randomness: elements(7) })
  const a = note(amounts.inputs[0])
  const b = note(amounts.inputs[1])
  const above = Array.from({ length: TREE_DEPTH - 1 }, () => elements(8))
  const sibling = position % 2 === 0 ? position + 1 : position - 1
  const inputs: SpentNote[] = [
    { ...a, position, siblings: [commitmentOf(b), ...above], enabled: true },
    { ...b, position: sibling, siblings: [commitmentOf(a), ...above], enabled: true },
  ]
  const { fee = 0n, mint = 0n, burn = 0n } = amounts
  const rest = amounts.inputs[0] + amounts.inputs[1] + mint - fee - burn - amounts.first
  const output = (value: bigint): MadeNote => ({ owner: elements(8), value, randomness: elements(7) })
  return {
    joinSplit: { inputs, outputs: [output(amounts.first), output(rest)], fee, mint, burn },
    anchor: rootOfPath(commitmentOf(a), position, (inputs[0] as SpentNote).siblings),
  }
}

/** Large values, so that every limb carries. */
export const AMOUNTS: Amounts = {
  inputs: [0x0000_ffff_ffff_ffffn, 0xffff_0000_0000_0002n],
  first: 0x8000_0000_1234_5678n,
  fee: 0xffff_ffffn,
  mint: 70_000n,
  burn: 0x1_0001_0001n,
}

/** A dummy: in no tree, of no value. */
export function dummyNote(seed: number): SpentNote {
  const elements = seededElements(seed)
  return {
    spendingKey: elements(8),
    value: 0n,
    randomness: elements(7),
    position: 0,
    siblings: Array.from({ length: TREE_DEPTH }, () => new Array<number>(8).fill(0)),
    enabled: false,
  }
}
