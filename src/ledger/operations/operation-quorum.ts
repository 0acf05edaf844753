/**
 * The stake that decides an operation: a quorum; more than three quarters for an exclusion without evidence, and for every
 * operation in safe mode (verdicts/safe-mode.ts).
 */
import type { OperationsState } from '../../types/operations.ts'
import type { RequestKey } from '../../types/primitives.ts'
import type { Elector } from '../../types/voting.ts'
import { electorQuorum, eligibleStakeOf } from '../verdicts/electors.ts'

/**
 * @param id request key of what is voted on; of a request to be judged too
 * @param isSafeMode whether too little of all stake weighs in this period
 */
export function quorumFor(
  id: RequestKey,
  { open }: Pick<OperationsState, 'open'>,
  members: readonly Elector[],
  isSafeMode: boolean,
): bigint {
  const operation = open.find((of) => of.id === id)?.operation
  if (operation === undefined) return electorQuorum(members)
  return isSafeMode || (operation.kind === 'node-exclusion' && operation.evidence === null)
    ? (3n * eligibleStakeOf(members)) / 4n + 1n
    : electorQuorum(members)
}
