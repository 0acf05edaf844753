/** From answered validation calls to metrics. */
import type { Metrics } from '../observability/metrics.ts'
import type { ValidationObserver } from '../validation/ports.ts'

export function validationObserver({ validation }: Pick<Metrics, 'validation'>): ValidationObserver {
  return ({ kind, result, seconds, isRepeat, failedProofs }) => {
    validation.requests.add(1, { kind, result })
    validation.duration.observe(seconds, { kind })
    if (isRepeat) validation.idempotentHits.add(1)
    for (const proof of failedProofs) validation.proofFailures.add(1, { proof })
  }
}
