/** Signatures of a quorum, gathered. Referred to by (view, block hash), never by their bytes. */
import type { BlockHash, Epoch, Height, Hex32, StateRoot, ValidatorIndex, View } from './primitives.ts'

export interface VoterSignature {
  readonly voter: ValidatorIndex
  readonly signature: Uint8Array
  /** What the vote signed for the commits it carried: of prepare votes only, and null where there were none. */
  readonly commits: Hex32 | null
}

/** Weight ≥ Q of votes of one kind for one block in one view. Signatures in order of voter. */
export interface QuorumCertificate {
  readonly kind: 'prepare' | 'pre-commit' | 'commit'
  readonly epoch: Epoch
  readonly view: View
  readonly height: Height
  readonly blockHash: BlockHash
  /** Only for kind `commit`: the state after the block. */
  readonly stateRoot: StateRoot | null
  /** Empty only in the certificate of genesis, which needs none. */
  readonly signatures: readonly VoterSignature[]
}

/** Weight ≥ Q of timeouts for one view, with a prepare certificate of the highest view among them. */
export interface TimeoutCertificate {
  readonly epoch: Epoch
  readonly view: View
  readonly timeouts: readonly (Omit<VoterSignature, 'commits'> & { readonly highQcView: View })[]
  readonly highQc: QuorumCertificate
}

/** Of an epoch whose validators become known by the blocks before it: what it says is a claim. */
export interface AheadCertificate {
  readonly claimedHeight: Height
}
