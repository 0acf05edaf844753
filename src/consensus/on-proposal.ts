/**
 * A leader's proposal: taken in if it is the leader's and well formed. It is its proposer's prepare vote as well, which
 * counts like any other. Whether to vote is a duty.
 */
import { type Proposal, voteOfProposal } from '../types/messages.ts'
import type { ValidatorIndex } from '../types/primitives.ts'
import { mintVerified, type Verified } from '../types/verified.ts'
import { applyTimeoutCertificate, requestCertificates } from './certificate-rules.ts'
import { type StepContext, WINDOW_ABOVE } from './context.ts'
import type { ProposalRefusal } from './event.ts'
import { onVote } from './on-vote.ts'
import { noteActivity } from './view-entry.ts'

export function onProposal(context: StepContext, from: ValidatorIndex, proposal: Verified<Proposal>): void {
  const { view, epoch } = proposal.block.header
  const refusal = refusalOf(context, proposal)
  if (refusal === null) takeIn(context, from, proposal)
  else context.report({ kind: 'proposal-refused', view, from, ...refusal })
  // A refused one is a vote nevertheless, as if it had come without its block: of a second proposal it is the proof (R12).
  if (epoch === context.state.epoch) onVote(context, from, mintVerified(voteOfProposal(proposal)))
}

function takeIn(context: StepContext, from: ValidatorIndex, proposal: Verified<Proposal>): void {
  const { state } = context
  const { header } = proposal.block
  if (proposal.timeoutCertificate !== null) {
    applyTimeoutCertificate(context, mintVerified(proposal.timeoutCertificate))
  }
  if (header.view > state.view) requestIfFarAhead(context, from, header.view - state.view)
  if (header.view < state.view - 1 || header.view > state.view + WINDOW_ABOVE) return
  // One that stands here and is not the leader's came before it was known who leads (R14).
  if (state.proposals.get(header.view)?.block.header.proposer === header.proposer) return
  state.proposals.set(header.view, proposal)
  state.tree.add(proposal.block)
  if (header.view === state.view) noteActivity(context)
}

/** One view ahead is the ordinary race between a leader's certificate and ours; more means we missed something. */
function requestIfFarAhead(context: StepContext, from: ValidatorIndex, viewsAhead: number): void {
  if (viewsAhead > 1) requestCertificates(context, from)
}

function refusalOf(
  context: StepContext,
  proposal: Proposal,
): { reason: ProposalRefusal; detail: string } | null {
  const { state } = context
  const { header, hash } = proposal.block
  if (header.epoch !== state.epoch) {
    return { reason: 'wrong-epoch', detail: `epoch ${header.epoch}, ours is ${state.epoch}` }
  }
  const leader = context.leaderOf(header.view)
  if (header.proposer !== leader) {
    return { reason: 'not-the-leader', detail: `proposer ${header.proposer}, leader is ${leader}` }
  }
  if (header.justify.blockHash !== header.parentHash || header.justify.view >= header.view) {
    return {
      reason: 'malformed-justify',
      detail: `justify view ${header.justify.view} in view ${header.view}`,
    }
  }
  const first = state.proposals.get(header.view)
  if (first !== undefined && first.block.hash !== hash && first.block.header.proposer === header.proposer) {
    state.equivocalViews.add(header.view)
    return { reason: 'equivocation', detail: `already have ${first.block.hash} for this view` }
  }
  return null
}
