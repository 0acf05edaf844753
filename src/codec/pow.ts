/** Canonical bytes of seals and sealed blocks, and the hash that mining makes small. Judges no target. */
import type { HashedBlock } from '../types/block.ts'
import { ok, type Result } from '../types/errors.ts'
import type { Seal, SealedBlock, SealHash } from '../types/pow.ts'
import type { BlockHash } from '../types/primitives.ts'
import { decodeBlock } from './block.ts'
import { sha256Plain, sha256TaggedPreimage, u32le, u64le } from './hashes.ts'
import { fromHex, toHex } from './hex.ts'
import { BLOCK_BYTES_MAX } from './limits.ts'
import { bytesUpTo, decode, encode, record, u64, uint } from './schema.ts'

interface RawSealedBlock extends Seal {
  readonly block: Uint8Array
}

const rawSchema = record<RawSealedBlock>({ bits: uint(4), nonce: u64, block: bytesUpTo(BLOCK_BYTES_MAX) })

/** Bits, nonce and the offset of the block. */
export const SEAL_OVERHEAD_BYTES = 16

/** Canonical bytes of a sealed block, whatever genesis allows. */
export const SEALED_BLOCK_BYTES_MAX = BLOCK_BYTES_MAX + SEAL_OVERHEAD_BYTES

/** Where the nonce, u64 little endian, stands in {@link sealPreimage}: at its end. */
export const NONCE_BYTES = 8

/**
 * What a miner hashes with SHA-256: the tag, the block's hash, the target's compact form, and the nonce as the
 * last eight bytes, so that all before it stays the same while the nonce runs.
 */
export function sealPreimage(blockHash: BlockHash, { bits, nonce }: Seal): Uint8Array {
  return sha256TaggedPreimage('proofOfWork', fromHex(blockHash), u32le(bits), u64le(nonce))
}

/** The hash of a seal, as a number big endian. */
export function sealHash(blockHash: BlockHash, seal: Seal): SealHash {
  return toHex(sha256Plain(sealPreimage(blockHash, seal))) as string as SealHash
}

/** Joins a block and its seal. */
export function sealBlock(block: HashedBlock, seal: Seal): SealedBlock {
  return {
    block,
    seal,
    sealHash: sealHash(block.hash, seal),
    bytes: encode(rawSchema, { ...seal, block: block.bytes }),
  }
}

/** Reads a sealed block; says nothing of its work or its rules. */
export function decodeSealedBlock(bytes: Uint8Array): Result<SealedBlock, 'malformed'> {
  const raw = decode(rawSchema, bytes, SEALED_BLOCK_BYTES_MAX)
  if (!raw.ok) return raw
  const { bits, nonce } = raw.value
  const block = decodeBlock(raw.value.block)
  if (!block.ok) return block
  const seal = { bits, nonce }
  return ok({ block: block.value, seal, sealHash: sealHash(block.value.hash, seal), bytes })
}
