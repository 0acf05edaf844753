/**
 * What proves a verdict to somebody who trusts a checkpoint and no node. Bytes are in codec/receipt.ts, the text form in
 * codec/receipt-json.ts, the rules in ledger/receipt/verify-receipt.ts.
 */
import type { BlockHeader } from './block.ts'
import type { QuorumCertificate } from './certificates.ts'
import type { BlockHash, Epoch, GenesisHash, Height, Hex32 } from './primitives.ts'
import type { HandOver } from './snapshot.ts'
import type { Validator } from './validator-set.ts'

/** The siblings on the way from the root of the verdict list to the state root, from below. */
export interface StateBranch {
  /** Leaf 3: root of the set that decides the next block. */
  readonly validators: Hex32
  /** Node over the leaves 0 and 1. */
  readonly nullifiersAndNotes: Hex32
  /** Node over the leaves 4 to 7. */
  readonly parametersToTrust: Hex32
  /** Node over the leaves 8 to 15; those above 10 are absent. */
  readonly operatorsAndBlocks: Hex32
}

/** A block that the receipt starts from: whoever trusts its hash trusts the set that it names. */
export interface StartBlock {
  readonly header: BlockHeader
  /** The set that decides the block after it; the header names its root. */
  readonly validators: readonly Validator[]
}

export interface Receipt {
  /** Epoch of the set that must be trusted: 0 from genesis on, else that of a checkpoint. */
  readonly startEpoch: Epoch
  /** The block of the checkpoint, when a block is what is trusted. */
  readonly startBlock: StartBlock | null
  /** Each change of the validator set from the start to the epoch of `header`, in order. */
  readonly handOvers: readonly HandOver[]
  /** Of a final block; its `parentStateRoot` is the state that the verdict is in. */
  readonly header: BlockHeader
  /** Pre-commit certificate of exactly that block. */
  readonly certificate: QuorumCertificate
  readonly stateBranch: StateBranch
  /** Verdicts in that state. */
  readonly listSize: number
  /** Of the verdict among them, from 0. */
  readonly position: number
  /** Siblings from the leaf up to the root of the list's contents; those over nothing but absent leaves are left out. */
  readonly path: readonly Hex32[]
  /** Canonical bytes of the verdict record (codec/verdict.ts). */
  readonly record: Uint8Array
}

/** From where a receipt leads to its block: what whoever asks for it trusts. */
export type ReceiptStart =
  | { readonly kind: 'genesis' }
  /** The set of an epoch. */
  | { readonly kind: 'epoch'; readonly epoch: Epoch }
  | { readonly kind: 'block'; readonly height: Height }

/** What whoever checks a receipt believes without proof. */
export type ReceiptTrust = {
  /** The network. */
  readonly genesisHash: GenesisHash
  /** Blocks per epoch, of genesis; 0: one epoch without end. */
  readonly epochBlocks: number
} & (
  | { readonly kind: 'genesis'; readonly validators: readonly Validator[] }
  | { readonly kind: 'validator-set'; readonly epoch: Epoch; readonly validators: readonly Validator[] }
  | { readonly kind: 'block'; readonly height: Height; readonly blockHash: BlockHash }
)
