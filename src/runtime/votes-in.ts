/** The votes in what was verified: a vote, a proposal with its leader's, and those beside its block. */
import { type Proposal, type Vote, voteOfProposal } from '../types/messages.ts'
import type { OnVerified } from './message-verifier.ts'

type Message = Parameters<OnVerified>[0]

/** The vote of whoever made the message: itself, or the one that a proposal is; null for any other. */
export function voteIn(verified: Message): Vote | null {
  if (isProposal(verified)) return voteOfProposal(verified)
  return isVote(verified) ? verified : null
}

/** That one, and those that a message has with it. */
export function votesIn(verified: Message): readonly Vote[] {
  const own = voteIn(verified)
  if (own === null) return []
  return isProposal(verified) ? [own, ...verified.ballotVotes] : [own]
}

function isProposal(verified: Message): verified is Proposal {
  return 'ballotVotes' in verified
}

function isVote(verified: Message): verified is Vote {
  return !('signatures' in verified) && (verified.kind === 'prepare' || verified.kind === 'pre-commit')
}
