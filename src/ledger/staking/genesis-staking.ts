/** The staking state that a network starts with: an account for every validator, and the balances of genesis. */
import type { Genesis } from '../../types/genesis.ts'
import { type AccountId, asEpoch } from '../../types/primitives.ts'
import type { Account, StakingState } from '../../types/staking.ts'

/** An account that has nothing and has done nothing. */
export function emptyAccount(id: AccountId): Account {
  return {
    id,
    balance: 0n,
    sequence: 0,
    bonded: 0n,
    unbonding: [],
    validatorKey: null,
    previousKeys: [],
    isJoined: false,
    tombstonedAt: null,
  }
}

/** The state before block 1. */
export function genesisStaking({ validators, accounts: balances }: Genesis): StakingState {
  const accounts = new Map<AccountId, Account>()
  for (const { id, publicKey, stake } of validators) {
    // Both are the hash of one key: a validator of genesis is its own account.
    const account = id as string as AccountId
    accounts.set(account, {
      ...emptyAccount(account),
      bonded: stake,
      validatorKey: publicKey,
      isJoined: true,
    })
  }
  for (const { id, balance } of balances) {
    const account = accounts.get(id) ?? emptyAccount(id)
    accounts.set(id, { ...account, balance: account.balance + balance })
  }
  return {
    epoch: asEpoch(0),
    validators,
    accounts,
    operators: new Map(),
    slashes: [],
    epochEnds: [],
    burnt: 0n,
  }
}
