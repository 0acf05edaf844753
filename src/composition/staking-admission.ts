/** Asks the ledger, on the final state, about transactions without a verdict that want to wait or are waiting. */
import type { ChainRules } from '../ledger/chain-rules.ts'
import { shieldedRefusal } from '../ledger/shielded/admission.ts'
import type { ShieldedRefusal } from '../ledger/shielded/shielded-refusals.ts'
import {
  type AdmissionRefusal,
  type AdmittedTransaction,
  admissionRefusal,
  reviewRefusal,
} from '../ledger/staking/admission.ts'
import type { ChainMoment } from '../ledger/staking/evidence-window.ts'
import { checkCommitPair } from '../ledger/verdicts/commit-pairs.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { Refusal } from '../types/errors.ts'
import { nextHeight } from '../types/primitives.ts'
import type { ShieldedTransaction } from '../types/shielded.ts'
import {
  type CommitPairTransaction,
  type HashedTransaction,
  isAccountTransaction,
} from '../types/transaction.ts'

export class StakingAdmission {
  readonly #chain: Pick<ChainStore, 'tip' | 'state'>
  readonly #rules: ChainRules

  constructor(chain: Pick<ChainStore, 'tip' | 'state'>, rules: ChainRules) {
    this.#chain = chain
    this.#rules = rules
  }

  /** Why a transaction may not wait; null for one that may, and for every request to be judged. */
  refusal(hashed: HashedTransaction): Refusal<AdmissionRefusal | ShieldedRefusal> | null {
    return this.#refusal(hashed, this.#rules)
  }

  /** The same with the proof of a shielded transaction left aside, which costs more than all the rest. */
  refusalBeforeProof(hashed: HashedTransaction): Refusal<AdmissionRefusal | ShieldedRefusal> | null {
    return this.#refusal(hashed, { ...this.#rules, verifyShielded: () => true })
  }

  /** Whether one that waits has become impossible. */
  isHopeless(hashed: HashedTransaction): boolean {
    const { transaction } = hashed
    if (transaction.kind === 'commit-pair') {
      return this.#pairRefusal(transaction, { ...this.#rules, verifySignature: () => true }) !== null
    }
    if (transaction.kind === 'shielded') {
      const known = { ...this.#rules, verifySignature: () => true, verifyShielded: () => true }
      return this.#shieldedRefusal(transaction, known) !== null
    }
    const admitted = withoutVerdict(hashed)
    return admitted !== null && reviewRefusal(admitted, this.#chain.tip, this.#next(), this.#rules) !== null
  }

  #refusal(hashed: HashedTransaction, rules: ChainRules): Refusal<AdmissionRefusal | ShieldedRefusal> | null {
    const { transaction } = hashed
    if (transaction.kind === 'shielded') return this.#shieldedRefusal(transaction, rules)
    if (transaction.kind === 'commit-pair') return this.#pairRefusal(transaction, rules)
    const admitted = withoutVerdict(hashed)
    return admitted === null ? null : admissionRefusal(admitted, this.#chain.tip, this.#next(), rules)
  }

  #shieldedRefusal(transaction: ShieldedTransaction, rules: ChainRules): Refusal<ShieldedRefusal> | null {
    return shieldedRefusal(transaction, this.#chain.state, this.#next().height, rules)
  }

  #pairRefusal({ pair }: CommitPairTransaction, rules: ChainRules): Refusal<AdmissionRefusal> | null {
    const outcome = checkCommitPair(pair, this.#chain.tip, this.#next().height, rules)
    return outcome.ok ? null : outcome
  }

  #next(): ChainMoment {
    const { height, block } = this.#chain.tip
    return { height: nextHeight(height), time: block.header.timestamp }
  }
}

/** The transaction when it is one of those whose place the ledger knows; null for requests, and for ballots. */
function withoutVerdict(hashed: HashedTransaction): AdmittedTransaction | null {
  const { transaction } = hashed
  return isAccountTransaction(transaction) || transaction.kind === 'operation'
    ? { ...hashed, transaction }
    : null
}
