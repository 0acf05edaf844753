/** The watch over our own signatures: what is ours, what is somebody else's, wherever in a message it stands. */
import { describe, expect, it } from 'vitest'
import { commitsDigest } from '../../../src/codec/ballots.ts'
import { hashBlock } from '../../../src/codec/block.ts'
import { genesisHash } from '../../../src/codec/genesis.ts'
import { decodeMessage } from '../../../src/codec/messages.ts'
import { signingHistoryOf } from '../../../src/composition/signing-history.ts'
import { Signer } from '../../../src/crypto/signer.ts'
import { DoppelgangerWatch, type ForeignSignature } from '../../../src/runtime/doppelganger-watch.ts'
import type { BallotCommit } from '../../../src/types/ballots.ts'
import type { HashedBlock } from '../../../src/types/block.ts'
import type { QuorumCertificate } from '../../../src/types/certificates.ts'
import type { ConsensusMessage, Timeout, Vote } from '../../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asUnixMs,
  asValidatorIndex,
  asView,
  type BlockHash,
  type Hex32,
} from '../../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../../../src/types/safety.ts'
import { KEYS, NETWORK_GENESIS } from '../../support/consensus-nodes.ts'
import { signedProposal } from '../../support/safety-fixtures.ts'

const NETWORK = genesisHash(NETWORK_GENESIS)
const US = 1
const A = 'aa'.repeat(32) as BlockHash
const B = 'bb'.repeat(32) as BlockHash
const signature = new Uint8Array(3_309)

const COMMITS: readonly BallotCommit[] = [
  { height: asHeight(9), blockHash: A, round: 0, commit: '0c'.repeat(32) as Hex32 },
]
const OTHER_COMMITS: readonly BallotCommit[] = [
  { height: asHeight(9), blockHash: A, round: 0, commit: '0d'.repeat(32) as Hex32 },
]
const withCommits = (view: number, commits = COMMITS): Vote => vote('prepare', view, A, US, commits)

const vote = (
  kind: Vote['kind'],
  view: number,
  blockHash = A,
  voter = US,
  commits: readonly BallotCommit[] = [],
): Vote => ({
  kind,
  epoch: asEpoch(0),
  view: asView(view),
  height: asHeight(view),
  blockHash,
  voter: asValidatorIndex(voter),
  signature,
  ballots: { commits, openings: [] },
})
const timeout = (view: number, highQcView = view - 1, voter = US): Timeout => ({
  kind: 'timeout',
  epoch: asEpoch(0),
  view: asView(view),
  highQcView: asView(highQcView),
  voter: asValidatorIndex(voter),
  signature,
  highQc: { view: asView(highQcView), blockHash: A },
  final: { height: asHeight(1), blockHash: A },
})
const qc = (
  kind: QuorumCertificate['kind'],
  view: number,
  blockHash = A,
  voters = [0, US, 2],
  commits: Hex32 | null = null,
): QuorumCertificate => ({
  kind,
  epoch: asEpoch(0),
  view: asView(view),
  height: asHeight(view),
  blockHash,
  stateRoot: null,
  signatures: voters.map((voter) => ({
    voter: asValidatorIndex(voter),
    signature,
    commits: voter === US ? commits : null,
  })),
})
const tc = (view: number, voters: readonly number[], highQcView = view - 1) => ({
  epoch: asEpoch(0),
  view: asView(view),
  timeouts: voters.map((voter) => ({
    voter: asValidatorIndex(voter),
    highQcView: asView(highQcView),
    signature,
  })),
  highQc: qc('prepare', highQcView, A, [0, 2, 3]),
})
const bundle = (parts: object): ConsensusMessage =>
  ({ kind: 'certificates', highQc: null, highTc: null, finality: null, ...parts }) as ConsensusMessage

const RECORD: SafetyRecord = {
  ...EMPTY_SAFETY_RECORD,
  prepare: vote('prepare', 10),
  preCommit: vote('pre-commit', 9),
  timeout: timeout(8),
}

function seen(message: ConsensusMessage | QuorumCertificate, record = RECORD): ForeignSignature[] {
  return watched((watch) => watch.verified(message), record)
}

function watched(look: (watch: DoppelgangerWatch) => void, record = RECORD): ForeignSignature[] {
  const foreign: ForeignSignature[] = []
  const signer = new Signer(KEYS[US] as (typeof KEYS)[number], signingHistoryOf(record, NETWORK))
  const watch = new DoppelgangerWatch({
    genesisHash: NETWORK,
    indexIn: (epoch) => (epoch === 0 ? asValidatorIndex(US) : null),
    recognises: (slot, payload) => signer.recognises(slot, payload),
    onForeign: (found) => void foreign.push(found),
  })
  look(watch)
  return foreign
}

const proposalIn = (view: number): ConsensusMessage => {
  const message = decodeMessage(signedProposal(US, view).bytes)
  if (!message.ok) throw new Error(message.detail)
  return message.value
}

describe('a signature of our key', () => {
  it.each<[string, ConsensusMessage | QuorumCertificate]>([
    ['the newest prepare', vote('prepare', 10)],
    ['an older prepare, whatever its content', vote('prepare', 7, B)],
    ['the newest pre-commit in a certificate', qc('pre-commit', 9)],
    ['the newest timeout', timeout(8)],
    ["another validator's vote", vote('prepare', 99, B, 2)],
    ['a certificate without us', qc('prepare', 99, B, [0, 2, 3])],
    ['a commit certificate: it has no record', qc('commit', 99)],
    ['a vote of an epoch in which we are nobody', { ...vote('prepare', 99), epoch: asEpoch(1) }],
    ['a question', { kind: 'certificate-request', view: asView(99) }],
  ])('is ours: %s', (_, message) => {
    expect(seen(message)).toEqual([])
  })

  it.each<[string, ConsensusMessage | QuorumCertificate, string, number]>([
    ['a newer prepare', vote('prepare', 11), 'prepare', 11],
    ['another prepare in the newest view', vote('prepare', 10, B), 'prepare', 10],
    ['a newer pre-commit in a certificate', qc('pre-commit', 10), 'pre-commit', 10],
    ['another pre-commit in the newest view', qc('pre-commit', 9, B), 'pre-commit', 9],
    ['a newer timeout', timeout(9), 'timeout', 9],
    ['a timeout that names another certificate', timeout(8, 3), 'timeout', 8],
    ['the highest certificate of a bundle', bundle({ highQc: qc('prepare', 12) }), 'prepare', 12],
    ['the final certificate of a bundle', bundle({ finality: qc('pre-commit', 12) }), 'pre-commit', 12],
    ['a timeout in a certificate', bundle({ highTc: tc(12, [0, US, 2]) }), 'timeout', 12],
    ['a proposal that we did not make', proposalIn(12), 'prepare', 12],
    ['a proposal beside our vote of the newest view', proposalIn(10), 'prepare', 10],
  ])('is not: %s', (_, message, kind, view) => {
    expect(seen(message)).toEqual([{ kind, epoch: 0, view }])
  })

  it('is told apart by its commits, in a vote and in a certificate', () => {
    const record = { ...RECORD, prepare: withCommits(10) }
    expect(seen(withCommits(10), record)).toEqual([])
    expect(seen(qc('prepare', 10, A, [0, US, 2], commitsDigest(COMMITS)), record)).toEqual([])
    const foreign = [{ kind: 'prepare', epoch: 0, view: 10 }]
    expect(seen(withCommits(10, OTHER_COMMITS), record)).toEqual(foreign)
    expect(seen(withCommits(10, []), record)).toEqual(foreign)
    expect(seen(qc('prepare', 10, A, [0, US, 2], commitsDigest(OTHER_COMMITS)), record)).toEqual(foreign)
    expect(seen(qc('prepare', 10), record)).toEqual(foreign)
  })

  it('is told by a final block that it proposed, whatever it committed to with it', () => {
    const block = (view: number): HashedBlock => {
      const message = proposalIn(view)
      if (message.kind !== 'proposal') throw new Error('a proposal')
      return message.block
    }
    const ours = block(10)
    const record = { ...RECORD, prepare: vote('prepare', 10, ours.hash, US, COMMITS) }
    const finality = qc('pre-commit', 8, A, [0, 2, 3])
    const found = (final: HashedBlock) =>
      watched((watch) => watch.final([{ block: final, finality }]), record)
    expect(found(ours)).toEqual([])
    expect(found(block(9))).toEqual([])
    expect(found(block(11))).toEqual([{ kind: 'prepare', epoch: 0, view: 11 }])
    const other = hashBlock({ ...ours, header: { ...ours.header, timestamp: asUnixMs(1) } })
    expect(found(other)).toEqual([{ kind: 'prepare', epoch: 0, view: 10 }])
  })

  it('is anything at all for a key that has never signed here', () => {
    expect(seen(vote('prepare', 1), EMPTY_SAFETY_RECORD)).toHaveLength(1)
  })
})
