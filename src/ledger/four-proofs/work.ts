/** WHAT and HOW: the computation behind a certificate request. Declared only: the wire has no work to verify. */
import type { WorkProof, WorkState } from '../../types/validation-request.ts'
import { NANOS_PER_SECOND, requireFresh } from './moments.ts'
import { type EffectiveRequirements, requireMaximum, requireMinimum } from './requirements.ts'
import type { RuleFailures } from './rule-failures.ts'

const ID_BYTES_MAX = 512

/** A failed workload is refused for failing, at whatever age. */
const AGE_MAX_NS: Record<WorkState, bigint | null> = {
  Pending: 600n * NANOS_PER_SECOND,
  Running: 3_600n * NANOS_PER_SECOND,
  Completed: 86_400n * NANOS_PER_SECOND,
  Failed: null,
}

/** Rules of the row "work" in spec/four-proofs.md. */
export function checkWork(
  proof: WorkProof,
  requirements: EffectiveRequirements,
  blockNs: bigint,
  failures: RuleFailures,
): void {
  requireMinimum(failures, 'computational_power', proof.computationalPower, requirements.minimumCompute)
  requireMaximum(failures, 'computational_power', proof.computationalPower, requirements.maximumCompute)
  failures.requireText('owner_id', proof.ownerId, ID_BYTES_MAX)
  failures.requireText('workload_id', proof.workloadId, ID_BYTES_MAX)
  if (proof.workState === 'Failed')
    failures.add('work_state is Failed, it must be Pending, Running or Completed')
  requireFresh(
    failures,
    'proof_timestamp',
    proof.proofTimestamp,
    blockNs,
    AGE_MAX_NS[proof.workState],
    ` for a ${proof.workState} workload`,
  )
}
