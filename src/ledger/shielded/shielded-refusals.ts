/** Why no block may hold a shielded transaction. */
import type { StakingRefusal } from '../staking/staking-refusals.ts'

export type ShieldedRefusal =
  | 'shielded-chain'
  | 'shielded-expired'
  | 'shielded-ciphertexts'
  | 'shielded-binding'
  | 'shielded-amount'
  | 'shielded-fee'
  | 'shielded-malformed'
  | 'shielded-anchor'
  | 'shielded-pool'
  | 'shielded-signature'
  | 'shielded-proof'
  | 'nullifier-repeated-in-transaction'
  | 'nullifier-spent'
  | Extract<
      StakingRefusal,
      | 'staking-unknown-account'
      | 'staking-sequence'
      | 'staking-sequence-ahead'
      | 'staking-balance'
      | 'staking-new-account'
      | 'staking-accounts-full'
    >

/** What no state could have prevented: whoever sends such a transaction has checked nothing. */
export const SHIELDED_WRONG_ALWAYS: readonly ShieldedRefusal[] = [
  'shielded-chain',
  'shielded-ciphertexts',
  'shielded-binding',
  'shielded-amount',
  'shielded-fee',
  'shielded-malformed',
  'shielded-signature',
  'shielded-proof',
  'nullifier-repeated-in-transaction',
]
