/** The stake that decides an operation: a quorum, and for an exclusion without evidence more than three quarters. */
import type { OperationsState } from '../../types/operations.ts'
import type { RequestKey } from '../../types/primitives.ts'
import type { Elector } from '../../types/voting.ts'
import { electorQuorum, eligibleStakeOf } from '../verdicts/electors.ts'

/** @param id request key of what is voted on; of a request to be judged too */
export function quorumFor(
  id: RequestKey,
  { open }: Pick<OperationsState, 'open'>,
  members: readonly Elector[],
): bigint {
  const operation = open.find((of) => of.id === id)?.operation
  return operation?.kind === 'node-exclusion' && operation.evidence === null
    ? (3n * eligibleStakeOf(members)) / 4n + 1n
    : electorQuorum(members)
}
