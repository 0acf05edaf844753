/**
 * The hashes of the last 256 blocks, so that the state can tell a recent block from an invented or an old one. A ring
 * under one Merkle root; what did not change is shared with the ring before, so a block costs eight hashes.
 */

import { assert } from '../types/assert.ts'
import { RECENT_BLOCKS } from '../types/attestation.ts'
import type { HashTree, RecentBlocks } from '../types/ledger-state.ts'
import type { BlockHash, Hex32 } from '../types/primitives.ts'
import { hashPair, u64le } from './hashes.ts'
import { fromHex, toHex } from './hex.ts'

/** log2 of {@link RECENT_BLOCKS}. */
const DEPTH = 8

const leafOf = (hash: Uint8Array): HashTree => ({ hash, children: null })
const nodeOf = (left: HashTree, right: HashTree): HashTree => ({
  hash: hashPair(left.hash, right.hash),
  children: [left, right],
})

/** A ring without a block: every leaf is zero. */
export const EMPTY_RECENT_BLOCKS: RecentBlocks = (() => {
  let tree = leafOf(new Uint8Array(32))
  for (let level = 0; level < DEPTH; level++) tree = nodeOf(tree, tree)
  return { next: 0, tree }
})()

/** The tree with one leaf changed. `level` counts from the leaves. */
function withLeaf(tree: HashTree, level: number, slot: number, hash: Uint8Array): HashTree {
  if (tree.children === null) return leafOf(hash)
  const [left, right] = tree.children
  return Math.floor(slot / 2 ** (level - 1)) % 2 === 0
    ? nodeOf(withLeaf(left, level - 1, slot, hash), right)
    : nodeOf(left, withLeaf(right, level - 1, slot, hash))
}

/** The place of a height in the ring. */
export function slotOf(height: number): number {
  return height % RECENT_BLOCKS
}

/** The ring after one more block. @param height one above the last one's */
export function withBlock(recent: RecentBlocks, height: number, hash: BlockHash): RecentBlocks {
  assert(height === recent.next, `block ${height} after ${recent.next - 1} in the ring of recent blocks`)
  return { next: height + 1, tree: withLeaf(recent.tree, DEPTH, slotOf(height), fromHex(hash)) }
}

/**
 * A ring from what it holds.
 * @param next one above the highest height
 * @param hashes of the blocks below, oldest first: 256, or `next` when there are fewer
 */
export function recentBlocksOf(next: number, hashes: readonly BlockHash[]): RecentBlocks {
  assert(hashes.length === recentCount(next), `${hashes.length} recent blocks below height ${next}`)
  let recent: RecentBlocks = { ...EMPTY_RECENT_BLOCKS, next: next - hashes.length }
  for (const hash of hashes) recent = withBlock(recent, recent.next, hash)
  return recent
}

/** How many blocks a ring holds. */
export function recentCount(next: number): number {
  return Math.min(next, RECENT_BLOCKS)
}

/** Hash of a recent block; null for one that is too old, or not there yet. */
export function recentBlockHash(recent: RecentBlocks, height: number): BlockHash | null {
  if (height >= recent.next || height < recent.next - recentCount(recent.next)) return null
  let node = recent.tree
  for (let level = DEPTH - 1; node.children !== null; level--) {
    node = node.children[Math.floor(slotOf(height) / 2 ** level) % 2 === 0 ? 0 : 1]
  }
  return toHex(node.hash) as BlockHash
}

/** All hashes, oldest first. */
export function recentBlockHashes(recent: RecentBlocks): BlockHash[] {
  const first = recent.next - recentCount(recent.next)
  return Array.from({ length: recent.next - first }, (_, i) => {
    const hash = recentBlockHash(recent, first + i)
    assert(hash !== null, `no recent block ${first + i}`)
    return hash
  })
}

/** SSZ root of `{ next: uint64, hashes: Vector[Bytes32, 256] }`: leaf 9 of the state. */
export function recentBlocksRoot({ next, tree }: RecentBlocks): Hex32 {
  const count = new Uint8Array(32)
  count.set(u64le(BigInt(next)), 0)
  return toHex(hashPair(count, tree.hash)) as Hex32
}
