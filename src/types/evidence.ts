/**
 * Proof that a validator signed two contents for one slot (R12). Holds all that is needed to check it but the
 * knowledge whose key it is: the ledger keeps which account a validator key belongs to. Commit votes are not
 * slashable: a broken disk can make an honest validator contradict itself there.
 */
import type { BlockHash, Epoch, Height, View } from './primitives.ts'

/** The kinds of message that may be signed once per (epoch, view). */
export type SlashableKind = 'proposal' | 'prepare' | 'pre-commit'

/** One of the two contents, with the signature over it (codec/signing-payloads.ts). */
export interface SignedContent {
  /** As a vote signs it; 0 for a proposal, whose payload has none. */
  readonly height: Height
  readonly blockHash: BlockHash
  /** ML-DSA-65, 3,309 bytes. */
  readonly signature: Uint8Array
}

/** Two signed contents of one validator for one slot. `first` has the lower (blockHash, height): one form per offence. */
export interface Evidence {
  readonly kind: SlashableKind
  readonly epoch: Epoch
  readonly view: View
  /** The offender's validator key, ML-DSA-65, 1,952 bytes. */
  readonly publicKey: Uint8Array
  readonly first: SignedContent
  readonly second: SignedContent
}
