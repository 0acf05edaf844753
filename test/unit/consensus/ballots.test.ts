/** Ballots beside votes: what the core records of commits, keeps of them, and lets through for their sake. */
import { describe, expect, it } from 'vitest'
import { commitsDigest } from '../../../src/codec/ballots.ts'
import { encodeMessage } from '../../../src/codec/messages.ts'
import { decodeSafetyRecord, encodeSafetyRecord } from '../../../src/codec/safety-record.ts'
import { foldSafetyRecords, recoveredForEpoch, SafetyState } from '../../../src/consensus/safety.ts'
import type { BallotCommit, Ballots } from '../../../src/types/ballots.ts'
import { voteOfProposal } from '../../../src/types/messages.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  asView,
  type BlockHash,
  type Hex32,
} from '../../../src/types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../../../src/types/safety.ts'
import { chainOf, GENESIS, Harness, leaderOf, proposal, quorumOn, said, vote } from './harness.ts'

type Block = typeof GENESIS
const [B1, B2] = chainOf(2) as [Block, Block]

const commit = (height: number, byte = '0a', round = 0): BallotCommit => ({
  height: asHeight(height),
  blockHash: 'bb'.repeat(32) as BlockHash,
  round,
  commit: byte.repeat(32) as Hex32,
})
const record = (epoch: number, ...commits: readonly BallotCommit[]): SafetyRecord => ({
  ...EMPTY_SAFETY_RECORD,
  epoch: asEpoch(epoch),
  commits,
})
const heights = ({ commits }: SafetyRecord): number[] => commits.map(({ height }) => height)

describe('a safety record', () => {
  it('holds the commits of the vote that it is of, and is read back', () => {
    const of = record(3, commit(7), commit(8, '0b', 2))
    expect(decodeSafetyRecord(encodeSafetyRecord(of))).toEqual({ ok: true, value: of })
  })

  it('is written with the commits before the prepare vote leaves with them', () => {
    const ballots: Ballots = { commits: [commit(0)], openings: [] }
    const h = new Harness({
      ballots: (kind) => (kind === 'prepare' ? ballots : { commits: [], openings: [] }),
    })
    const effects = h.receive(proposal(B1), leaderOf(1))
    const kinds = effects.map(({ kind }) => kind)
    const written = effects[kinds.indexOf('persist')]
    expect(written).toMatchObject({ kind: 'persist', record: { commits: [commit(0)], prepare: { ballots } } })
    expect(kinds.indexOf('persist')).toBeLessThan(kinds.indexOf('broadcast'))
    expect(said(effects)).toMatchObject([{ kind: 'prepare', ballots }])
    expect(h.replica.safetySnapshot().commits).toEqual([commit(0)])
  })

  it('is written with the commits before a proposal leaves with them, and with the vote that it is', () => {
    const opening = { ...commit(0), rules: 1, findings: [1365], salt: '0e'.repeat(32) as Hex32 }
    const h = new Harness({
      self: asValidatorIndex(1),
      isStarted: false,
      ballots: () => ({ commits: [commit(0)], openings: [opening] }),
    })
    const effects = h.feed({ kind: 'started' })
    const kinds = effects.map(({ kind }) => kind)
    const [own] = said(effects)
    if (own?.kind !== 'proposal') throw new Error('it proposes')
    expect(own.commits).toEqual([commit(0)])
    expect(effects[kinds.indexOf('persist')]).toMatchObject({
      record: {
        commits: [commit(0)],
        proposal: { view: 1, bytes: encodeMessage(own) },
        prepare: voteOfProposal(own),
        blocks: [own.block.bytes],
      },
    })
    expect(kinds.indexOf('persist')).toBeLessThan(kinds.indexOf('broadcast'))
  })
})

describe('the fold of records', () => {
  it('adds commits up, also across epochs, one for each slot', () => {
    const fold = foldSafetyRecords([
      record(0, commit(1)),
      record(0, commit(2), commit(2, '0c', 1)),
      record(1, commit(3)),
      record(1, commit(3)),
    ])
    expect([fold.epoch, heights(fold)]).toEqual([1, [1, 2, 2, 3]])
  })

  it('forgets commits more than 256 heights below the highest', () => {
    const fold = foldSafetyRecords([record(0, commit(1)), record(0, commit(44)), record(0, commit(300))])
    expect(heights(fold)).toEqual([44, 300])
  })

  it('is for another epoch nothing but its commits: a slot may be open across the end', () => {
    const fold = { ...record(0, commit(5)), prepare: vote('prepare', 0, B1) }
    expect(recoveredForEpoch(fold, asEpoch(1))).toEqual(record(1, commit(5)))
    expect(recoveredForEpoch(fold, asEpoch(0))).toBe(fold)
  })
})

describe('the state of safety', () => {
  it('snapshots every commit that may still be asked for', () => {
    const state = new SafetyState(record(0, commit(1), commit(400)))
    state.record({ commits: [commit(401), commit(401, '0d', 1)] }, quorumOn('prepare', GENESIS), null)
    const snapshot = (final: number) =>
      state.snapshot(quorumOn('prepare', GENESIS), null, [], asHeight(final))
    expect(heights(snapshot(257))).toEqual([1, 400, 401, 401])
    expect(heights(snapshot(258))).toEqual([400, 401, 401])
  })
})

describe('a vote that comes after its quorum', () => {
  /** B1 has its quorum of prepare votes; the vote of 3 is late. */
  function certified(): Harness {
    const h = new Harness()
    h.receive(proposal(B1), leaderOf(1))
    h.votes('prepare', B1, [1, 2])
    return h
  }
  const ballots: Ballots = { commits: [commit(1)], openings: [] }

  it('is ignored when it carries nothing', () => {
    expect(certified().replica.triage(vote('prepare', 3, B1))).toBe('ignore')
  })

  it('is verified once for the ballots in it', () => {
    const h = certified()
    const late = vote('prepare', 3, B1, ballots)
    expect(h.replica.triage(late)).not.toBe('ignore')
    h.receive(late, 3)
    expect(h.replica.triage(late)).toBe('ignore')
    expect(h.replica.triage(vote('prepare', 3, B1, { commits: [commit(2)], openings: [] }))).toBe('ignore')
  })

  it('is ignored of a validator whose vote was counted', () => {
    expect(certified().replica.triage(vote('prepare', 1, B1, ballots))).toBe('ignore')
  })

  it('is verified as a pre-commit vote with openings, too', () => {
    const opening = { ...commit(1), rules: 1, findings: [1365], salt: '0e'.repeat(32) as Hex32 }
    const h = certified()
    h.votes('pre-commit', B1, [1, 2])
    expect(h.replica.triage(vote('pre-commit', 3, B1))).toBe('ignore')
    expect(h.replica.triage(vote('pre-commit', 3, B1, { commits: [], openings: [opening] }))).not.toBe(
      'ignore',
    )
  })
})

describe('a certificate', () => {
  it('keeps what each vote signed for its commits', () => {
    const h = new Harness()
    // The vote of 1 is its proposal.
    h.receive(proposal(B1, null, [commit(0)]), leaderOf(1))
    h.receive(vote('prepare', 2, B1, { commits: [commit(0, '0b')], openings: [] }), 2)
    const { highQc } = h.replica.safetySnapshot()
    expect(highQc?.view).toBe(asView(1))
    expect(highQc?.signatures.map(({ voter, commits }) => [voter, commits])).toEqual([
      [0, null],
      [1, commitsDigest([commit(0)])],
      [2, commitsDigest([commit(0, '0b')])],
    ])
    expect(B2.header.justify.blockHash).toBe(B1.hash)
  })
})
