/**
 * What the network asks of requests. The one place that says where the policy is found: in the state once an operation
 * has changed it, before that in genesis.
 */

import type { AssuranceLevel, AssurancePolicy, ValidationPolicy } from '../types/genesis.ts'
import type { OperationsState } from '../types/operations.ts'
import type { ValidationTransaction } from '../types/transaction.ts'
import { CERTIFICATE_TYPES, type CertificateType } from '../types/validation-request.ts'
import type { ChainRules } from './chain-rules.ts'

/** One level for everything. */
export function uniformAssurance(level: AssuranceLevel): AssurancePolicy {
  return {
    certificates: Object.fromEntries(CERTIFICATE_TYPES.map((type) => [type, level])) as Record<
      CertificateType,
      AssuranceLevel
    >,
    operations: [],
    otherOperations: level,
    anchorAgeBlocksMax: 256,
    minimumWorkBits: 16,
    // A hundred levels are what TrustChain's test data claims; each costs some stake.
    authority: [
      { level: 1n, bondedStake: 1n },
      { level: 10n, bondedStake: 100n },
      { level: 100n, bondedStake: 1_000n },
    ],
  }
}

const DECLARED = uniformAssurance('declared')

/** The rules that the block after a state is judged by: genesis's, with the policy of operations where there is one. */
export function rulesUnder<T extends Pick<ChainRules, 'policy'>>(
  rules: T,
  { policy }: Pick<OperationsState, 'policy'>,
): T {
  return policy === null ? rules : { ...rules, policy }
}

/** A policy that says everything. */
export function wholePolicy(
  policy: ValidationPolicy,
): ValidationPolicy & { readonly assurance: AssurancePolicy } {
  return { ...policy, assurance: assuranceOf(policy) }
}

/** The policy that requests are judged by under these rules ({@link rulesUnder}). */
export function currentPolicy({ policy }: Pick<ChainRules, 'policy'>): ValidationPolicy {
  return policy
}

/** What a policy asks for beyond declarations; nothing, where its document is from before there were levels. */
export function assuranceOf({ assurance }: ValidationPolicy): AssurancePolicy {
  return assurance ?? DECLARED
}

/** The least level that a request must reach. */
export function requiredLevel(transaction: ValidationTransaction, policy: ValidationPolicy): AssuranceLevel {
  const assurance = assuranceOf(policy)
  if (transaction.kind === 'validate-certificate') {
    return assurance.certificates[transaction.request.validationContext.certificateType]
  }
  const { operation } = transaction.request
  const listed = assurance.operations.find((row) => row.operation === operation)
  return listed?.level ?? assurance.otherOperations
}

/** The highest authority level that a bonded stake gives. */
export function authorityFor(bondedStake: bigint, { authority }: AssurancePolicy): bigint {
  return authority.findLast((step) => bondedStake >= step.bondedStake)?.level ?? 0n
}
