/** Looks requests without a verdict up: what waits may not be ordered again, and what it would spend is spoken for. */
import { asHeight, type Hex32, type Nullifier, type RequestKey } from '../../types/primitives.ts'
import type { OpenBatch, OpenRequest, VerdictVoting } from '../../types/voting.ts'
import { hasDue } from '../operations/operations-state.ts'
import type { StateReader } from '../state-reader.ts'

interface RequestIndex {
  readonly byKey: ReadonlyMap<RequestKey, number>
  readonly byNullifier: ReadonlyMap<Nullifier, number>
}

/** A batch's requests stay the same object through its attempt, so they are indexed once. */
const indexes = new WeakMap<readonly OpenRequest[], RequestIndex>()

function indexOf({ requests }: OpenBatch): RequestIndex {
  const known = indexes.get(requests)
  if (known !== undefined) return known
  const made = {
    byKey: new Map(requests.map(({ requestKey }, i) => [requestKey, i])),
    byNullifier: new Map(
      requests.flatMap(({ nullifiers }, i) => nullifiers.map((nullifier) => [nullifier, i] as const)),
    ),
  }
  indexes.set(requests, made)
  return made
}

type Batches = Pick<VerdictVoting, 'batches'>

const isUndecided = (batch: OpenBatch, at: number | undefined): boolean =>
  at !== undefined && (batch.outcomes[at] ?? null) === null

/** Whether a request waits for its verdict. */
export function isOpen({ batches }: Batches, requestKey: RequestKey): boolean {
  for (const batch of batches) if (isUndecided(batch, indexOf(batch).byKey.get(requestKey))) return true
  return false
}

/** Whether a request that waits would spend this when it is Valid. */
export function isReserved({ batches }: Batches, nullifier: Nullifier): boolean {
  for (const batch of batches) if (isUndecided(batch, indexOf(batch).byNullifier.get(nullifier))) return true
  return false
}

/** The highest sequence number of a node among requests that wait; 0n for none. */
export function highestOpenSequence({ batches }: Batches, nodeIdHash: Hex32): bigint {
  let highest = 0n
  for (const batch of batches) {
    for (const [i, { sequence }] of batch.requests.entries()) {
      if (sequence?.nodeIdHash !== nodeIdHash || !isUndecided(batch, i)) continue
      if (sequence.number > highest) highest = sequence.number
    }
  }
  return highest
}

/** Whether the chain has to go on after a state: a verdict is open, or an operation is due. Their windows are heights. */
export function isAtWork({ voting, accumulators }: Pick<StateReader, 'voting' | 'accumulators'>): boolean {
  // The state after a block names its ancestors: as many as its height.
  const next = asHeight(accumulators.recentBlocks.next + 1)
  return voting.batches.length > 0 || hasDue(voting.operations, next)
}
