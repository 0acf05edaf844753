/**
 * The staking half of one block: applies its transactions in order to a copy of the accounts, made only when the
 * first one changes something. A refused transaction changes nothing.
 */
import { assert, unreachable } from '../../types/assert.ts'
import type { Refusal } from '../../types/errors.ts'
import type { AccountId } from '../../types/primitives.ts'
import type { Account, StakingState } from '../../types/staking.ts'
import type { AccountTransaction } from '../../types/transaction.ts'
import type { ChainRules } from '../chain-rules.ts'
import { checkOperator } from '../operators/check-operator.ts'
import type { OperatorRefusal } from '../operators/operator-refusals.ts'
import { checkEvidence } from './check-evidence.ts'
import { checkStaking } from './check-staking.ts'
import { endEpoch } from './end-epoch.ts'
import type { ChainMoment } from './evidence-window.ts'
import { punish } from './punish.ts'
import type { EvidenceRefusal, StakingRefusal } from './staking-refusals.ts'

export class StakingExecution {
  readonly #now: ChainMoment
  readonly #rules: ChainRules
  #state: StakingState
  /** The copy that this execution may change; null while nothing has. */
  #accounts: Map<AccountId, Account> | null = null

  /** @param state before the block */
  constructor(state: StakingState, now: ChainMoment, rules: ChainRules) {
    this.#state = state
    this.#now = now
    this.#rules = rules
  }

  /** After the transactions so far. */
  get state(): StakingState {
    return this.#state
  }

  /** Accounts after a transaction that changes no stake. */
  changed(accounts: readonly Account[]): void {
    if (accounts.length > 0) this.#put(accounts)
  }

  /** What is nobody's any more. */
  burn(amount: bigint): void {
    this.#state = { ...this.#state, burnt: this.#state.burnt + amount }
  }

  /** Applies the next transaction, or says why the block may not hold it. */
  add(transaction: AccountTransaction): Refusal<StakingRefusal | EvidenceRefusal | OperatorRefusal> | null {
    switch (transaction.kind) {
      case 'staking': {
        const changed = checkStaking(transaction, this.#state, this.#now.height, this.#rules)
        if (!changed.ok) return changed
        this.#put(changed.value)
        return null
      }
      case 'operator': {
        const changed = checkOperator(transaction, this.#state, this.#now.height, this.#rules)
        if (!changed.ok) return changed
        const { account, operator } = changed.value
        this.#put([account])
        const operators = new Map(this.#state.operators).set(operator.account, operator)
        this.#state = { ...this.#state, operators }
        return null
      }
      case 'evidence': {
        const guilty = checkEvidence(transaction.evidence, this.#state, this.#now, this.#rules)
        if (!guilty.ok) return guilty
        const { account, slash } = punish(guilty.value, this.#state, this.#now, this.#rules.parameters)
        this.#put([account])
        const slashes = [...this.#state.slashes, slash]
        this.#state = { ...this.#state, slashes, burnt: this.#state.burnt + slash.burnt }
        return null
      }
      default:
        return unreachable(transaction)
    }
  }

  /**
   * The state after the block; the one before it, the very object, when nothing changed.
   * @param isEpochEnd whether the block is the last of its epoch
   */
  finish(isEpochEnd: boolean): StakingState {
    return isEpochEnd ? endEpoch(this.#state, this.#now, this.#rules.parameters) : this.#state
  }

  #put(changed: readonly Account[]): void {
    if (this.#accounts === null) {
      this.#accounts = new Map(this.#state.accounts)
      this.#state = { ...this.#state, accounts: this.#accounts }
    }
    for (const account of changed) {
      assert(account.balance >= 0n && account.bonded >= 0n, `account ${account.id} would be negative`)
      this.#accounts.set(account.id, account)
    }
  }
}
