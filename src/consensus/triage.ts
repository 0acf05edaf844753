/**
 * R16: whether a message's signatures are worth checking. Asked at the edge before any signature work; says
 * nothing about what the message will lead to.
 */
import type { ConsensusMessage } from '../types/messages.ts'
import { type ReplicaState, WINDOW_ABOVE, WINDOW_BELOW } from './context.ts'
import { isCommitHeightOfInterest } from './on-commit-vote.ts'

export type Triage = 'verify' | 'ignore'

export function triage(state: ReplicaState, message: ConsensusMessage): Triage {
  return canMatter(state, message) ? 'verify' : 'ignore'
}

function canMatter(state: ReplicaState, message: ConsensusMessage): boolean {
  switch (message.kind) {
    case 'proposal': {
      const { view } = message.block.header
      if (view < state.view - 1) return false
      // A second, different proposal of a view is still checked: it is how equivocation is seen.
      return state.proposals.get(view)?.block.hash !== message.block.hash
    }
    case 'prepare':
    case 'pre-commit': {
      if (message.epoch !== state.epoch || message.view < state.view - WINDOW_BELOW) return false
      // Far above the window it cannot be stored, but it shows that we are behind.
      if (message.view > state.view + WINDOW_ABOVE) return true
      const votes = message.kind === 'prepare' ? state.prepareVotes : state.preCommitVotes
      return !votes.has(message.view, message.voter) && !votes.hasQuorum(message.view)
    }
    case 'commit':
      return (
        message.epoch === state.epoch &&
        isCommitHeightOfInterest({ state, final: state.tree.root }, message.height) &&
        !state.commitVotes.has(message.height, message.voter)
      )
    case 'timeout':
      return message.epoch === state.epoch && !state.timeouts.has(message.view, message.voter)
    case 'certificates':
      return (
        (message.highQc !== null && message.highQc.view > state.certificates.highQc.view) ||
        (message.highTc !== null && message.highTc.view >= state.view) ||
        (message.finality !== null && message.finality.height > state.tree.root.header.height)
      )
    case 'certificate-request':
      return true
  }
}
