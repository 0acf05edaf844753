/** Connections of validators: what was said while there was none is said again, and a dead leader is not awaited. */
import type { Proposal } from '../types/messages.ts'
import type { ValidatorIndex } from '../types/primitives.ts'
import { requestCertificates } from './certificate-rules.ts'
import type { StepContext } from './context.ts'
import { setViewTimer } from './view-entry.ts'

export function onReachability(context: StepContext, validator: ValidatorIndex, isReachable: boolean): void {
  const { state } = context
  if (isReachable) state.unreachable.delete(validator)
  else state.unreachable.add(validator)
  if (state.self === null) return
  // When the epoch is over there is no view to give up.
  if (!state.isEpochOver && context.leaderOf(state.view) === validator) setViewTimer(context)
  if (!isReachable) return
  resendTo(context, validator)
  requestCertificates(context, validator)
}

/** Our latest words that may still matter, the stored ones: nothing is signed again (S1). */
function resendTo(context: StepContext, to: ValidatorIndex): void {
  const { safety, view, certificates, lastCommitVote, proposals, self } = context.state
  const proposal = ownProposal(proposals.get(view), self)
  if (proposal !== null) context.perform({ kind: 'send', to, message: proposal })
  const { lastPrepare, lastPreCommit, lastTimeout } = safety
  // A leader's prepare vote is its proposal.
  if (proposal === null && lastPrepare !== null && lastPrepare.view === view) {
    context.perform({ kind: 'send', to, message: lastPrepare })
  }
  if (lastPreCommit !== null && lastPreCommit.view >= certificates.highQc.view) {
    context.perform({ kind: 'send', to, message: lastPreCommit })
  }
  if (lastTimeout !== null && lastTimeout.view === view) {
    context.perform({ kind: 'send', to, message: lastTimeout })
  }
  if (lastCommitVote !== null) context.perform({ kind: 'send', to, message: lastCommitVote })
}

function ownProposal(proposal: Proposal | undefined, self: ValidatorIndex | null): Proposal | null {
  return proposal !== undefined && proposal.block.header.proposer === self ? proposal : null
}
