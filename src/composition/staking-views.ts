/** Accounts, punishments and transactions as the public API shows them; hands what it takes on to the pool. */
import { decodeTransaction } from '../codec/transaction.ts'
import { isProvenWrong } from '../ledger/staking/admission.ts'
import { idOfKey } from '../ledger/staking/validator-keys.ts'
import type {
  AccountView,
  SlashView,
  StakingPorts,
  SubmitRefusal,
  TransactionView,
} from '../rpc/http/staking-ports.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { AccountId, RequestKey } from '../types/primitives.ts'
import { type HashedTransaction, isValidation } from '../types/transaction.ts'
import type { Submitted } from './transaction-flow.ts'

export interface StakingSources {
  readonly chain: Pick<ChainStore, 'tip' | 'heightOfTransaction'>
  /** Whether a transaction waits for a block, or for its block to become final. */
  isWaiting(key: RequestKey): boolean
  submit(transaction: HashedTransaction): Submitted | Promise<Submitted>
}

/** Refusals of the pool that pass by themselves. */
const BUSY: ReadonlySet<string> = new Set(['full', 'source-budget', 'proofs-busy'])

export class StakingViews implements StakingPorts {
  readonly #sources: StakingSources

  constructor(sources: StakingSources) {
    this.#sources = sources
  }

  account(id: string): AccountView | null {
    const { accounts, validators } = this.#sources.chain.tip.staking
    const account = accounts.get(id as AccountId)
    if (account === undefined) return null
    const { validatorKey, previousKeys, ...shown } = account
    const validatorId = validatorKey === null ? null : idOfKey(validatorKey)
    // A key that was changed votes on until the epoch ends.
    const names = new Set<string>(previousKeys.map((key) => key.id))
    if (validatorId !== null) names.add(validatorId)
    const index = validators.findIndex((validator) => names.has(validator.id))
    return { ...shown, validatorId, validatorIndex: index === -1 ? null : index }
  }

  slashes(): readonly SlashView[] {
    return this.#sources.chain.tip.staking.slashes
  }

  transaction(key: string): TransactionView {
    const height = this.#sources.chain.heightOfTransaction(key as RequestKey)
    if (height !== null) return { key, state: 'final', height }
    return { key, state: this.#sources.isWaiting(key as RequestKey) ? 'pending' : 'unknown', height: null }
  }

  submit(bytes: Uint8Array): TransactionView | SubmitRefusal | Promise<TransactionView | SubmitRefusal> {
    const decoded = decodeTransaction(bytes)
    if (!decoded.ok) return { is: 'malformed', code: decoded.code, detail: decoded.detail }
    const transaction = decoded.value
    if (isValidation(transaction)) {
      return { is: 'malformed', code: 'kind', detail: 'requests to be judged go to the CA endpoint' }
    }
    const known = this.transaction(transaction.requestKey)
    if (known.state !== 'unknown') return known
    const { requestKey } = transaction
    const outcome = this.#sources.submit(transaction)
    return outcome instanceof Promise
      ? outcome.then((settled) => viewOf(requestKey, settled))
      : viewOf(requestKey, outcome)
  }
}

/** What has become of a transaction that was submitted. */
function viewOf(key: RequestKey, outcome: Submitted): TransactionView | SubmitRefusal {
  if (outcome.ok) return { key, state: 'pending', height: null }
  const { code, detail } = outcome
  const is = BUSY.has(code) ? 'busy' : isProvenWrong(code) || code === 'too-large' ? 'malformed' : 'illegal'
  return { is, code, detail }
}
