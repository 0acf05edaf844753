/** A signature has been made: record it, say it, count it ourselves. In this order (S0). */
import { assert, unreachable } from '../types/assert.ts'
import { type CommitVote, type Proposal, type Timeout, type Vote, voteOfProposal } from '../types/messages.ts'
import type { SafetyRecord } from '../types/safety.ts'
import { mintVerified } from '../types/verified.ts'
import type { StepContext } from './context.ts'
import type { SignRequest } from './effect.ts'
import type { ConsensusInput } from './input.ts'
import { onCommitVote } from './on-commit-vote.ts'
import { countTimeout } from './on-timeout.ts'
import { setCommitRepeatTimer, setRepeatTimer } from './on-timer.ts'
import { onVote } from './on-vote.ts'

/** Encodes a proposal; given from outside so that the core does not depend on where encoding happens. */
export type EncodeProposal = (proposal: Proposal) => Uint8Array

export function onSigned(
  context: StepContext,
  request: SignRequest,
  { signature, ballots }: Pick<ConsensusInput & { kind: 'signed' }, 'signature' | 'ballots'>,
  encodeProposal: EncodeProposal,
): void {
  const { state } = context
  const voter = state.self
  assert(voter !== null, 'only a validator asks for signatures')
  switch (request.kind) {
    case 'proposal': {
      const { view, block, timeoutCertificate, ballotVotes } = request
      if (state.safety.isGivenUp(request.view)) return
      const { height, proposer } = block.header
      assert(proposer === voter, 'a validator proposes in its own name')
      const { commits } = ballots
      const proposal: Proposal = {
        kind: 'proposal',
        block,
        timeoutCertificate,
        ballotVotes,
        signature,
        commits,
      }
      const bytes = encodeProposal(proposal)
      const vote = voteOfProposal(proposal)
      persist(context, { proposal: { view, bytes }, prepare: vote, blocks: [block.bytes], commits })
      state.keptBlocks.keep(block)
      context.broadcast(proposal)
      state.proposals.set(view, mintVerified(proposal))
      context.report({ kind: 'proposed', view, height, transactions: block.transactions.length })
      context.report({ kind: 'proposal-accepted', view, height, blockHash: block.hash, proposer })
      context.report({ kind: 'voted', phase: 'prepare', view, height })
      onVote(context, voter, mintVerified(vote))
      return
    }
    case 'prepare':
    case 'pre-commit': {
      const { kind, epoch, view, height, blockHash } = request
      if (state.safety.isGivenUp(view)) return
      const vote: Vote = { kind, epoch, view, height, blockHash, voter, signature, ballots }
      const { commits } = ballots
      if (kind === 'prepare') persist(context, { prepare: vote, blocks: blockToKeep(context, vote), commits })
      else persist(context, { preCommit: vote })
      context.broadcast(vote)
      context.report({ kind: 'voted', phase: kind, view, height })
      onVote(context, voter, mintVerified(vote))
      return
    }
    case 'commit': {
      const { epoch, view, height, blockHash, stateRoot } = request
      const vote: CommitVote = { kind: 'commit', epoch, view, height, blockHash, stateRoot, voter, signature }
      state.lastCommitVote = vote
      // R7: no record of its own. The state root it signs is durable and is read, never recomputed.
      context.broadcast(vote)
      context.report({ kind: 'voted', phase: 'commit', view, height })
      onCommitVote(context, mintVerified(vote))
      if (state.isEpochOver) setCommitRepeatTimer(context)
      return
    }
    case 'timeout': {
      const { epoch, view, highQcView } = request
      const { highQc } = state.certificates
      const { header, hash } = context.final
      const timeout: Timeout = {
        kind: 'timeout',
        epoch,
        view,
        highQcView,
        voter,
        signature,
        highQc: { view: highQc.view, blockHash: highQc.blockHash },
        final: { height: header.height, blockHash: hash },
      }
      persist(context, { timeout })
      context.broadcast(timeout)
      if (view === state.view) setRepeatTimer(context)
      if (view >= state.view) countTimeout(context, timeout)
      return
    }
    default:
      unreachable(request)
  }
}

/** The block of our own proposal is durable with the proposal; any other is kept with the vote. */
function blockToKeep(context: StepContext, vote: Vote): Uint8Array[] {
  const { keptBlocks, tree } = context.state
  if (keptBlocks.get(vote.blockHash) !== null) return []
  const block = tree.get(vote.blockHash)
  if (block === null) return []
  keptBlocks.keep(block)
  return [block.bytes]
}

function persist(context: StepContext, signed: Partial<SafetyRecord>): void {
  const { safety, certificates } = context.state
  const record = safety.record(signed, certificates.highQc, certificates.highTc)
  context.perform({ kind: 'persist', record })
}
