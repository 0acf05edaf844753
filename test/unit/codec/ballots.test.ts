/** Bytes of ballots and of what waits for a verdict: what a commit binds, one form for each value, every bound. */
import { describe, expect, it } from 'vitest'
import { ballotCommit, commitsDigest } from '../../../src/codec/ballots.ts'
import { sha256Plain } from '../../../src/codec/hashes.ts'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import { BALLOTS_PER_VOTE_MAX, CAST_BALLOTS_MAX } from '../../../src/codec/limits.ts'
import { decodeMessage, encodeMessage } from '../../../src/codec/messages.ts'
import { decodeTransaction, encodeTransaction } from '../../../src/codec/transaction.ts'
import { utf8ToBytes } from '../../../src/codec/utf8.ts'
import {
  decodeBatch,
  decodeElectors,
  decodeTrust,
  encodeBatch,
  encodeElectors,
  encodeTrust,
} from '../../../src/codec/voting.ts'
import { newTrust } from '../../../src/ledger/verdicts/trust.ts'
import type { BallotCommit, BallotOpening } from '../../../src/types/ballots.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  type BlockHash,
  type GenesisHash,
  type Hex32,
  type ValidatorId,
} from '../../../src/types/primitives.ts'
import { GENESIS, vote } from '../consensus/harness.ts'
import { accountOf, batchWith, electorsWith, opened } from '../ledger/verdicts/fixtures.ts'

const OPENING: BallotOpening = {
  height: asHeight(5),
  blockHash: 'b1'.repeat(32) as BlockHash,
  round: 1,
  rules: 1,
  findings: [0b01_01_01_01_01, 0b10_01_01_01_01],
  salt: 'c1'.repeat(32) as Hex32,
}
const BY = {
  genesisHash: 'a1'.repeat(32) as GenesisHash,
  epoch: asEpoch(2),
  validator: 'd1'.repeat(32) as ValidatorId,
}
const commitAt = (height: number): BallotCommit => ({
  height: asHeight(height),
  blockHash: OPENING.blockHash,
  round: 0,
  commit: '0a'.repeat(32) as Hex32,
})

describe('ballots of a hundred requests', () => {
  it('take 360 bytes of a block and no more for each validator (spec/commit-reveal.md section 7: 250)', () => {
    const bytesWith = (validators: number): number => {
      const voters = Array.from({ length: validators }, (_, i) => asValidatorIndex(i))
      const opening = { ...OPENING, findings: Array.from({ length: 100 }, () => 0b01_01_01_01_01) }
      return encodeTransaction({
        kind: 'ballots',
        commits: voters.map((voter) => ({ ...commitAt(5), voter })),
        openings: voters.map((voter) => ({ ...opening, voter })),
      }).length
    }
    expect(bytesWith(31) - bytesWith(30)).toBe(360)
  })
})

describe('a commit', () => {
  it('is SHA-256 over domain, network, epoch, slot, validator, rules, findings and salt, each with its length', () => {
    const part = (...bytes: number[]): number[] => [bytes.length, 0, 0, 0, ...bytes]
    const tag = utf8ToBytes('hypermesh/ballot-commit/v1')
    const preimage = [
      // Nine parts.
      [tag.length, ...tag, 9, 0, 0, 0],
      part(...fromHex(BY.genesisHash)),
      part(2, 0, 0, 0, 0, 0, 0, 0),
      part(5, 0, 0, 0, 0, 0, 0, 0),
      part(...fromHex(OPENING.blockHash)),
      part(1, 0, 0, 0),
      part(...fromHex(BY.validator)),
      part(1, 0, 0, 0),
      part(0x55, 0x01, 0x55, 0x02),
      part(...fromHex(OPENING.salt)),
    ].flat()
    expect(ballotCommit(BY, OPENING)).toBe(toHex(sha256Plain(Uint8Array.from(preimage))))
  })

  it.each<[string, Partial<typeof BY>, Partial<BallotOpening>]>([
    ['network', { genesisHash: 'a2'.repeat(32) as GenesisHash }, {}],
    ['epoch', { epoch: asEpoch(3) }, {}],
    ['validator (T2)', { validator: 'd2'.repeat(32) as ValidatorId }, {}],
    ['height', {}, { height: asHeight(6) }],
    ['block', {}, { blockHash: 'b2'.repeat(32) as BlockHash }],
    ['round', {}, { round: 2 }],
    ['rules', {}, { rules: 2 }],
    ['findings', {}, { findings: OPENING.findings.toReversed() }],
    ['number of findings', {}, { findings: OPENING.findings.slice(1) }],
    ['salt', {}, { salt: 'c2'.repeat(32) as Hex32 }],
  ])('of another %s is another (T3)', (_, by, change) => {
    expect(ballotCommit({ ...BY, ...by }, { ...OPENING, ...change })).not.toBe(ballotCommit(BY, OPENING))
  })

  it('is signed for in its order, with all of it; none is nothing', () => {
    const digests = [
      [commitAt(1), commitAt(2)],
      [commitAt(2), commitAt(1)],
      [commitAt(1)],
      [{ ...commitAt(1), round: 1 }],
      [{ ...commitAt(1), blockHash: 'b2'.repeat(32) as BlockHash }],
      [{ ...commitAt(1), commit: '0b'.repeat(32) as Hex32 }],
    ].map(commitsDigest)
    expect(new Set(digests).size).toBe(6)
    expect(commitsDigest([])).toBeNull()
  })
})

describe('ballots', () => {
  const openings = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...OPENING, height: asHeight(i) }))
  const commits = (count: number) => Array.from({ length: count }, (_, i) => commitAt(i))
  const inVote = (count: number) =>
    vote('prepare', 1, GENESIS, { commits: commits(count), openings: openings(count) })

  it('of a vote are read back up to their bound, and refused beyond', () => {
    const full = inVote(BALLOTS_PER_VOTE_MAX)
    expect(decodeMessage(encodeMessage(full))).toEqual({ ok: true, value: full })
    expect(decodeMessage(encodeMessage(inVote(BALLOTS_PER_VOTE_MAX + 1)))).toMatchObject({
      ok: false,
      code: 'malformed',
    })
  })

  it('of a block are read back, and refused beyond their bound or with half a finding', () => {
    const cast = {
      kind: 'ballots' as const,
      commits: commits(2).map((commit) => ({ ...commit, voter: asValidatorIndex(3) })),
      openings: openings(2).map((opening) => ({ ...opening, voter: asValidatorIndex(3) })),
    }
    const bytes = encodeTransaction(cast)
    expect(decodeTransaction(bytes)).toMatchObject({ ok: true, value: { transaction: cast } })
    expect(decodeTransaction(bytes.slice(0, -1))).toMatchObject({
      ok: false,
      code: 'malformed',
      detail: 'findings of 3 bytes',
    })
    const many = Array.from({ length: CAST_BALLOTS_MAX + 1 }, (_, i) => ({
      ...commitAt(i),
      voter: asValidatorIndex(0),
    }))
    expect(decodeTransaction(encodeTransaction({ ...cast, commits: many }))).toMatchObject({
      ok: false,
      code: 'malformed',
    })
  })
})

describe('what waits for a verdict', () => {
  const batch = opened(batchWith({ closedAt: asHeight(12), outcomes: [null] }), [
    [341],
    null,
    undefined,
    [342],
  ])

  it('is read back, with and without a verdict, a block hash or a height of closing', () => {
    for (const of of [batch, { ...batch, outcomes: [342] }, { ...batch, blockHash: null, closedAt: null }]) {
      expect(decodeBatch(encodeBatch(of))).toEqual({ ok: true, value: of })
    }
    const electors = [{ period: 3, members: electorsWith(1, -2) }]
    expect(decodeElectors(encodeElectors(electors))).toEqual({ ok: true, value: electors })
    const trust = { ...newTrust(accountOf(1), 640_000, 'excluded'), untilPeriod: 15, lastSeen: asHeight(9) }
    expect(decodeTrust(encodeTrust(trust))).toEqual({ ok: true, value: trust })
  })

  it('is refused when it is cut short, too long, or names no status there is', () => {
    const bytes = encodeTrust(newTrust(accountOf(1), 1, 'active'))
    expect(decodeTrust(bytes.slice(1))).toMatchObject({ ok: false, code: 'malformed' })
    expect(decodeTrust(Uint8Array.of(...bytes, 0))).toMatchObject({ ok: false, code: 'malformed' })
    const status = bytes.slice()
    status[36] = 9
    expect(decodeTrust(status)).toMatchObject({ ok: false, code: 'malformed' })
  })
})
