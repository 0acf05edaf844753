/**
 * What a network needs after a safety break: checkpoints that were kept outside of the nodes, the proof of the break, and
 * the decision to go on without the culprits. The rules are in ledger/recovery.
 */
import type { BlockHeader } from './block.ts'
import type { QuorumCertificate } from './certificates.ts'
import type { AccountId, BlockHash, GenesisHash, StateRoot } from './primitives.ts'
import type { Validator } from './validator-set.ts'

/** The last block of an epoch with what certifies it and its state. Says all that it is checked by but whom to trust. */
export interface SeedCheckpoint {
  readonly genesisHash: GenesisHash
  /** Blocks per epoch, of genesis. */
  readonly epochBlocks: number
  readonly header: BlockHeader
  /** After the block. */
  readonly stateRoot: StateRoot
  /** The set of the block's epoch, whose quorum signed. */
  readonly voters: readonly Validator[]
  /** The set of the next epoch; the header names its root. */
  readonly validators: readonly Validator[]
  /** Commit certificate of exactly this block and state. */
  readonly certificate: QuorumCertificate
}

/** A checkpoint with the signature of the validator that kept it. */
export interface SignedCheckpoint extends SeedCheckpoint {
  /** ML-DSA-65 key of the custodian, 1,952 bytes. */
  readonly custodian: Uint8Array
  /** Over everything else, context seed-checkpoint. */
  readonly signature: Uint8Array
}

/** Two certificates that cannot both be, and the set that signed both. */
export interface ForkProof {
  readonly genesisHash: GenesisHash
  /** Of the certificates' epoch. */
  readonly voters: readonly Validator[]
  readonly first: QuorumCertificate
  readonly second: QuorumCertificate
}

/** What the remaining validators agree to: this network ends at that block, and goes on as that one. */
export interface RestartDecision {
  /** The network that ends. */
  readonly from: GenesisHash
  /** Of the checkpoint. */
  readonly blockHash: BlockHash
  /** In ascending order: accounts whose stake is gone. */
  readonly culprits: readonly AccountId[]
  /** The network that goes on. */
  readonly to: GenesisHash
}

export interface RestartSignature {
  /** Of a validator of the checkpoint's next set. */
  readonly publicKey: Uint8Array
  /** Context restart. */
  readonly signature: Uint8Array
}
