/**
 * Proof that a validator signed two contents for one slot (R12). Holds all that is needed to check it but the
 * knowledge whose key it is: the ledger keeps which account a validator key belongs to. Commit votes are not
 * slashable: a broken disk can make an honest validator contradict itself there.
 */
import type { BlockHash, Epoch, Height, Hex32, View } from './primitives.ts'

/** The kinds of message that may be signed once per (epoch, view). */
export type SlashableKind = 'proposal' | 'prepare' | 'pre-commit'

/** One of the two contents, with the signature over it (codec/signing-payloads.ts). */
export interface SignedContent {
  /** As a vote signs it; 0 for a proposal, whose payload has none. */
  readonly height: Height
  readonly blockHash: BlockHash
  /** ML-DSA-65, 3,309 bytes. */
  readonly signature: Uint8Array
  /** What a prepare vote signed for the commits it carried (codec/ballots.ts); else null. No part of the content. */
  readonly commits: Hex32 | null
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

/**
 * The evidence that two signed contents of one slot make, in its one form; null when their contents are equal.
 * Contents are compared, never signature bytes: ML-DSA signing is hedged.
 * @param publicKey the key that both signatures are valid under; nothing is verified here
 */
export function makeEvidence(
  kind: SlashableKind,
  epoch: Epoch,
  view: View,
  publicKey: Uint8Array,
  a: SignedContent,
  b: SignedContent,
): Evidence | null {
  const order = compareContents(a, b)
  if (order === 0) return null
  const [first, second] = order < 0 ? [a, b] : [b, a]
  return { kind, epoch, view, publicKey, first, second }
}

/** Order of two contents by (block hash, height): below 0, 0 when they are equal, above 0. */
export function compareContents(a: SignedContent, b: SignedContent): number {
  if (a.blockHash !== b.blockHash) return a.blockHash < b.blockHash ? -1 : 1
  return a.height - b.height
}
