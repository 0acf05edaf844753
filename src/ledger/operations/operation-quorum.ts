/**
 * The stake that decides an operation: a quorum; more than three quarters for an exclusion without evidence, and for every
 * operation in safe mode (verdicts/safe-mode.ts).
 */
import type { OperationsState } from '../../types/operations.ts'
import type { RequestKey } from '../../types/primitives.ts'
import type { Electors } from '../../types/voting.ts'
import { electorQuorum, eligibleStakeOf } from '../verdicts/electors.ts'
import { isSafeMode } from '../verdicts/safe-mode.ts'

/**
 * @param id request key of what is voted on; of a request to be judged too
 * @param electors of the period in which it was put to the vote
 */
export function quorumFor(
  id: RequestKey,
  { open }: Pick<OperationsState, 'open'>,
  electors: Pick<Electors, 'members' | 'stake'>,
): bigint {
  const { members } = electors
  const operation = open.find((of) => of.id === id)?.operation
  if (operation === undefined) return electorQuorum(members)
  return isSafeMode(electors) || (operation.kind === 'node-exclusion' && operation.evidence === null)
    ? (3n * eligibleStakeOf(members)) / 4n + 1n
    : electorQuorum(members)
}
