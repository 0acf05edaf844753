/**
 * Openings go to the leader whose block may hold them first; everyone else hears them in votes. And what ballots that come
 * are to a leader that waits for some.
 */
import type { Openings } from '../types/messages.ts'
import type { ValidatorIndex } from '../types/primitives.ts'
import type { ReplicaState, StepContext } from './context.ts'

/** Messages with openings that are taken from one validator in one view: honest ones send one for each block made final. */
const PER_VIEW_MAX = 4

/** Opens to the leader of the view what is closed and final. Asked for again of the next leader when a view fails. */
export function openBallots(context: StepContext): void {
  const { state, final } = context
  if (state.self === null || state.isEpochOver) return
  const { hash: blockHash, header } = final
  context.perform({
    kind: 'open-ballots',
    to: context.leaderOf(state.view),
    blockHash,
    height: header.height,
  })
}

/** Whether openings of this validator are still taken in this view: they are unsigned, and a leader builds anew for each. */
export function canTakeOpenings({ openingsHeard }: ReplicaState, voter: ValidatorIndex): boolean {
  return (openingsHeard.get(voter) ?? 0) < PER_VIEW_MAX
}

/** Openings have come by themselves; what they are the core does not know. */
export function onOpenings(context: StepContext, { voter }: Openings): void {
  const { openingsHeard } = context.state
  openingsHeard.set(voter, (openingsHeard.get(voter) ?? 0) + 1)
  ballotsArrived(context)
}

/** Ballots have come while the leader was waiting for some. */
export function ballotsArrived({ state }: StepContext): void {
  if (state.proposalStage === 'awaiting-ballots') state.proposalStage = 'not-started'
}
