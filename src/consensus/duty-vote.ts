/**
 * R3 and R5: whether to vote, derived from what is known now. Each asks for its signature at most once. A leader's prepare
 * vote is its proposal (duty-propose), and it pre-commits the block before a turn later than others: everybody waits for
 * the proposal, and a signature takes longer than a block does.
 */
import type { StepContext } from './context.ts'
import type { ProposalRefusal } from './event.ts'
import { whyNotPrepare } from './prepare-rules.ts'

/**
 * R5: pre-commit the block under the highest prepare certificate. One that nobody waits for becomes final with the next
 * and is left out. What ends an epoch is always waited for.
 */
export function preCommitDuty(context: StepContext): void {
  const { state } = context
  const { highQc } = state.certificates
  if (state.self === null || highQc.kind !== 'prepare' || highQc.height <= context.final.header.height) return
  if (!state.safety.mayPreCommit(highQc.view) || !state.tree.isValid(highQc.blockHash)) return
  const { epoch, view, height, blockHash } = highQc
  if (!context.isAtEpochEnd(height) && state.tree.isFinalWithNext(blockHash)) return
  if (comesLater(context)) return
  state.safety.asked('pre-commit', view)
  context.perform({ kind: 'sign', request: { kind: 'pre-commit', epoch, view, height, blockHash } })
}

/** R3: prepare the proposal of the current view. */
export function prepareDuty(context: StepContext): void {
  const { state } = context
  const proposal = state.proposals.get(state.view)
  if (state.self === null || proposal === undefined || !state.safety.mayPrepare(state.view)) return
  const { header, hash } = proposal.block
  // (b) of this view's leader: who that is may have become known after the proposal came (R14)
  if (header.proposer !== context.leaderOf(header.view)) return
  const refusal = whyNotPrepare(
    context,
    proposal.block,
    proposal.timeoutCertificate ?? state.certificates.highTc,
  )
  if (refusal !== null) {
    if (refusal !== 'not-known-yet') refuseOnce(context, refusal.reason, refusal.detail)
    return
  }
  const { epoch, view, height } = header
  state.safety.asked('prepare', view)
  context.report({ kind: 'proposal-accepted', view, height, blockHash: hash, proposer: header.proposer })
  context.perform({ kind: 'sign', request: { kind: 'prepare', epoch, view, height, blockHash: hash } })
}

/** Whether a leader's vote waits until its proposal has left, or could have. */
function comesLater(context: StepContext): boolean {
  const { state } = context
  if (!context.isLeader || state.hasYielded) return false
  if (!state.isYielding) {
    state.isYielding = true
    context.perform({ kind: 'yield' })
  }
  return true
}

function refuseOnce(context: StepContext, reason: ProposalRefusal, detail: string): void {
  const { state } = context
  if (state.refusedView === state.view) return
  state.refusedView = state.view
  const from = context.leaderOf(state.view)
  context.report({ kind: 'proposal-refused', view: state.view, from, reason, detail })
}
