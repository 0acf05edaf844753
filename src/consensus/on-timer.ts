/** Timers. One that was set for an earlier view says nothing about this one. */
import type { View } from '../types/primitives.ts'
import type { StepContext } from './context.ts'
import { requestMissing } from './duty-fetch.ts'
import type { TimerName } from './effect.ts'
import { idleLeftMs, timeOutView } from './view-entry.ts'

/** First repetition of a timeout message; later ones wait longer, up to the maximum. */
const REPEAT_FIRST_MS = 250
const REPEAT_GROWTH = 1.5
const REPEAT_MAX_MS = 1_000
/** Votes over an epoch's last state are said again this often, and so many times: whoever is up has it by then. */
const COMMIT_REPEAT_MS = 500
const COMMIT_REPEATS_MAX = 120

export function onTimer(context: StepContext, timer: TimerName, view: View): void {
  const { state } = context
  if (timer === 'fetch') {
    state.isFetchTimerSet = false
    requestMissing(context)
    return
  }
  if (timer === 'commit-repeat') {
    repeatCommitVote(context)
    return
  }
  if (view !== state.view || state.isEpochOver) return
  switch (timer) {
    case 'view':
      timeOutView(context)
      return
    case 'propose':
      onProposalDue(context)
      return
    case 'timeout-repeat':
      repeatTimeout(context)
      return
  }
}

/** The leader has waited for work long enough; unless what it waited for was finality, and that has come. */
function onProposalDue(context: StepContext): void {
  const { state } = context
  if (state.proposalStage === 'gathering' || state.proposalStage === 'awaiting-ballots') {
    state.proposalStage = 'not-started'
    return
  }
  if (state.proposalStage !== 'waiting-for-work') return
  const isUnfinal = state.tree.hasUnfinalTransactions(state.certificates.highQc.blockHash)
  const delayMs = idleLeftMs(context, context.now.monotonicMs)
  // Timers have a resolution of a millisecond: less than that left is nothing left.
  if (!isUnfinal && delayMs >= 1) {
    context.perform({ kind: 'set-timer', timer: 'propose', view: state.view, delayMs })
    return
  }
  state.isEmptyDue = true
  state.proposalStage = 'not-started'
}

/** R13: the vote over the epoch's last state is said again until there is a certificate, or enough is enough. */
function repeatCommitVote(context: StepContext): void {
  const { state } = context
  const { lastCommitVote, epochEnd } = state
  if (lastCommitVote === null || epochEnd === null || state.certifiedHeight >= epochEnd) return
  context.broadcast(lastCommitVote)
  setCommitRepeatTimer(context)
}

/** Schedules the next repetition of our commit vote over the epoch's last state. */
export function setCommitRepeatTimer(context: StepContext): void {
  const { state } = context
  if (state.commitRepeats >= COMMIT_REPEATS_MAX) return
  state.commitRepeats++
  context.perform({ kind: 'set-timer', timer: 'commit-repeat', view: state.view, delayMs: COMMIT_REPEAT_MS })
}

/** R8: repeat until the view is left. */
function repeatTimeout(context: StepContext): void {
  const { state } = context
  const { lastTimeout } = state.safety
  if (lastTimeout === null || lastTimeout.view !== state.view) return
  context.broadcast(lastTimeout)
  setRepeatTimer(context)
}

/** Schedules the next repetition of our timeout for the current view. */
export function setRepeatTimer(context: StepContext): void {
  const { state } = context
  const delayMs = Math.min(REPEAT_MAX_MS, REPEAT_FIRST_MS * REPEAT_GROWTH ** state.timeoutRepeats)
  state.timeoutRepeats++
  context.perform({ kind: 'set-timer', timer: 'timeout-repeat', view: state.view, delayMs })
}
