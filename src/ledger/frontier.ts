/**
 * The append-only accumulator: a list of 32-byte leaves under the root that SSZ gives List[Bytes32, 2^32].
 * Keeps only the right edge (at most 33 subtree roots), so appending is O(1) hashes on average and the root
 * O(32). It cannot prove membership: that needs the nodes below the edge, which whoever appends is told of and may
 * keep (receipt/merkle-path.ts).
 */
import { hashPair } from '../codec/hashes.ts'
import { fromHex, toHex } from '../codec/hex.ts'
import { FRONTIER_DEPTH } from '../codec/ledger-state.ts'
import { assert } from '../types/assert.ts'
import type { Frontier } from '../types/ledger-state.ts'
import type { Hex32 } from '../types/primitives.ts'

const SIZE_MAX = 2 ** FRONTIER_DEPTH

/** Before the first leaf. */
export const EMPTY_FRONTIER: Frontier = { size: 0, nodes: [] }

/** How a tree hashes: the node above two, and the roots of subtrees none of whose leaves are there. */
export interface TreeHash {
  readonly pair: (left: Uint8Array, right: Uint8Array) => Uint8Array
  /** @param level of a subtree of 2^level leaves */
  readonly emptyRoot: (level: number) => Uint8Array
}

/** Roots of all-zero subtrees by level. */
const zeroRoots: readonly Uint8Array[] = (() => {
  const roots: Uint8Array[] = [new Uint8Array(32)]
  for (let level = 0; level < FRONTIER_DEPTH; level++) {
    const below = roots[level] as Uint8Array
    roots.push(hashPair(below, below))
  }
  return roots
})()

/** Root of a subtree of 2^level leaves of which there is none. */
export function zeroRoot(level: number): Uint8Array {
  const root = zeroRoots[level]
  assert(root !== undefined, `no subtree of level ${level}`)
  return root
}

/** That of SSZ. */
const SSZ: TreeHash = { pair: hashPair, emptyRoot: zeroRoot }

/** Told of a complete subtree when its last leaf is appended: 2^level leaves from `index * 2^level` on. */
export type NodeListener = (level: number, index: number, root: Uint8Array) => void

/**
 * The frontier with `leaves` appended. Returns the same object when there is nothing to append.
 * @param onNode told of every subtree that these leaves complete, the leaves themselves (level 0) among them
 * @throws InvariantViolation past 2^32 leaves
 */
export function appendLeaves(
  frontier: Frontier,
  leaves: readonly Hex32[],
  onNode?: NodeListener,
  { pair: above }: TreeHash = SSZ,
): Frontier {
  if (leaves.length === 0) return frontier
  const size = frontier.size + leaves.length
  assert(size <= SIZE_MAX, `an accumulator of ${size} leaves`)
  const nodes: (Uint8Array | null)[] = frontier.nodes.map((node) => (node === null ? null : fromHex(node)))
  for (const [i, leaf] of leaves.entries()) {
    let node: Uint8Array = fromHex(leaf)
    let level = 0
    let index = frontier.size + i
    onNode?.(level, index, node)
    for (let left = nodes[level]; left != null; left = nodes[level]) {
      node = above(left, node)
      nodes[level++] = null
      index = Math.floor(index / 2)
      onNode?.(level, index, node)
    }
    nodes[level] = node
  }
  return { size, nodes: nodes.map((node) => (node === null ? null : (toHex(node) as Hex32))) }
}

/** Roots that were asked for before; most accumulators stay as they are from one block to the next. */
const knownRoots = new WeakMap<Frontier, Hex32>()

/** SSZ hash tree root of the list, its length mixed in. */
export function frontierRoot(frontier: Frontier): Hex32 {
  let root = knownRoots.get(frontier)
  if (root === undefined) {
    root = toHex(computeRoot(frontier)) as Hex32
    knownRoots.set(frontier, root)
  }
  return root
}

function computeRoot(frontier: Frontier): Uint8Array {
  return mixInLength(contentsRoot(frontier), frontier.size)
}

/** Root of the tree of depth 32 over the leaves, without their number. */
export function contentsRoot(frontier: Frontier, { pair: above, emptyRoot }: TreeHash = SSZ): Uint8Array {
  const full = frontier.nodes[FRONTIER_DEPTH]
  // Invariant of the walk: `right` is the root of the subtree of height `level` that starts after the last
  // complete subtree below it; null stands for an all-zero one.
  let right: Uint8Array | null = null
  for (let level = 0; level < FRONTIER_DEPTH; level++) {
    const node = frontier.nodes[level] ?? null
    const empty = emptyRoot(level)
    if (node !== null) right = above(fromHex(node), right ?? empty)
    else if (right !== null) right = above(right, empty)
  }
  return full != null ? fromHex(full) : (right ?? emptyRoot(FRONTIER_DEPTH))
}

/** Root of an SSZ list from that of its contents: SHA-256(contents ‖ u256le(length)). */
export function mixInLength(contents: Uint8Array, size: number): Uint8Array {
  const length = new Uint8Array(32)
  new DataView(length.buffer).setBigUint64(0, BigInt(size), true)
  return hashPair(contents, length)
}
