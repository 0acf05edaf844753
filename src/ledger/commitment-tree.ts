/**
 * The tree of note commitments. Nothing in this protocol version creates notes, so it stays empty and its root
 * is in every header all the same: the header's layout does not change when shielded transactions come.
 */
import type { Frontier } from '../types/ledger-state.ts'
import type { Hex32 } from '../types/primitives.ts'
import { appendLeaves, frontierRoot } from './frontier.ts'

/** The tree with note commitments appended in order. */
export function appendNoteCommitments(tree: Frontier, commitments: readonly Hex32[]): Frontier {
  return appendLeaves(tree, commitments)
}

/** What a header carries as `noteCommitmentRoot`. */
export function noteCommitmentRoot(tree: Frontier): Hex32 {
  return frontierRoot(tree)
}
