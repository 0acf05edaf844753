/** Who may vote, and with what weight. The arithmetic on it is in consensus/validator-set.ts. */
import type { Epoch, ValidatorId } from './primitives.ts'

export interface Validator {
  readonly id: ValidatorId
  /** ML-DSA-65 public key, 1,952 bytes. */
  readonly publicKey: Uint8Array
  /** Voting weight, > 0. */
  readonly stake: bigint
}

/** In the order that validator indices refer to. */
export interface ValidatorSet {
  readonly epoch: Epoch
  readonly validators: readonly Validator[]
}
