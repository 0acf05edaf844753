/** Prepare and pre-commit votes. A quorum of the first locks (R4), of the second makes final (R6). */
import type { QuorumCertificate } from '../types/certificates.ts'
import type { SignedContent } from '../types/evidence.ts'
import type { Vote } from '../types/messages.ts'
import { asHeight, type BlockHash, type ValidatorIndex } from '../types/primitives.ts'
import { mintVerified, type Verified } from '../types/verified.ts'
import {
  applyFinalityCertificate,
  applyPrepareCertificate,
  requestCertificates,
} from './certificate-rules.ts'
import { type StepContext, WINDOW_ABOVE, WINDOW_BELOW } from './context.ts'
import { ballotsArrived } from './open-ballots.ts'
import type { CountedVote, CountOutcome } from './vote-aggregator.ts'

/** What a vote is for, as the aggregator compares it. */
export const voteContent = (vote: Pick<Vote, 'height' | 'blockHash'>): string =>
  `${vote.height}:${vote.blockHash}`

/** The way back from {@link voteContent}. */
function countedContent({ content, signature, commits }: CountedVote): SignedContent {
  const [height, blockHash] = content.split(':')
  return { height: asHeight(Number(height)), blockHash: blockHash as BlockHash, signature, commits }
}

export function onVote(context: StepContext, from: ValidatorIndex, vote: Verified<Vote>): void {
  const { state } = context
  if (vote.view > state.view + 1) requestCertificates(context, from)
  if (vote.view < state.view - WINDOW_BELOW || vote.view > state.view + WINDOW_ABOVE) return
  const votes = vote.kind === 'prepare' ? state.prepareVotes : state.preCommitVotes
  const commits = context.commitsDigest(vote.ballots.commits)
  const { signature } = vote
  const outcome = votes.count(vote.view, vote.voter, voteContent(vote), { signature, commits })
  if (outcome.kind === 'equivocation') {
    context.report({
      kind: 'equivocation-seen',
      validator: vote.voter,
      phase: vote.kind,
      position: vote.view,
    })
    context.perform({
      kind: 'report-equivocation',
      slashable: vote.kind,
      epoch: vote.epoch,
      view: vote.view,
      validator: vote.voter,
      one: countedContent(outcome.first),
      other: { height: vote.height, blockHash: vote.blockHash, signature, commits },
    })
  }
  if (hasBallots(vote)) noteBallots(context, vote, outcome)
  if (outcome.kind !== 'quorum') return
  const { kind, epoch, view, height, blockHash } = vote
  const certificate: QuorumCertificate = {
    kind,
    epoch,
    view,
    height,
    blockHash,
    stateRoot: null,
    signatures: outcome.signatures,
  }
  const voters = outcome.signatures.map(({ voter }) => voter)
  context.report({ kind: 'certificate-formed', phase: kind, view, height, voters })
  // Every signature in it was checked when its vote came in.
  const verified = mintVerified(certificate)
  if (kind === 'prepare') applyPrepareCertificate(context, verified)
  else applyFinalityCertificate(context, verified)
}

/** Whether a vote says anything about requests. */
export function hasBallots({ ballots }: Pick<Vote, 'ballots'>): boolean {
  return ballots.commits.length + ballots.openings.length > 0
}

/** How late the last ballots of a view are tells the next leaders how long to wait for such. */
function noteBallots(context: StepContext, { kind, view }: Vote, outcome: CountOutcome): void {
  const { state, now } = context
  ballotsArrived(context)
  if (kind === 'prepare' && outcome.kind === 'quorum') {
    if (state.lateBallots !== null) state.pacemaker.ballotsLagged(state.lateBallots.lagMs)
    state.lateBallots = { view, quorumAt: now.monotonicMs, lagMs: 0 }
  } else if (isNew(outcome) && state.lateBallots?.view === view) {
    state.lateBallots = { ...state.lateBallots, lagMs: context.since(state.lateBallots.quorumAt) }
  }
}

const isNew = ({ kind }: CountOutcome): boolean => kind === 'counted' || kind === 'quorum'
