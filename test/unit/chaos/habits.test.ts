/** What a maverick says: contents that differ in one slot, each under a signature that holds. */

import { describe, expect, it } from 'vitest'
import { makeGenesis } from '../../../src/cli/local-network/genesis.ts'
import type { PublicKeys } from '../../../src/cli/node-keys.ts'
import { hashBlock } from '../../../src/codec/block.ts'
import { validatorId } from '../../../src/codec/genesis.ts'
import { decodeMessage, encodeMessage } from '../../../src/codec/messages.ts'
import { commitSigningPayload, signedVotePayload } from '../../../src/codec/signing-payloads.ts'
import { SIGNATURE_CONTEXTS } from '../../../src/crypto/contexts.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { genesisState } from '../../../src/ledger/genesis-state.ts'
import { NO_BALLOTS } from '../../../src/types/ballots.ts'
import {
  type CommitVote,
  type ConsensusMessage,
  type Openings,
  type Proposal,
  type Timeout,
  type Vote,
  voteOfProposal,
} from '../../../src/types/messages.ts'
import type { StateRoot } from '../../../src/types/primitives.ts'
import { asView } from '../../../src/types/primitives.ts'
import { bend, type Habit } from '../../support/maverick/habits.ts'
import { PORTS } from '../ledger/fixtures.ts'

const keyPair = selectMlDsa65().keyPairFromSeed(new Uint8Array(32).fill(7))
const publicKey = keyPair.publicKey.raw
const self: PublicKeys = { role: 'validator', id: validatorId(publicKey), publicKey, peerId: '' }
const start = genesisState(makeGenesis('test', 1_700_000_000_000, [self]), PORTS)
const { genesisHash } = start.rules
const key = { keyPair, genesisHash }
const block = hashBlock({
  header: { ...start.block.header, view: asView(5) },
  transactions: [],
})
const signature = new Uint8Array(3_309)
const slot = { epoch: block.header.epoch, view: block.header.view, height: block.header.height }
const proposal: Proposal = {
  kind: 'proposal',
  block,
  timeoutCertificate: null,
  ballotVotes: [],
  signature,
  commits: [],
}
const vote = (kind: Vote['kind']): Vote => ({
  kind,
  ...slot,
  blockHash: block.hash,
  voter: block.header.proposer,
  signature,
  ballots: NO_BALLOTS,
})
const openings: Openings = { kind: 'openings', epoch: slot.epoch, voter: block.header.proposer, openings: [] }
const commit: CommitVote = {
  ...slot,
  kind: 'commit',
  blockHash: block.hash,
  voter: block.header.proposer,
  signature,
  stateRoot: 'ab'.repeat(32) as StateRoot,
}
const timeout: Timeout = {
  kind: 'timeout',
  epoch: slot.epoch,
  view: slot.view,
  highQcView: asView(4),
  voter: block.header.proposer,
  signature,
  highQc: { view: asView(4), blockHash: block.hash },
  final: { height: slot.height, blockHash: block.hash },
}

const with_ = (message: ConsensusMessage, ...habits: Habit[]) => bend(message, new Set(habits), key)

/** Whether the maverick's own signature under a message holds. */
function holds(message: ConsensusMessage): boolean {
  switch (message.kind) {
    case 'proposal':
      return holds(voteOfProposal(message))
    case 'prepare':
    case 'pre-commit': {
      const payload = signedVotePayload(genesisHash, message)
      return keyPair.publicKey.verify(payload, message.signature, SIGNATURE_CONTEXTS[message.kind])
    }
    case 'commit':
      return keyPair.publicKey.verify(
        commitSigningPayload(genesisHash, message),
        message.signature,
        SIGNATURE_CONTEXTS.commit,
      )
    default:
      return false
  }
}

const contentOf = (message: ConsensusMessage | undefined): string =>
  message?.kind === 'proposal'
    ? message.block.hash
    : message?.kind === 'commit'
      ? message.stateRoot
      : message?.kind === 'prepare' || message?.kind === 'pre-commit'
        ? message.blockHash
        : ''

describe('without a habit for it a message leaves as it is', () => {
  it.each<[ConsensusMessage, Habit]>([
    [proposal, 'lie-about-state'],
    [vote('prepare'), 'double-proposals'],
    [commit, 'double-votes'],
    [timeout, 'withhold-votes'],
  ])('%o', (message, habit) => {
    expect(with_(message, habit)).toEqual([{ to: 'all', message }])
  })
})

describe('equivocation', () => {
  it.each<[string, ConsensusMessage, Habit, string[]]>([
    ['proposals to halves', proposal, 'split-proposals', ['even', 'odd']],
    ['proposals to all', proposal, 'double-proposals', ['all', 'all']],
    ['a vote beside its own proposal', proposal, 'double-votes', ['all', 'all']],
    ['a vote beside its own proposal, to some', proposal, 'split-votes', ['all', 'odd']],
    ['prepare votes to halves', vote('prepare'), 'split-votes', ['even', 'odd']],
    ['pre-commit votes to all', vote('pre-commit'), 'double-votes', ['all', 'all']],
  ])('%s: two contents for one slot, the second signed', (_name, message, habit, to) => {
    const leaving = with_(message, habit)
    expect(leaving.map((entry) => entry.to)).toEqual(to)
    const [first, second] = leaving.map((entry) => entry.message)
    expect(first).toBe(message)
    expect(contentOf(second)).not.toBe(contentOf(first))
    if (second === undefined) throw new Error('there is a second')
    expect(holds(second)).toBe(true)
    const decoded = decodeMessage(encodeMessage(second))
    expect(decoded.ok && contentOf(decoded.value)).toBe(contentOf(second))
    expect('view' in second ? second.view : second.kind === 'proposal' && second.block.header.view).toBe(5)
  })
})

it('a lie about the state is signed, and is no other lie the next time', () => {
  const [leaving] = with_(commit, 'lie-about-state')
  const [again] = with_(commit, 'lie-about-state')
  if (leaving === undefined) throw new Error('it leaves')
  expect(contentOf(leaving.message)).not.toBe(commit.stateRoot)
  expect(contentOf(again?.message)).toBe(contentOf(leaving.message))
  expect(holds(leaving.message)).toBe(true)
})

it.each<[ConsensusMessage, Habit]>([
  [proposal, 'withhold-proposals'],
  [vote('prepare'), 'withhold-votes'],
  [vote('pre-commit'), 'withhold-votes'],
  [commit, 'withhold-votes'],
  [openings, 'withhold-openings'],
])('what is withheld does not leave: $kind', (message, habit) => {
  expect(with_(message, habit)).toEqual([])
})
