/**
 * The tree of note commitments, as an append-only accumulator: depth 32, Poseidon2 (shielded/README.md). Its root is the
 * anchor that proofs name and what a header carries as `noteCommitmentRoot`.
 */
import { fromHex, toHex } from '../../codec/hex.ts'
import { emptySubtree, noteTreeNode } from '../../shielded/notes/note-tree.ts'
import type { Frontier } from '../../types/ledger-state.ts'
import type { Hex32 } from '../../types/primitives.ts'
import { appendLeaves, contentsRoot, mixInLength, type TreeHash } from '../frontier.ts'

const POSEIDON2: TreeHash = { pair: noteTreeNode, emptyRoot: emptySubtree }

/** The tree with notes appended in order. @param commitments canonical digests */
export function appendNotes(notes: Frontier, commitments: readonly Hex32[]): Frontier {
  return appendLeaves(notes, commitments, undefined, POSEIDON2)
}

/** Roots that were asked for before; most blocks make no notes. */
const knownRoots = new WeakMap<Frontier, Hex32>()

/** Root of the tree: an anchor. */
export function noteRoot(notes: Frontier): Hex32 {
  let root = knownRoots.get(notes)
  if (root === undefined) {
    root = toHex(contentsRoot(notes, POSEIDON2)) as Hex32
    knownRoots.set(notes, root)
  }
  return root
}

/** The leaf of the state for the notes: SHA-256(root ‖ u256le(number)), or whoever serves a tree could lie about its size. */
export function noteLeaf(notes: Frontier): Hex32 {
  return toHex(mixInLength(fromHex(noteRoot(notes)), notes.size)) as Hex32
}
