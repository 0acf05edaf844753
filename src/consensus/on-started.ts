/** R11 and S1 at start: go on in the right view, and say the stored words again instead of signing new ones. */
import type { Proposal } from '../types/messages.ts'
import { mintVerified } from '../types/verified.ts'
import type { StepContext } from './context.ts'
import { countTimeout } from './on-timeout.ts'
import { setRepeatTimer } from './on-timer.ts'
import { onVote } from './on-vote.ts'
import { setViewTimer } from './view-entry.ts'

/** @param proposal the last proposal of this validator, as its record holds it */
export function onStarted(context: StepContext, proposal: Proposal | null): void {
  const { state, now } = context
  const { view, safety, self } = state
  state.viewEnteredAt = now.monotonicMs
  state.quietSince = now.monotonicMs
  state.activeSince = now.monotonicMs
  context.report({
    kind: 'view-entered',
    view,
    leader: context.leaderOf(view),
    by: 'start',
    previousViewMs: 0,
  })
  if (self === null) return
  setViewTimer(context)
  const proposed = proposal?.block.header.view ?? 0
  if (proposal !== null && proposed >= view - 1) {
    if (proposed === view) state.proposalStage = 'done'
    state.proposals.set(proposal.block.header.view, mintVerified(proposal))
    state.tree.add(proposal.block)
    context.broadcast(proposal)
  }
  const { lastPrepare, lastPreCommit, lastTimeout } = safety
  for (const vote of [lastPrepare, lastPreCommit]) {
    if (vote === null || vote.view < view - 1) continue
    // The prepare vote of a leader is said with its proposal.
    const isSaid = vote.kind === 'prepare' && vote.view === proposed
    if (!isSaid) context.broadcast(vote)
    onVote(context, self, mintVerified(vote))
  }
  if (lastTimeout !== null && lastTimeout.view === state.view) {
    context.broadcast(lastTimeout)
    setRepeatTimer(context)
    countTimeout(context, lastTimeout)
  }
}
