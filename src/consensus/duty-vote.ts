/**
 * R3 and R5: whether to vote, derived from what is known now. Each asks for its signature at most once. A leader votes a
 * turn later than others: everybody waits for its proposal, and a signature takes longer than a block does.
 */
import type { StepContext } from './context.ts'
import type { ProposalRefusal } from './event.ts'
import { satisfiesLockClause } from './safety.ts'

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
  const { state, now } = context
  const proposal = state.proposals.get(state.view)
  if (state.self === null || proposal === undefined || !state.safety.mayPrepare(state.view)) return
  const { header, hash } = proposal.block
  // (b) of this view's leader: who that is may have become known after the proposal came (R14)
  if (header.proposer !== context.leaderOf(header.view)) return
  // (b) a prepare certificate that we have verified, for the parent
  if (!state.certificates.holds(header.justify)) return
  // (e) the lock clause
  const timeoutCertificate = proposal.timeoutCertificate ?? state.certificates.highTc
  if (!satisfiesLockClause(header.view, header.justify, timeoutCertificate)) {
    refuseOnce(context, 'lock-clause', `justify view ${header.justify.view} in view ${header.view}`)
    return
  }
  // (f) known and valid down to the last final block
  const parent = state.tree.get(header.parentHash)
  if (parent === null || !state.tree.isValid(hash)) {
    if (state.tree.statusOf(hash) === 'invalid') refuseOnce(context, 'invalid-payload', `block ${hash}`)
    return
  }
  if (header.justify.view !== parent.header.view) {
    refuseOnce(
      context,
      'malformed-justify',
      `justify view ${header.justify.view}, parent's ${parent.header.view}`,
    )
    return
  }
  const aheadMs = header.timestamp - now.unixMs
  if (aheadMs > state.parameters.clockSkewMaxMs) {
    refuseOnce(context, 'time-ahead', `block time is ${aheadMs} ms ahead of our clock`)
    return
  }
  if (comesLater(context)) return
  const { epoch, view, height } = header
  state.safety.asked('prepare', view)
  context.report({ kind: 'proposal-accepted', view, height, blockHash: hash, proposer: header.proposer })
  context.perform({ kind: 'sign', request: { kind: 'prepare', epoch, view, height, blockHash: hash } })
}

/** Whether a vote waits until the leader's proposal has left, or could have. */
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
