/** From validation calls, answered and refused, to metrics; and from the configuration to their limits. */
import type { Config } from '../config/schema.ts'
import type { Metrics } from '../observability/metrics.ts'
import { ClientLimiter, clientLimitsOf } from '../rpc/client-limiter.ts'
import type { ValidationObserver } from '../validation/ports.ts'
import type { ValidationLimits } from '../validation/validation-limits.ts'

export function validationObserver({ validation }: Pick<Metrics, 'validation'>): ValidationObserver {
  return ({ kind, result, seconds, isRepeat, failedProofs }) => {
    validation.requests.add(1, { kind, result })
    validation.duration.observe(seconds, { kind })
    if (isRepeat) validation.idempotentHits.add(1)
    for (const proof of failedProofs) validation.proofFailures.add(1, { proof })
  }
}

/** A limiter that counts what it refuses; the same limits on every carrier. */
export function meteredLimiter(
  config: Pick<Config, 'ca'>,
  clock: { monotonicMs(): number },
  { validation }: Pick<Metrics, 'validation'>,
): ClientLimiter {
  return new ClientLimiter(
    () => clock.monotonicMs(),
    clientLimitsOf(config.ca.ratePerSecond),
    () => validation.refusals.add(1, { reason: 'rate' }),
  )
}

/** The limits of the validation service, as they are configured. */
export function validationLimits(ca: Config['ca']): Partial<ValidationLimits> {
  return {
    deadlineMs: ca.deadlineMs,
    requestsInFlightMax: ca.inFlightMax,
    requestsPerClientMax: ca.inFlightPerClientMax,
  }
}
