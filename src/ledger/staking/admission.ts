/**
 * Whether a staking or evidence transaction is worth waiting for a block, judged on the final state: stricter than
 * the rules of a block in what it does not let wait for ever, and no rule of the chain.
 */
import { accountId } from '../../codec/genesis.ts'
import { unreachable } from '../../types/assert.ts'
import type { Refusal } from '../../types/errors.ts'
import type { StakingState } from '../../types/staking.ts'
import type { EvidenceTransaction, StakingTransaction } from '../../types/transaction.ts'
import type { ChainRules } from '../chain-rules.ts'
import { checkEvidence } from './check-evidence.ts'
import { checkStaking, checkStakingSignatures } from './check-staking.ts'
import type { ChainMoment } from './evidence-window.ts'
import type { EvidenceRefusal, StakingRefusal } from './staking-refusals.ts'

/** How far ahead of its account a transaction may be: so many of one account can wait at once. */
export const SEQUENCES_AHEAD_MAX = 16

export type AdmissionRefusal = StakingRefusal | EvidenceRefusal

/**
 * @param state the final one
 * @param next the block after the last final one, as far as it is known: its height, and the time of the last
 * @returns why it cannot be in a block soon; null when it can
 */
export function admissionRefusal(
  transaction: StakingTransaction | EvidenceTransaction,
  state: StakingState,
  next: ChainMoment,
  rules: ChainRules,
): Refusal<AdmissionRefusal> | null {
  switch (transaction.kind) {
    case 'staking': {
      const outcome = checkStaking(transaction, state, next.height, rules)
      if (outcome.ok) return null
      if (outcome.code !== 'staking-sequence-ahead') return outcome
      if (transaction.sequence > sequenceOf(transaction, state) + SEQUENCES_AHEAD_MAX) return outcome
      return checkStakingSignatures(transaction, rules)
    }
    case 'evidence': {
      const outcome = checkEvidence(transaction.evidence, state, next, rules)
      return outcome.ok ? null : outcome
    }
    default:
      return unreachable(transaction)
  }
}

/**
 * The same for one that was admitted before, without the signatures, which have not changed: what has become
 * impossible since.
 */
export function reviewRefusal(
  transaction: StakingTransaction | EvidenceTransaction,
  state: StakingState,
  next: ChainMoment,
  rules: ChainRules,
): Refusal<AdmissionRefusal> | null {
  return admissionRefusal(transaction, state, next, { ...rules, verifySignature: () => true })
}

/** Refusals that no state could have prevented: whoever sent such a transaction has checked nothing. */
const PROVEN_WRONG: ReadonlySet<string> = new Set<AdmissionRefusal>([
  'staking-amount',
  'staking-signature',
  'staking-key-proof',
  'evidence-same-content',
  'evidence-order',
  'evidence-height',
  'evidence-signature',
])

/** Whether a refusal is the sender's fault, on whatever state it was. */
export function isProvenWrong(code: string): boolean {
  return PROVEN_WRONG.has(code)
}

function sequenceOf({ publicKey }: StakingTransaction, { accounts }: StakingState): number {
  return accounts.get(accountId(publicKey))?.sequence ?? 0
}
