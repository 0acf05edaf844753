/** Why a request has to wait for the verdict on another one before a block may order it. */
import { type Refusal, refuse } from '../../types/errors.ts'
import type { Hex32, Nullifier } from '../../types/primitives.ts'
import type { OpenRequest, VerdictVoting } from '../../types/voting.ts'
import type { RequestSpending } from '../four-proofs/request-spending.ts'
import type { StateReader } from '../state-reader.ts'
import { highestOpenSequence, isReserved } from './open-requests.ts'

export type WaitingRefusal = 'nullifier-reserved' | 'sequence-reserved'

/** The requests that wait: those of earlier blocks, and those that the block itself has ordered so far. */
export interface WaitingRequests {
  readonly voting: Pick<VerdictVoting, 'batches'>
  readonly here: RequestsHere
}

/** What the requests that a block has ordered so far would spend. */
export class RequestsHere {
  readonly #nullifiers = new Set<Nullifier>()
  readonly #sequences = new Map<Hex32, bigint>()

  /** The block orders another one. */
  add({ nullifiers, sequence }: Pick<OpenRequest, 'nullifiers' | 'sequence'>): void {
    for (const nullifier of nullifiers) this.#nullifiers.add(nullifier)
    if (sequence === null) return
    const { nodeIdHash, number } = sequence
    if (number > this.highestSequence(nodeIdHash)) this.#sequences.set(nodeIdHash, number)
  }

  reserves(nullifier: Nullifier): boolean {
    return this.#nullifiers.has(nullifier)
  }

  /** 0n for none. */
  highestSequence(nodeIdHash: Hex32): bigint {
    return this.#sequences.get(nodeIdHash) ?? 0n
  }
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
  const reserved = nullifiers.find((nullifier) => isReserved(voting, nullifier) || here.reserves(nullifier))
  if (reserved !== undefined) {
    return refuse('nullifier-reserved', `a request that waits for its verdict names nullifier ${reserved}`)
  }
  if (sequence === null) return null
  const { nodeIdHash, number } = sequence
  // One that is recorded already is judged, and told so.
  if (number <= state.lastSequence(nodeIdHash)) return null
  return here.highestSequence(nodeIdHash) >= number || highestOpenSequence(voting, nodeIdHash) >= number
    ? refuse(
        'sequence-reserved',
        `a request of the same sequence waits for its verdict with number ${number} or a higher one`,
      )
    : null
}
