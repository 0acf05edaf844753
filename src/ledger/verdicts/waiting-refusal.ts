/** Why a request has to wait for the verdict on another one before a block may order it. */
import { type Refusal, refuse } from '../../types/errors.ts'
import type { OpenRequest, VerdictVoting } from '../../types/voting.ts'
import type { RequestSpending } from '../four-proofs/request-spending.ts'
import type { StateReader } from '../state-reader.ts'
import { highestOpenSequence, isReserved } from './open-requests.ts'

export type WaitingRefusal = 'nullifier-reserved' | 'sequence-reserved'

/** The requests that wait: those of earlier blocks, and those that the block itself has ordered so far. */
export interface WaitingRequests {
  readonly voting: Pick<VerdictVoting, 'batches'>
  readonly here: readonly OpenRequest[]
}

/**
 * What one request would spend, no other may be ordered for until its verdict has come. A sequence only goes up: while
 * a request waits with a number at or above, a lower one could not be judged.
 * @param state with the verdicts that the block has brought so far
 */
export function waitingRefusal(
  { nullifiers, sequence }: RequestSpending,
  { voting, here }: WaitingRequests,
  state: Pick<StateReader, 'lastSequence'>,
): Refusal<WaitingRefusal> | null {
  const reserved = nullifiers.find(
    (nullifier) => isReserved(voting, nullifier) || here.some((of) => of.nullifiers.includes(nullifier)),
  )
  if (reserved !== undefined) {
    return refuse('nullifier-reserved', `a request that waits for its verdict names nullifier ${reserved}`)
  }
  if (sequence === null) return null
  const { nodeIdHash, number } = sequence
  // One that is recorded already is judged, and told so.
  if (number <= state.lastSequence(nodeIdHash)) return null
  const isReservedHere = here.some(
    (of) => of.sequence?.nodeIdHash === nodeIdHash && of.sequence.number >= number,
  )
  return isReservedHere || highestOpenSequence(voting, nodeIdHash) >= number
    ? refuse(
        'sequence-reserved',
        `a request of the same sequence waits for its verdict with number ${number} or a higher one`,
      )
    : null
}
