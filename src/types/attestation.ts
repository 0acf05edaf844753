/** What a request of the level "attested" carries beside its proofs. Bytes are in codec/attestation.ts. */
import type { BlockHash, Height } from './primitives.ts'

/** Leaves of the space that are opened. */
export const OPENINGS = 16
/** Where a certificate request carries its attestation: a key of `validation_context.metadata`. */
export const ATTESTATION_KEY = 'hypermesh.attestation'
/** Ancestors of a block that its state can name, and so the age of the oldest anchor. */
export const RECENT_BLOCKS = 256

/** A recent block: nobody could know its hash before it existed. */
export interface Anchor {
  readonly height: Height
  readonly hash: BlockHash
}

/** A leaf with the hashes beside its path to the root, lowest first. */
export interface LeafOpening {
  readonly leaf: Uint8Array
  readonly path: readonly Uint8Array[]
}

/** All four attestations, as a certificate request carries them and as they are gathered from a four-proof set. */
export interface Attestation {
  readonly operatorId: string
  readonly anchor: Anchor
  /** Above the last one recorded: of the operator for certificate requests, of the node for four-proof sets. */
  readonly sequence: bigint
  readonly signature: Uint8Array
  readonly workNonce: bigint
  /** In the order of the drawn indices. */
  readonly openings: readonly LeafOpening[]
}
