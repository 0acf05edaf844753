/** Real seals for tests: targets are so easy that looking for a nonce costs nothing. */
import { createHash } from 'node:crypto'
import { sealBlock, sealPreimage } from '../../src/codec/pow.ts'
import type { HashedBlock } from '../../src/types/block.ts'
import { targetOfBits } from '../../src/types/compact-target.ts'
import type { SealedBlock } from '../../src/types/pow.ts'

export function unwrapTarget(bits: number): bigint {
  const target = targetOfBits(bits)
  if (!target.ok) throw new Error(target.detail)
  return target.value
}

/** The least nonce from `from` on that makes the seal's hash small enough. */
export function findNonce(block: HashedBlock, bits: number, from = 0): bigint {
  const bytes = Buffer.from(sealPreimage(block.hash, { bits, nonce: 0n }))
  const target = Buffer.from(unwrapTarget(bits).toString(16).padStart(64, '0'), 'hex')
  for (let nonce = from; ; nonce++) {
    bytes.writeUInt32LE(nonce, bytes.length - 8)
    if (createHash('sha256').update(bytes).digest().compare(target) <= 0) return BigInt(nonce)
  }
}

/** A block with a seal that holds. */
export function sealed(block: HashedBlock, bits: number): SealedBlock {
  return sealBlock(block, { bits, nonce: findNonce(block, bits) })
}
