/** Blocks. The hash of a block is the hash of its header, and no signature is inside it. */
import type {
  BlockHash,
  Epoch,
  GenesisHash,
  Height,
  Hex32,
  StateRoot,
  UnixMs,
  ValidatorIndex,
  View,
} from './primitives.ts'
import type { HashedTransaction } from './transaction.ts'

/** The prepare certificate a block builds on, by reference: two nodes hold different quorums of the same one. */
export interface CertificateReference {
  readonly view: View
  readonly blockHash: BlockHash
}

export interface BlockHeader {
  readonly genesisHash: GenesisHash
  readonly epoch: Epoch
  readonly view: View
  readonly height: Height
  readonly parentHash: BlockHash
  readonly justify: CertificateReference
  /** Strictly above the parent's. */
  readonly timestamp: UnixMs
  readonly proposer: ValidatorIndex
  /** SSZ list root over the transaction hashes. */
  readonly transactionsRoot: Hex32
  /** 48 bytes as 96 hex digits: SHA-384 over the ordered proofs of the transactions. */
  readonly proofCommitment: string
  /** Root of the note commitment tree after this block. */
  readonly noteCommitmentRoot: Hex32
  /** Root of the list of all nullifiers after this block. */
  readonly nullifierRoot: Hex32
  /** Root of the state before this block. */
  readonly parentStateRoot: StateRoot
  /** SSZ root of the validator set that decides the next block: part of the state after this one. */
  readonly validatorSetRoot: Hex32
}

export interface Block {
  readonly header: BlockHeader
  readonly transactions: readonly HashedTransaction[]
}

/** A block with its hash, computed once at the edge. */
export interface HashedBlock extends Block {
  readonly hash: BlockHash
  /** Canonical bytes of the whole block. */
  readonly bytes: Uint8Array
}
