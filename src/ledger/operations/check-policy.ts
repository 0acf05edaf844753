/** Whether a policy could be a network's: what a genesis file must keep to, too. */
import { AUTHORITY_STEPS_MAX, OPERATION_LEVELS_MAX } from '../../codec/limits.ts'
import { RECENT_BLOCKS } from '../../types/attestation.ts'
import type { ValidationPolicy } from '../../types/genesis.ts'
import { assuranceOf } from '../validation-policy.ts'

/** More is out of reach of whoever attests. */
const WORK_BITS_MAX = 64
const OPERATION_NAME_CHARACTERS_MAX = 512

/** What is wrong with a policy, in words; null when nothing is. */
export function policyFault(policy: ValidationPolicy): string | null {
  if (policy.minimumStorage > policy.maximumStorage) {
    return `minimumStorage ${policy.minimumStorage} is above maximumStorage ${policy.maximumStorage}`
  }
  if (policy.minimumCompute > policy.maximumCompute) {
    return `minimumCompute ${policy.minimumCompute} is above maximumCompute ${policy.maximumCompute}`
  }
  const { anchorAgeBlocksMax, minimumWorkBits, operations, authority } = assuranceOf(policy)
  if (anchorAgeBlocksMax < 1 || anchorAgeBlocksMax > RECENT_BLOCKS) {
    return `anchorAgeBlocksMax ${anchorAgeBlocksMax} is not 1 to ${RECENT_BLOCKS}`
  }
  if (minimumWorkBits > WORK_BITS_MAX) return `minimumWorkBits ${minimumWorkBits} is above ${WORK_BITS_MAX}`
  if (operations.length > OPERATION_LEVELS_MAX)
    return `more than ${OPERATION_LEVELS_MAX} operations are listed`
  for (const [i, { operation }] of operations.entries()) {
    if (operation === '' || operation.length > OPERATION_NAME_CHARACTERS_MAX) {
      return `operations[${i}] has a name of ${operation.length} characters`
    }
    if (i > 0 && operation <= (operations[i - 1]?.operation ?? '')) {
      return 'operations are not in ascending order, all different'
    }
  }
  if (authority.length > AUTHORITY_STEPS_MAX) return `more than ${AUTHORITY_STEPS_MAX} steps of authority`
  const isAscending = authority.every(({ level, bondedStake }, i) => {
    const below = authority[i - 1]
    return below === undefined || (level > below.level && bondedStake > below.bondedStake)
  })
  return isAscending ? null : 'steps of authority do not ascend in level and in bondedStake'
}
