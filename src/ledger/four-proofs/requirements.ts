/** The stricter of the caller's requirements and the network's policy, field by field: the caller can only tighten. */
import type { ValidationPolicy } from '../../types/genesis.ts'
import type { ConsensusRequirements } from '../../types/validation-request.ts'
import { nanosecondsOf, nanosecondsOfMs, WINDOW_MAX_NS } from './moments.ts'
import type { RuleFailures } from './rule-failures.ts'

/** A bound with who asks for it, as reasons name them. */
export interface Bound {
  readonly value: bigint
  readonly source: 'consensus_requirements' | 'network policy' | 'always'
}

export interface EffectiveRequirements {
  readonly minimumStake: Bound
  /** Nanoseconds. */
  readonly maxTimeOffsetNs: Bound
  /** How far the verified time may be from block time, either way: the maximum offset, at most 300 s. Nanoseconds. */
  readonly timeWindowNs: bigint
  readonly minimumStorage: Bound
  readonly maximumStorage: Bound
  readonly minimumCompute: Bound
  readonly maximumCompute: Bound
}

/** Zero is never enough, whoever asks for nothing (spec/stoq.md 4.2 (a)). */
const AT_LEAST_ONE: Bound = { value: 1n, source: 'always' }

const policyBound = (value: bigint): Bound => ({ value, source: 'network policy' })
const callerBound = (value: bigint): Bound => ({ value, source: 'consensus_requirements' })

const larger = (a: Bound, b: Bound): Bound => (b.value > a.value ? b : a)
const smaller = (a: Bound, b: Bound): Bound => (b.value < a.value ? b : a)

/** The floor for something that only the policy bounds. */
export function policyFloor(value: bigint): Bound {
  return larger(policyBound(value), AT_LEAST_ONE)
}

/** Combines both. Caps are the policy's alone: the wire has none. */
export function effectiveRequirements(
  caller: ConsensusRequirements,
  policy: ValidationPolicy,
): EffectiveRequirements {
  const maxTimeOffsetNs = smaller(
    policyBound(nanosecondsOfMs(policy.maxTimeOffsetMs)),
    callerBound(nanosecondsOf(caller.maxTimeOffset)),
  )
  return {
    minimumStake: larger(policyFloor(policy.minimumStake), callerBound(caller.minimumStake)),
    maxTimeOffsetNs,
    timeWindowNs: smaller(maxTimeOffsetNs, { value: WINDOW_MAX_NS, source: 'always' }).value,
    minimumStorage: larger(policyFloor(policy.minimumStorage), callerBound(caller.minimumStorage)),
    maximumStorage: policyBound(policy.maximumStorage),
    minimumCompute: larger(policyFloor(policy.minimumCompute), callerBound(caller.minimumCompute)),
    maximumCompute: policyBound(policy.maximumCompute),
  }
}

/** Rule: at least. */
export function requireMinimum(failures: RuleFailures, field: string, seen: bigint, minimum: Bound): void {
  if (seen < minimum.value) {
    failures.add(`${field} ${seen} is below the minimum ${minimum.value} (${minimum.source})`)
  }
}

/** Rule: at most. */
export function requireMaximum(failures: RuleFailures, field: string, seen: bigint, maximum: Bound): void {
  if (seen > maximum.value) {
    failures.add(`${field} ${seen} is above the maximum ${maximum.value} (${maximum.source})`)
  }
}
