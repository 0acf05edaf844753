/** R1, R8, R15: entering a view, its timer, and giving it up. */
import type { MonotonicMs, View } from '../types/primitives.ts'
import { asView } from '../types/primitives.ts'
import { type ReplicaState, type StepContext, WINDOW_BELOW } from './context.ts'
import type { ConsensusEvent } from './event.ts'
import { openBallots } from './open-ballots.ts'

type EnteredBy = (ConsensusEvent & { kind: 'view-entered' })['by']

/** Moves to a higher view. The caller has the certificate that permits it (R1), or R9 applies. */
export function enterView(context: StepContext, view: View, by: EnteredBy): void {
  const { state, now } = context
  const { activeSince } = state
  if (by === 'quorum-certificate' && activeSince !== null && view === state.view + 1) {
    state.pacemaker.viewSucceeded(context.since(activeSince))
  }
  const previousViewMs = context.since(state.viewEnteredAt)
  state.view = view
  state.viewEnteredAt = now.monotonicMs
  // A view that failed does not put the heartbeat off: the next leader waits what is left of the delay.
  if (by === 'quorum-certificate') state.quietSince = now.monotonicMs
  state.activeSince = isThereWork(context) ? now.monotonicMs : null
  state.proposalStage = 'not-started'
  state.hasYielded = false
  state.openingsHeard.clear()
  state.openingsLateSince = null
  state.isEmptyDue = false
  state.timeoutRepeats = 0
  forgetOldViews(context)
  context.perform({ kind: 'cancel-timer', timer: 'propose' })
  context.perform({ kind: 'cancel-timer', timer: 'timeout-repeat' })
  setViewTimer(context)
  if (by !== 'quorum-certificate') openBallots(context)
  context.report({ kind: 'view-entered', view, leader: context.leaderOf(view), by, previousViewMs })
}

/** Something to do has come up in a view that was idle: the time for the view runs from now. */
export function noteActivity(context: StepContext): void {
  const { state, now } = context
  if (state.activeSince !== null) return
  state.activeSince = now.monotonicMs
  setViewTimer(context)
}

/**
 * What there was to do in this view is done: from here it is an idle one, whose leader rightly waits. Called
 * where something ceases to be work, so that a transaction does not cost the view after it.
 */
export function noteQuiet(context: StepContext): void {
  const { state } = context
  if (state.activeSince === null || isThereWork(context)) return
  state.activeSince = null
  setViewTimer(context)
}

/**
 * Sets the timer of the current view by what is known of work and leader. The deadline counts from the view's
 * beginning, so that a leader that comes and goes cannot put it off; a leader without a connection shortens it.
 */
export function setViewTimer(context: StepContext): void {
  const { state } = context
  if (state.self === null) return
  const { pacemaker } = state
  const idleMs = state.activeSince === null ? idleLeftMs(context, state.viewEnteredAt) : 0
  const elapsedMs = context.since(state.activeSince ?? state.viewEnteredAt)
  const leftMs = Math.max(0, idleMs + pacemaker.viewTimeoutMs() - elapsedMs)
  const leader = context.leaderOf(state.view)
  const isLeaderGone = leader !== state.self && state.unreachable.has(leader)
  const delayMs = isLeaderGone ? Math.min(leftMs, pacemaker.unreachableLeaderTimeoutMs()) : leftMs
  context.perform({ kind: 'set-timer', timer: 'view', view: state.view, delayMs })
}

/** What of the idle delay is left at `then`, milliseconds. It counts from the last certified block. */
export function idleLeftMs({ state }: StepContext, then: MonotonicMs): number {
  return Math.max(0, state.quietSince + state.pacemaker.idleDelayMs() - then)
}

/** R8: gives up the current view, once; from then on no vote in it or below. */
export function timeOutView(context: StepContext): void {
  const { state } = context
  const { view, safety, certificates, epoch } = state
  if (state.self === null || !safety.mayTimeOut(view)) return
  const leader = context.leaderOf(view)
  state.pacemaker.viewFailed()
  safety.asked('timeout', view)
  context.perform({ kind: 'cancel-timer', timer: 'propose' })
  context.perform({
    kind: 'sign',
    request: { kind: 'timeout', epoch, view, highQcView: certificates.highQc.view },
  })
  context.report({
    kind: 'view-timed-out',
    view,
    leader,
    isLeaderReachable: !state.unreachable.has(leader),
  })
}

function isThereWork(context: StepContext): boolean {
  const { state } = context
  return (
    state.hasWork ||
    state.isStarting ||
    state.parameters.heartbeatMs === 0 ||
    state.proposals.has(state.view) ||
    context.isAtEpochEnd(state.certificates.highQc.height) ||
    state.tree.hasUnfinalTransactions(state.certificates.highQc.blockHash)
  )
}

function forgetOldViews(context: StepContext): void {
  const { state } = context
  const oldest = asView(Math.max(0, state.view - WINDOW_BELOW))
  state.prepareVotes.pruneBelow(oldest)
  state.preCommitVotes.pruneBelow(oldest)
  state.timeouts.pruneBelow(oldest)
  for (const view of state.proposals.keys()) if (view < oldest) state.proposals.delete(view)
  for (const view of state.equivocalViews) if (view < oldest) state.equivocalViews.delete(view)
  for (const [voter, timeout] of state.unprovenTimeouts) {
    if (timeout.view < state.view) state.unprovenTimeouts.delete(voter)
  }
  if (state.tree.isCrowded) forgetAbandonedBlocks(context)
}

/** Forgets blocks that nobody can need from us any more. */
export function forgetKeptBlocks({ tree, certificates, keptBlocks }: ReplicaState): void {
  const { highQc } = certificates
  const underLock = tree.pathTo(highQc.blockHash)
  // Without the whole path there is no telling which of them are under the lock.
  if (underLock !== null) keptBlocks.lockedOn(highQc.view, tree.root.header.height, underLock)
}

/** Blocks of failed views and of leaders that propose what nobody certifies would fill the tree in time. */
function forgetAbandonedBlocks(context: StepContext): void {
  const { tree, certificates, proposals } = context.state
  forgetKeptBlocks(context.state)
  tree.retain([
    certificates.highQc.blockHash,
    ...certificates.pendingFinality.map(({ blockHash }) => blockHash),
    ...[...proposals.values()].map(({ block }) => block.hash),
  ])
}
