/**
 * What a maverick does to the messages that its honest half wants sent. It signs with the key pair itself, because
 * the signer of a node would refuse. It only decides; who sends is misbehave.ts.
 */

import { hashBlock } from '../../../src/codec/block.ts'
import { commitSigningPayload, signedVotePayload } from '../../../src/codec/signing-payloads.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import type { MlDsaKeyPair } from '../../../src/crypto/ml-dsa.ts'
import { findingOf, findingsOf } from '../../../src/ledger/verdicts/findings.ts'
import { COMPONENTS, type Findings, FOUND_INVALID, FOUND_VALID } from '../../../src/types/ballots.ts'
import {
  type CommitVote,
  type ConsensusMessage,
  type Proposal,
  type Vote,
  voteOfProposal,
} from '../../../src/types/messages.ts'
import { asUnixMs, type BlockHash, type GenesisHash, type StateRoot } from '../../../src/types/primitives.ts'
import type { RuleFailure } from '../../../src/types/verdict.ts'

/** Every habit by name, with what it does. */
export const HABITS = {
  'split-proposals': 'proposes two blocks in each of its views, one to each half of the others',
  'double-proposals': 'proposes two blocks in each of its views, both to everyone',
  'split-votes': 'votes for two blocks in each slot, one vote to each half of the others',
  'double-votes': 'votes for two blocks in each slot, both votes to everyone',
  'withhold-proposals': 'keeps its proposals to itself',
  'withhold-votes': 'keeps its votes to itself, but for those that are its proposals',
  'lie-about-state': 'signs another state root in its commit votes',
  'lie-in-verdicts': 'finds the opposite of what the rules find',
  'withhold-openings': 'commits to its findings and never opens them',
} as const

export type Habit = keyof typeof HABITS

export function isHabit(text: string): text is Habit {
  return Object.hasOwn(HABITS, text)
}

/** One message that leaves: to everyone, or to every second one of the others. */
export interface Leaving {
  readonly to: 'all' | 'even' | 'odd'
  readonly message: ConsensusMessage
}

export interface Key {
  readonly keyPair: MlDsaKeyPair
  readonly genesisHash: GenesisHash
}

/** What leaves in place of `message`; it alone, to all, when no habit concerns it. */
export function bend(message: ConsensusMessage, habits: ReadonlySet<Habit>, key: Key): Leaving[] {
  const both = (other: ConsensusMessage): Leaving[] => [
    { to: 'all', message },
    { to: 'all', message: other },
  ]
  const halves = (other: ConsensusMessage): Leaving[] => [
    { to: 'even', message },
    { to: 'odd', message: other },
  ]
  switch (message.kind) {
    case 'proposal':
      if (habits.has('withhold-proposals')) return []
      if (habits.has('double-proposals')) return both(otherProposal(message, key))
      if (habits.has('split-proposals')) return halves(otherProposal(message, key))
      // In its own views its proposal is its vote: the second one comes beside it.
      if (habits.has('double-votes')) return both(otherVote(voteOfProposal(message), key))
      return habits.has('split-votes')
        ? [
            { to: 'all', message },
            { to: 'odd', message: otherVote(voteOfProposal(message), key) },
          ]
        : both(message).slice(0, 1)
    case 'prepare':
    case 'pre-commit':
      if (habits.has('withhold-votes')) return []
      if (habits.has('double-votes')) return both(otherVote(message, key))
      if (habits.has('withhold-openings')) return [{ to: 'all', message: withoutOpenings(message) }]
      return habits.has('split-votes') ? halves(otherVote(message, key)) : both(message).slice(0, 1)
    case 'openings':
      return habits.has('withhold-openings') || habits.has('withhold-votes') ? [] : both(message).slice(0, 1)
    case 'commit':
      if (habits.has('withhold-votes')) return []
      return [{ to: 'all', message: habits.has('lie-about-state') ? lie(message, key) : message }]
    default:
      return [{ to: 'all', message }]
  }
}

/** A block that is as valid as the first: the same, a millisecond later. */
function otherProposal(proposal: Proposal, { keyPair, genesisHash }: Key): Proposal {
  const { header, transactions } = proposal.block
  const block = hashBlock({
    header: { ...header, timestamp: asUnixMs(header.timestamp + 1) },
    transactions,
  })
  const other = { ...proposal, block }
  const payload = signedVotePayload(genesisHash, voteOfProposal(other))
  return { ...other, signature: keyPair.sign(payload, SIGNATURE_CONTEXTS.prepare) }
}

/** Openings are not signed: the vote is as good without. */
function withoutOpenings(vote: Vote): Vote {
  return { ...vote, ballots: { commits: vote.ballots.commits, openings: [] } }
}

/** What a liar says about a request. */
export function oppositeFindings(failures: readonly RuleFailure[]): Findings {
  const findings = findingsOf(failures)
  return COMPONENTS.reduce((sum, component, i) => {
    const value = findingOf(findings, component) === FOUND_VALID ? FOUND_INVALID : FOUND_VALID
    return sum | (value << (2 * i))
  }, 0)
}

/** A vote for a block that is nowhere. */
function otherVote(vote: Vote, { keyPair, genesisHash }: Key): Vote {
  const blockHash = complement(vote.blockHash) as BlockHash
  const payload = signedVotePayload(genesisHash, { ...vote, blockHash })
  return { ...vote, blockHash, signature: keyPair.sign(payload, SIGNATURE_CONTEXTS[vote.kind]) }
}

function lie(vote: CommitVote, { keyPair, genesisHash }: Key): CommitVote {
  const stateRoot = complement(vote.stateRoot) as StateRoot
  const payload = commitSigningPayload(genesisHash, { ...vote, stateRoot })
  return { ...vote, stateRoot, signature: keyPair.sign(payload, SIGNATURE_CONTEXTS.commit) }
}

/** Every hex digit's complement: another hash, and always the same one. */
function complement(hex: string): string {
  return hex.replace(/[0-9a-f]/g, (digit) => (15 - Number.parseInt(digit, 16)).toString(16))
}
