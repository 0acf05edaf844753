/** Which account a validator key belongs to, now or while evidence against it still counts. */
import { validatorId } from '../../codec/genesis.ts'
import type { AccountId, Epoch, ValidatorId } from '../../types/primitives.ts'
import type { Account } from '../../types/staking.ts'

const ids = new WeakMap<Uint8Array, ValidatorId>()

/** Identity of a validator key; worked out once per key object. */
export function idOfKey(publicKey: Uint8Array): ValidatorId {
  const known = ids.get(publicKey)
  if (known !== undefined) return known
  const id = validatorId(publicKey)
  ids.set(publicKey, id)
  return id
}

/** An account with one of its validator keys. */
export interface KeyOwner {
  readonly account: Account
  /** The last epoch the key could vote in; null for the account's current key. */
  readonly lastEpoch: Epoch | null
}

/** The account that a validator key belongs or belonged to; null when none does. */
export function ownerOfKey(id: ValidatorId, accounts: ReadonlyMap<AccountId, Account>): KeyOwner | null {
  for (const account of accounts.values()) {
    if (account.validatorKey !== null && idOfKey(account.validatorKey) === id) {
      return { account, lastEpoch: null }
    }
    const previous = account.previousKeys.find((key) => key.id === id)
    if (previous !== undefined) return { account, lastEpoch: previous.lastEpoch }
  }
  return null
}
