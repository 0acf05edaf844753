/** What a state snapshot consists of, and what proves it. Bytes are in codec/snapshot.ts, the rules in ledger/snapshot-check.ts and snapshot-replay.ts. */
import type { BlockHeader } from './block.ts'
import type { QuorumCertificate } from './certificates.ts'
import type { Height, Hex32 } from './primitives.ts'
import type { Validator } from './validator-set.ts'

/**
 * The parts of a snapshot in their order: the last block in canonical bytes, then the state's lists as their leaves
 * were appended, then the staking state without its accounts and operators, then the accounts in order of their ids,
 * then those who take part in verdicts, the batches that wait for one, and trust in order of account, then the
 * operators in order of their accounts, then the state of operations where there is any, the hashes of recent blocks, oldest first, and the shielded state without its lists. What has no root of its own
 * (request ids, sequences) follows from the verdicts.
 */
export const SNAPSHOT_PARTS = [
  'block',
  'nullifiers',
  'shielded-entries',
  'verdicts',
  'staking',
  'accounts',
  'electors',
  'batches',
  'trust',
  'operators',
  'operations',
  'recent-blocks',
  'shielded',
] as const
export type SnapshotPart = (typeof SNAPSHOT_PARTS)[number]

/** A run of entries of one part, by content. */
export interface ChunkReference {
  readonly part: SnapshotPart
  /** Position of its first entry in the part. */
  readonly first: number
  readonly count: number
  readonly bytes: number
  readonly sha256: Hex32
}

/** The state after one certified block. */
export interface SnapshotManifest {
  /** Of the block; its hash is the block's. */
  readonly header: BlockHeader
  /** Commit certificate of exactly that block: a quorum signed this state root. */
  readonly certificate: QuorumCertificate
  /** Pre-commit certificate of exactly that block; null when it became final through a descendant. */
  readonly finality: QuorumCertificate | null
  /** In the order of parts and positions, without gaps. */
  readonly chunks: readonly ChunkReference[]
}

/** Proof that a validator set followed another: the old set's certificate on the block that names the new one. */
export interface HandOver {
  /** Of the block that ended the epoch. */
  readonly header: BlockHeader
  /** Commit certificate of exactly that block, by the set of that epoch. */
  readonly certificate: QuorumCertificate
  /** The set of the next epoch; the header names its root. */
  readonly validators: readonly Validator[]
}

/** What a peer says it can give; nothing of it is proven. */
export interface SnapshotOffer {
  readonly height: Height
  readonly blockHash: string
  /** Of all chunks together. */
  readonly bytes: number
}
