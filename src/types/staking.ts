/**
 * Accounts, stake and the validator set as values. Nothing here is changed in place: a block that changes stake
 * makes a new state, which shares every account that stayed the same. The rules are in ledger/staking.
 */
import type { Operators } from './operator.ts'
import type { AccountId, Epoch, Height, UnixMs, ValidatorId } from './primitives.ts'
import type { Validator } from './validator-set.ts'

/** Accounts of a network, all together. */
export const ACCOUNTS_MAX = 4_096
/** Withdrawals under way of one account. */
export const UNBONDINGS_MAX = 32
/** Former keys that an account answers for at once. */
export const PREVIOUS_KEYS_MAX = 8
/** Epochs whose end is remembered; evidence from an older one is expired whatever its windows say. */
export const EPOCH_ENDS_MAX = 4_096
/** The least a transfer may bring into being a new account with. */
export const NEW_ACCOUNT_AMOUNT_MIN = 100n

/** Stake that was withdrawn: no longer a weight from the next epoch on, still liable until it matures. */
export interface Unbonding {
  /** > 0, unless a punishment took all. */
  readonly amount: bigint
  /** Both must be reached. */
  readonly matureHeight: Height
  /** Null while the epoch goes on in which it was withdrawn: the delay is counted from that epoch's end. */
  readonly matureTime: UnixMs | null
}

/** A validator key that was changed for another one. */
export interface PreviousKey {
  readonly id: ValidatorId
  /** The last epoch that it could vote in. */
  readonly lastEpoch: Epoch
}

export interface Account {
  readonly id: AccountId
  /** Free to be spent. */
  readonly balance: bigint
  /** Of its last transaction; the next one has one more. */
  readonly sequence: number
  /** Stake: a weight when it has joined. */
  readonly bonded: bigint
  /** Oldest first, at most {@link UNBONDINGS_MAX}. */
  readonly unbonding: readonly Unbonding[]
  /** ML-DSA-65 key that votes for it, 1,952 bytes; null until it first joins. */
  readonly validatorKey: Uint8Array | null
  /** Oldest first, at most {@link PREVIOUS_KEYS_MAX}; kept while evidence against them counts. */
  readonly previousKeys: readonly PreviousKey[]
  /** Whether it wants to be in the set. */
  readonly isJoined: boolean
  /** When it was found to have signed two contents; it never comes back. */
  readonly tombstonedAt: Height | null
}

/** One punishment. */
export interface Slash {
  readonly account: AccountId
  readonly height: Height
  readonly time: UnixMs
  /** Stake it stood for, withdrawals under way included, before the punishment. */
  readonly stake: bigint
  readonly burnt: bigint
}

/** When the last block of an epoch was made. */
export interface EpochEnd {
  readonly epoch: Epoch
  readonly time: UnixMs
}

export interface StakingState {
  /** Of the next block. */
  readonly epoch: Epoch
  /** The set that decides the next block. */
  readonly validators: readonly Validator[]
  readonly accounts: ReadonlyMap<AccountId, Account>
  /** Their bonded stake is in no account; a leaf of the state of their own. */
  readonly operators: Operators
  /** Within the evidence windows, oldest first. */
  readonly slashes: readonly Slash[]
  /** Within the evidence windows, oldest first. */
  readonly epochEnds: readonly EpochEnd[]
  /** Taken by punishments, ever. */
  readonly burnt: bigint
}

/** All there is: balances, stake, operators' bonds, withdrawals under way, and what was burnt. No block changes it. */
export function totalSupply(state: StakingState): bigint {
  let sum = state.burnt
  for (const { bondedStake } of state.operators.values()) sum += bondedStake
  for (const { balance, bonded, unbonding } of state.accounts.values()) {
    sum += balance + bonded
    for (const { amount } of unbonding) sum += amount
  }
  return sum
}
