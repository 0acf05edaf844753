/** Times in nanoseconds since the Unix epoch, as bigints: any u64 of seconds fits, nothing is rounded. */
import type { UnixMs } from '../../types/primitives.ts'
import type { SecondsNanos } from '../../types/validation-request.ts'
import { seconds } from './reason-text.ts'
import type { RuleFailures } from './rule-failures.ts'

export const NANOS_PER_SECOND = 1_000_000_000n
const NANOS_PER_MILLISECOND = 1_000_000n

/** How far a proof's time may lie ahead of the block's: clocks differ (spec/four-proofs.md, stake). */
export const SKEW_ALLOWANCE_NS = 5n * NANOS_PER_SECOND
/** Furthest that any request may be from block time, either way (spec/four-proofs.md, time and outer). */
export const WINDOW_MAX_NS = 300n * NANOS_PER_SECOND

/** Nanoseconds of a time or duration; nanoseconds of 10⁹ and more carry by themselves. */
export function nanosecondsOf(value: SecondsNanos): bigint {
  return value.secs * NANOS_PER_SECOND + BigInt(value.nanos)
}

/** Nanoseconds of milliseconds. */
export function nanosecondsOfMs(value: number): bigint {
  return BigInt(value) * NANOS_PER_MILLISECOND
}

/** Nanoseconds of a block's time. */
export function blockNanoseconds(blockTime: UnixMs): bigint {
  return nanosecondsOfMs(blockTime)
}

/**
 * Rule: a time is not ahead of the block's by more than the skew allowance, and not older than `ageMaxNs`.
 * @param ageMaxNs null when age does not count
 * @param qualifier follows the maximum in the reason, such as ` for a Pending workload`
 */
export function requireFresh(
  failures: RuleFailures,
  field: string,
  timestamp: SecondsNanos,
  blockNs: bigint,
  ageMaxNs: bigint | null,
  qualifier = '',
): void {
  const age = blockNs - nanosecondsOf(timestamp)
  if (age < -SKEW_ALLOWANCE_NS) {
    failures.add(
      `${field} is ${seconds(-age)} ahead of the block time, the maximum is ${seconds(SKEW_ALLOWANCE_NS)}`,
    )
  } else if (ageMaxNs !== null && age > ageMaxNs) {
    failures.add(`${field} is ${seconds(age)} old, the maximum is ${seconds(ageMaxNs)}${qualifier}`)
  }
}

/** Rule: a time is within `windowNs` of the block's, either way. */
export function requireWithin(
  failures: RuleFailures,
  field: string,
  timestampNs: bigint,
  blockNs: bigint,
  windowNs: bigint,
): void {
  const behind = blockNs - timestampNs
  const distance = behind < 0n ? -behind : behind
  if (distance <= windowNs) return
  failures.add(
    `${field} is ${seconds(distance)} ${behind < 0n ? 'ahead of' : 'behind'} the block time, the maximum is ${seconds(windowNs)}`,
  )
}
