/** The ring of recent block hashes: what it remembers, and that its root is SSZ's. */
import { ByteVectorType, ContainerType, UintNumberType, VectorCompositeType } from '@chainsafe/ssz'
import { describe, expect, it } from 'vitest'
import { sha256Plain, u64le } from '../../../src/codec/hashes.ts'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import {
  EMPTY_RECENT_BLOCKS,
  recentBlockHash,
  recentBlockHashes,
  recentBlocksOf,
  recentBlocksRoot,
  withBlock,
} from '../../../src/codec/recent-blocks.ts'
import type { RecentBlocks } from '../../../src/types/ledger-state.ts'
import type { BlockHash } from '../../../src/types/primitives.ts'

const hashOf = (height: number): BlockHash => toHex(sha256Plain(u64le(BigInt(height)))) as BlockHash
const ringOf = (blocks: number): RecentBlocks => {
  let recent = EMPTY_RECENT_BLOCKS
  for (let height = 0; height < blocks; height++) recent = withBlock(recent, height, hashOf(height))
  return recent
}
const schema = new ContainerType({
  next: new UintNumberType(8),
  hashes: new VectorCompositeType(new ByteVectorType(32), 256),
})

describe('recent blocks', () => {
  it.each([0, 1, 2, 255, 256, 257, 600])('are the last 256 of %i', (blocks) => {
    const recent = ringOf(blocks)
    const first = Math.max(0, blocks - 256)
    expect(recentBlockHashes(recent)).toEqual(
      Array.from({ length: blocks - first }, (_, i) => hashOf(first + i)),
    )
    expect(recentBlockHash(recent, blocks)).toBeNull()
    expect(recentBlockHash(recent, first - 1)).toBeNull()
    if (blocks > 0) expect(recentBlockHash(recent, blocks - 1)).toBe(hashOf(blocks - 1))
    const hashes: Uint8Array[] = Array.from({ length: 256 }, () => new Uint8Array(32))
    for (let height = first; height < blocks; height++) hashes[height % 256] = fromHex(hashOf(height))
    expect(recentBlocksRoot(recent)).toBe(toHex(schema.hashTreeRoot({ next: blocks, hashes })))
    expect(recentBlocksOf(blocks, recentBlockHashes(recent))).toEqual(recent)
  })

  it('leave the ring before as it was', () => {
    const before = ringOf(300)
    const root = recentBlocksRoot(before)
    withBlock(before, 300, hashOf(1))
    expect(recentBlocksRoot(before)).toBe(root)
  })

  it('follow each other', () => {
    expect(() => withBlock(ringOf(3), 4, hashOf(4))).toThrow(/block 4 after 2/)
    expect(() => recentBlocksOf(3, [hashOf(0)])).toThrow(/1 recent blocks below height 3/)
  })
})
