/**
 * The Merkle tree over a space: leaves of one size, each hashed with its index, so that no leaf can stand in for
 * another. Beyond the last leaf the tree is filled with zeros, which are the hash of nothing. Opens and folds paths;
 * reads no file.
 */
import { sha256Tagged, u64le } from '../../codec/hashes.ts'
import { toHex } from '../../codec/hex.ts'
import type { LeafOpening } from '../../types/attestation.ts'
import type { SpaceCommitment } from '../../types/operator.ts'
import type { Hex32 } from '../../types/primitives.ts'

/** H(`hypermesh/space-leaf/v1`; u64le index, bytes). */
export function leafHash(index: bigint, leaf: Uint8Array): Uint8Array {
  return sha256Tagged('spaceLeaf', u64le(index), leaf)
}

/** H(`hypermesh/space-node/v1`; left, right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256Tagged('spaceNode', left, right)
}

/** Leaves of a space. */
export function leafCount({ bytes, leafSize }: Pick<SpaceCommitment, 'bytes' | 'leafSize'>): bigint {
  return bytes / BigInt(leafSize)
}

/** Levels above the leaves: the length of every path. */
export function treeDepth(leaves: bigint): number {
  return leaves <= 1n ? 0 : (leaves - 1n).toString(2).length
}

/** Roots of subtrees without a leaf, by level. */
export function emptyRoots(depth: number): Uint8Array[] {
  const roots: Uint8Array[] = [new Uint8Array(32)]
  for (let level = 0; level < depth; level++) {
    const below = roots[level] as Uint8Array
    roots.push(nodeHash(below, below))
  }
  return roots
}

/** The root that a leaf with its path has. */
export function openingRoot(index: bigint, { leaf, path }: LeafOpening): Hex32 {
  let hash = leafHash(index, leaf)
  let position = index
  for (const beside of path) {
    hash = position % 2n === 0n ? nodeHash(hash, beside) : nodeHash(beside, hash)
    position /= 2n
  }
  return toHex(hash) as Hex32
}
