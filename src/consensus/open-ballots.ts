/** Openings go to the leader whose block may hold them first; everyone else hears them in votes. */
import type { StepContext } from './context.ts'

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
