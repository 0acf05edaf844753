/**
 * R16: whether a message's signatures are worth checking. Asked at the edge before any signature work; says
 * nothing about what the message will lead to.
 */
import type { QuorumCertificate } from '../types/certificates.ts'
import type { CommitVote, ConsensusMessage } from '../types/messages.ts'
import { type ReplicaState, WINDOW_ABOVE, WINDOW_BELOW } from './context.ts'
import { commitContent, isCommitHeightOfInterest } from './on-commit-vote.ts'
import { hasBallots, voteContent } from './on-vote.ts'
import { canTakeOpenings } from './open-ballots.ts'

export type Triage = 'verify' | 'ignore'

export function triage(state: ReplicaState, message: ConsensusMessage): Triage {
  return canMatter(state, message) ? 'verify' : 'ignore'
}

function canMatter(state: ReplicaState, message: ConsensusMessage): boolean {
  if (state.isEpochOver) return canMatterAfterEpoch(state, message)
  switch (message.kind) {
    case 'proposal': {
      const { view, proposer } = message.block.header
      if (view < state.view - 1) return false
      // A second, different proposal of a view is still checked: it is how equivocation is seen. A third is not, whether
      // its proposer leads or not.
      if (state.prepareVotes.isEquivocator(view, proposer)) return false
      return state.proposals.get(view)?.block.hash !== message.block.hash && !state.equivocalViews.has(view)
    }
    case 'prepare':
    case 'pre-commit': {
      if (message.epoch !== state.epoch || message.view < state.view - WINDOW_BELOW) return false
      // Far above the window it cannot be stored, but it shows that we are behind.
      if (message.view > state.view + WINDOW_ABOVE) return true
      const votes = message.kind === 'prepare' ? state.prepareVotes : state.preCommitVotes
      if (votes.isOfInterest(message.view, message.voter, voteContent(message))) return true
      // A vote that comes after its quorum tells nothing more, but the ballots in it do.
      return hasBallots(message) && !votes.has(message.view, message.voter)
    }
    case 'openings':
      return message.epoch === state.epoch && canTakeOpenings(state, message.voter)
    case 'commit':
      return canCommitVoteMatter(state, message)
    case 'timeout':
      // R11: one that is behind us is answered as often as it says so; only what counts, counts once.
      return (
        message.epoch === state.epoch &&
        (message.view < state.view || !state.timeouts.has(message.view, message.voter))
      )
    case 'certificates':
      return (
        (message.highQc !== null && message.highQc.view > state.certificates.highQc.view) ||
        (message.highTc !== null && message.highTc.view >= state.view) ||
        (message.finality !== null && isNewsOfFinality(state, message.finality))
      )
    case 'certificate-request':
      return true
  }
}

/** R13: votes over the epoch's last state, and those who ask what has become of it. */
function canMatterAfterEpoch(state: ReplicaState, message: ConsensusMessage): boolean {
  switch (message.kind) {
    case 'commit':
      return canCommitVoteMatter(state, message)
    case 'timeout':
      return message.epoch === state.epoch
    case 'certificate-request':
      return true
    case 'proposal':
    case 'prepare':
    case 'pre-commit':
    case 'openings':
    case 'certificates':
      return false
  }
}

function canCommitVoteMatter(state: ReplicaState, vote: CommitVote): boolean {
  return (
    vote.epoch === state.epoch &&
    isCommitHeightOfInterest({ state, final: state.tree.root }, vote.height) &&
    state.commitVotes.isOfInterest(vote.height, vote.voter, commitContent(vote))
  )
}

/** A higher final block, or another one beside ours: that one must not be overlooked (R6). */
function isNewsOfFinality({ tree }: ReplicaState, { height, blockHash }: QuorumCertificate): boolean {
  const { header, hash } = tree.root
  return height > header.height || (height === header.height && height > 0 && blockHash !== hash)
}
