/**
 * What the network asks of requests. The one place that says where the policy is found: in genesis, until there are
 * operations that change it; then in the state.
 */

import type { AssuranceLevel, AssurancePolicy, ValidationPolicy } from '../types/genesis.ts'
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

/** The policy that requests of the next block are judged by. */
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
