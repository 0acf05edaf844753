/** The hashes of a space's tree by the runtime's own SHA-256: the same as ledger/attestation/space-tree.ts, faster. */

import { hash } from 'node:crypto'
import { sha256TaggedPreimage } from '../../codec/hashes.ts'
import { emptyRoots } from '../../ledger/attestation/space-tree.ts'

/** Leaves of the subtrees whose roots are kept beside a space; 2^6. */
export const LEAVES_PER_GROUP = 64
/** Levels of such a subtree. */
export const GROUP_DEPTH = 6

/** Hashes leaves of one size, in one buffer that is used again. */
export function leafHasher(leafSize: number): (index: bigint, leaf: Uint8Array) => Uint8Array {
  const preimage = sha256TaggedPreimage('spaceLeaf', new Uint8Array(8), new Uint8Array(leafSize))
  const leafAt = preimage.length - leafSize
  // In front of the leaf is its length, four bytes, and in front of that the index.
  const index = new DataView(preimage.buffer, preimage.byteOffset + leafAt - 12, 8)
  return (position, leaf) => {
    index.setBigUint64(0, position, true)
    preimage.set(leaf, leafAt)
    return hash('sha256', preimage, 'buffer')
  }
}

const node = sha256TaggedPreimage('spaceNode', new Uint8Array(32), new Uint8Array(32))
const LEFT = node.length - 68
const RIGHT = node.length - 32

/** Hash of two siblings. */
export function siblingsHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  node.set(left, LEFT)
  node.set(right, RIGHT)
  return hash('sha256', node, 'buffer')
}

/**
 * All levels of a tree, from the given hashes up.
 * @param hashes of one level, any number but none
 * @param level of these hashes above the leaves: what is missing on the right is empty from there
 * @param depth levels to go up
 */
export function levelsAbove(hashes: readonly Uint8Array[], level: number, depth: number): Uint8Array[][] {
  const empty = emptyRoots(level + depth)
  const levels: Uint8Array[][] = [[...hashes]]
  for (let up = 0; up < depth; up++) {
    const below = levels[up] ?? []
    const nothing = empty[level + up] ?? new Uint8Array(32)
    const next: Uint8Array[] = []
    for (let i = 0; i < below.length; i += 2) {
      next.push(siblingsHash(below[i] ?? nothing, below[i + 1] ?? nothing))
    }
    levels.push(next)
  }
  return levels
}

/** The hashes beside the path of one position, lowest first. */
export function pathOf(
  levels: readonly (readonly Uint8Array[])[],
  position: number,
  level: number,
): Uint8Array[] {
  const depth = levels.length - 1
  const empty = emptyRoots(level + depth)
  return Array.from({ length: depth }, (_, up) => {
    const beside = Math.floor(position / 2 ** up) ^ 1
    return levels[up]?.[beside] ?? empty[level + up] ?? new Uint8Array(32)
  })
}
