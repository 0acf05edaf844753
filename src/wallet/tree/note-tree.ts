/**
 * The tree of all note commitments, kept whole so that nobody need be asked for the path of a note: who asks for one
 * tells whose it is. Nodes lie in the order in which they become known (each after the two below it), so the row only
 * grows: 2n - popcount(n) nodes for n notes, at most 64 bytes a note.
 */
import { emptySubtree, noteTreeNode, TREE_DEPTH } from '../../shielded/notes/note-tree.ts'
import { assert } from '../../types/assert.ts'
import type { NodeStore } from './node-store.ts'

/** Notes that a tree has room for. */
export const TREE_NOTES_MAX = 2 ** TREE_DEPTH

/** Nodes of which both halves are there, in a tree of `notes`: what a {@link NodeStore} holds of it. */
export function nodesOf(notes: number): number {
  let ones = 0
  for (let rest = notes; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return 2 * notes - ones
}

/** Where in the row the root of the full subtree `index` of a level is. */
function placeOf(level: number, index: number): number {
  const lastLeaf = (index + 1) * 2 ** level - 1
  return nodesOf(lastLeaf) + level
}

export class WalletNoteTree {
  readonly #nodes: NodeStore
  #count: number

  /**
   * @param nodes of a tree of `count` notes, as this class made them
   */
  constructor(nodes: NodeStore, count: number) {
    assert(nodes.count === nodesOf(count), `${nodes.count} nodes are not those of ${count} notes`)
    this.#nodes = nodes
    this.#count = count
  }

  /** Notes in the tree. */
  get count(): number {
    return this.#count
  }

  /** @param commitment 32 bytes of canonical elements */
  append(commitment: Uint8Array): void {
    assert(this.#count < TREE_NOTES_MAX, 'the tree of notes is full')
    let index = this.#count++
    let node = commitment
    this.#nodes.append(node)
    for (let level = 0; index % 2 === 1; level++) {
      node = noteTreeNode(this.#nodes.at(placeOf(level, index - 1)), node)
      this.#nodes.append(node)
      index = (index - 1) / 2
    }
  }

  /** Forgets all notes but the first `count`. */
  truncate(count: number): void {
    assert(count >= 0 && count <= this.#count, `cannot keep ${count} notes of ${this.#count}`)
    this.#nodes.truncate(nodesOf(count))
    this.#count = count
  }

  /** The commitment at a position. */
  leaf(position: number): Uint8Array {
    assert(position >= 0 && position < this.#count, `there is no note ${position} of ${this.#count}`)
    return this.#nodes.at(placeOf(0, position)).slice()
  }

  /** Root of each level's subtree in which the first empty leaf is: what is there of it, and nothing beside it. */
  #edge(): Uint8Array[] {
    const edge = [emptySubtree(0)]
    let index = this.#count
    for (let level = 0; level < TREE_DEPTH; level++) {
      const below = edge[level] as Uint8Array
      // An even subtree has nothing to its right.
      const node =
        index % 2 === 1
          ? noteTreeNode(this.#nodes.at(placeOf(level, index - 1)), below)
          : index * 2 ** level === this.#count
            ? emptySubtree(level + 1)
            : noteTreeNode(below, emptySubtree(level))
      edge.push(node)
      index = Math.floor(index / 2)
    }
    return edge
  }

  /** The root, 32 bytes: an anchor. */
  root(): Uint8Array {
    if (this.#count === TREE_NOTES_MAX) return this.#nodes.at(placeOf(TREE_DEPTH, 0)).slice()
    return this.#edge()[TREE_DEPTH] as Uint8Array
  }

  /**
   * What a proof needs of the note at a position.
   * @returns the 32 siblings, from the leaf upwards
   */
  path(position: number): readonly Uint8Array[] {
    assert(position >= 0 && position < this.#count, `there is no note ${position} of ${this.#count}`)
    const edge = this.#edge()
    return Array.from({ length: TREE_DEPTH }, (_, level) => {
      const index = Math.floor(position / 2 ** level)
      const sibling = index % 2 === 0 ? index + 1 : index - 1
      const first = Math.floor(this.#count / 2 ** level)
      if (sibling < first) return this.#nodes.at(placeOf(level, sibling)).slice()
      return sibling === first ? (edge[level] as Uint8Array) : emptySubtree(level)
    })
  }
}
