/** R7: votes over the state after a final block. They certify execution and show divergence. */
import type { CommitVote } from '../types/messages.ts'
import { asHeight, type Height } from '../types/primitives.ts'
import type { Verified } from '../types/verified.ts'
import { COMMIT_WINDOW, type StepContext } from './context.ts'

/** What a commit vote is for, as the aggregator compares it. */
export const commitContent = (vote: Pick<CommitVote, 'view' | 'blockHash' | 'stateRoot'>): string =>
  `${vote.view}:${vote.blockHash}:${vote.stateRoot}`

export function onCommitVote(context: StepContext, vote: Verified<CommitVote>): void {
  const { state } = context
  if (!isCommitHeightOfInterest(context, vote.height)) return
  const outcome = state.commitVotes.count(vote.height, vote.voter, commitContent(vote), {
    signature: vote.signature,
    commits: null,
  })
  if (outcome.kind === 'equivocation') {
    context.report({
      kind: 'equivocation-seen',
      validator: vote.voter,
      phase: 'commit',
      position: vote.height,
    })
  }
  checkDivergence(context, vote.height)
  if (outcome.kind !== 'quorum' || state.isHalted) return
  const { epoch, view, height, blockHash, stateRoot } = vote
  state.certifiedHeight = asHeight(Math.max(state.certifiedHeight, height))
  const certificate = {
    kind: 'commit' as const,
    epoch,
    view,
    height,
    blockHash,
    stateRoot,
    signatures: outcome.signatures,
  }
  context.perform({ kind: 'store-commit-certificate', certificate })
  const voters = outcome.signatures.map(({ voter }) => voter)
  context.report({ kind: 'certificate-formed', phase: 'commit', view, height, voters })
  context.report({ kind: 'state-certified', height, stateRoot })
}

/** Commit votes outside this window are of no use: certified already, or too far ahead to hold. */
export function isCommitHeightOfInterest(
  context: Pick<StepContext, 'state' | 'final'>,
  height: Height,
): boolean {
  const final = context.final.header.height
  return (
    height > context.state.certifiedHeight &&
    height > final - COMMIT_WINDOW &&
    height <= final + COMMIT_WINDOW
  )
}

/** R7: when weight A says our block led to another state, either they or we are broken. Stop. */
export function checkDivergence(context: StepContext, height: Height): void {
  const { state } = context
  const ours = state.committed.get(height)
  if (ours === undefined || state.isHalted) return
  for (const content of state.commitVotes.contentsWithWeight(height, state.electorate.amplification)) {
    const [, blockHash, stateRoot] = content.split(':')
    if (blockHash === ours.blockHash && stateRoot !== ours.stateRoot) {
      context.halt('state-divergence', {
        height,
        ours,
        theirs: stateRoot,
        voters: state.commitVotes.votersOf(height),
      })
      return
    }
  }
}
