/** WHO: the stake behind a certificate request. Declared only: nothing here knows whether the holder has it. */
import type { StakeProof } from '../../types/validation-request.ts'
import { NANOS_PER_SECOND, requireFresh } from './moments.ts'
import { type EffectiveRequirements, requireMinimum } from './requirements.ts'
import type { RuleFailures } from './rule-failures.ts'

const ID_BYTES_MAX = 256
const AGE_MAX_NS = 30n * 86_400n * NANOS_PER_SECOND

/** Rules of the row "stake" in spec/four-proofs.md. */
export function checkStake(
  proof: StakeProof,
  requirements: EffectiveRequirements,
  blockNs: bigint,
  failures: RuleFailures,
): void {
  requireMinimum(failures, 'stake_amount', proof.stakeAmount, requirements.minimumStake)
  failures.requireText('stake_holder', proof.stakeHolder, ID_BYTES_MAX)
  failures.requireText('stake_holder_id', proof.stakeHolderId, ID_BYTES_MAX)
  requireFresh(failures, 'stake_timestamp', proof.stakeTimestamp, blockNs, AGE_MAX_NS)
}
