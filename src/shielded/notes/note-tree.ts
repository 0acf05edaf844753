/** The tree of note commitments: its hash, its empty subtrees, and the root that a path leads to. Keeps no tree. */

import { assert } from '../../types/assert.ts'
import { compressNode, type Digest } from '../hash/poseidon2.ts'
import { decodeDigest, digestBytes } from './digest-bytes.ts'

/** Levels between a leaf and the root: 2^32 notes. */
export const TREE_DEPTH = 32

/** Root of a subtree of 2^level leaves none of which is there: a missing leaf is eight zero elements. */
export const EMPTY_SUBTREES: readonly Digest[] = (() => {
  const roots: Digest[] = [new Array<number>(8).fill(0)]
  for (let level = 0; level < TREE_DEPTH; level++) {
    const below = roots[level] as Digest
    roots.push(compressNode(below, below))
  }
  return roots
})()

function decoded(bytes: Uint8Array): Digest {
  const digest = decodeDigest(bytes)
  assert(digest !== null, 'a node of the tree is 32 bytes of canonical elements')
  return digest
}

/** The 32 bytes of the root of an empty subtree of 2^level leaves. */
export function emptySubtree(level: number): Uint8Array {
  const root = EMPTY_SUBTREES[level]
  assert(root !== undefined, `no subtree of level ${level}`)
  return digestBytes(root)
}

/** The node above two, all of 32 bytes. */
export function noteTreeNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return digestBytes(compressNode(decoded(left), decoded(right)))
}

/** Root of the tree in which the leaf has this position and these siblings, from the leaf upwards. */
export function rootOfPath(leaf: Digest, position: number, siblings: readonly Digest[]): Digest {
  let node = leaf
  for (const [level, sibling] of siblings.entries()) {
    const isRight = Math.floor(position / 2 ** level) % 2 === 1
    node = isRight ? compressNode(sibling, node) : compressNode(node, sibling)
  }
  return node
}
