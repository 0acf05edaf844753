/** The nouns of proof of work: a block with its seal, and what a network fixes about mining in genesis. */
import type { HashedBlock } from './block.ts'
import type { Hex32 } from './primitives.ts'

declare const sealBrand: unique symbol

/**
 * Name of a sealed block: the hash that had to be small enough. Two seals of one block have two names, and a
 * child names the one it builds on. Of the block that a mined chain begins on, it is that block's own hash.
 */
export type SealHash = Hex32 & { readonly [sealBrand]: 'SealHash' }

/** What a miner adds to a block. */
export interface Seal {
  /** The target in compact form, as Bitcoin's nBits: one byte of exponent, three of mantissa. */
  readonly bits: number
  /** u64 that makes the hash small enough. */
  readonly nonce: bigint
}

/** A block with its seal; the hash is computed once at the edge, and nothing is said about whether it is small. */
export interface SealedBlock {
  readonly block: HashedBlock
  readonly seal: Seal
  readonly sealHash: SealHash
  /** Canonical bytes of seal and block. */
  readonly bytes: Uint8Array
}

/** Rules of mining, the same on all nodes of a network. */
export interface MiningParameters {
  /** Wanted time between two blocks, milliseconds. */
  readonly targetIntervalMs: number
  /** Target of the first block, in compact form. */
  readonly initialBits: number
  /** The easiest target there may ever be, in compact form: what a block must at least have cost to be kept. */
  readonly limitBits: number
  /** Blocks that the next target is computed from; in as many blocks it changes fourfold at most. */
  readonly retargetWindow: number
  /** Blocks that stay reversible: deeper ones are settled in the database, and no heavier chain undoes them. */
  readonly maturityBlocks: number
}

/** Which engine orders the network's blocks. A genesis without it is BFT that stops while it has no quorum. */
export type ConsensusChoice =
  | { readonly engine: 'pow'; readonly mining: MiningParameters }
  /** BFT that mines a provisional chain on its last final block when none became final for so long. */
  | {
      readonly engine: 'bft'
      readonly fallback: { readonly afterMs: number; readonly mining: MiningParameters }
    }
