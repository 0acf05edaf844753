/**
 * Merkle paths in an append-only list (frontier.ts) at any length that it has had: made from the roots of complete
 * subtrees, which never change once they are there, and walked up again to the root of the list. Siblings that are
 * over absent leaves only are no part of a path; which ones they are follows from position and length.
 */

import { hashPair } from '../../codec/hashes.ts'
import { fromHex, toHex } from '../../codec/hex.ts'
import { FRONTIER_DEPTH } from '../../codec/ledger-state.ts'
import { assert } from '../../types/assert.ts'
import type { Hex32 } from '../../types/primitives.ts'
import { mixInLength, zeroRoot } from '../frontier.ts'

/** Root of the complete subtree of 2^level leaves that starts at `index * 2^level`. */
export type NodeReader = (level: number, index: number) => Uint8Array

/** One step of a path: where the sibling is, and whether any leaf is under it. */
interface Step {
  readonly level: number
  readonly sibling: number
  readonly isLeft: boolean
  readonly isEmpty: boolean
}

/** The steps from a leaf to the root of the contents, from below. Not shifts: a position has 32 bits. */
function stepsOf(position: number, size: number): Step[] {
  return Array.from({ length: FRONTIER_DEPTH }, (_, level) => {
    const index = Math.floor(position / 2 ** level)
    const isLeft = index % 2 === 1
    const sibling = isLeft ? index - 1 : index + 1
    return { level, sibling, isLeft, isEmpty: sibling * 2 ** level >= size }
  })
}

/** Hashes in the path of this leaf at this length. */
export function pathLength(position: number, size: number): number {
  return stepsOf(position, size).filter(({ isEmpty }) => !isEmpty).length
}

/**
 * The path of a leaf in the list as it was with `size` leaves. Asks for at most two nodes a level.
 * @throws InvariantViolation when there is no such leaf; whatever `node` throws
 */
export function merklePath(position: number, size: number, node: NodeReader): Hex32[] {
  assert(position >= 0 && position < size, `leaf ${position} of ${size}`)
  return stepsOf(position, size)
    .filter(({ isEmpty }) => !isEmpty)
    .map(({ level, sibling }) => toHex(rootOf(level, sibling, size, node)) as Hex32)
}

/** Root of a subtree, of which leaves at and after `size` are absent. */
function rootOf(level: number, index: number, size: number, node: NodeReader): Uint8Array {
  if ((index + 1) * 2 ** level <= size) return node(level, index)
  if (index * 2 ** level >= size) return zeroRoot(level)
  return hashPair(rootOf(level - 1, 2 * index, size, node), rootOf(level - 1, 2 * index + 1, size, node))
}

/**
 * Root of the list in which a leaf stands at this place under this path.
 * @returns null when the place is not in the list, or the path has not the length that the place has
 */
export function rootOfPath(
  leaf: Hex32,
  position: number,
  size: number,
  path: readonly Hex32[],
): Uint8Array | null {
  if (position >= size || size > 2 ** FRONTIER_DEPTH || path.length !== pathLength(position, size))
    return null
  let node = fromHex(leaf)
  let next = 0
  for (const { level, isLeft, isEmpty } of stepsOf(position, size)) {
    const sibling = isEmpty ? zeroRoot(level) : fromHex(path[next++] ?? '')
    node = isLeft ? hashPair(sibling, node) : hashPair(node, sibling)
  }
  return mixInLength(node, size)
}
