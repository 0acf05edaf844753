/** Bytes of ballots and of what waits for a verdict: what a commit binds, one form for each value, every bound. */
import { describe, expect, it } from 'vitest'
import { BALLOT_SHARE_MAX, ballotBytes, SIZES } from '../../../scripts/bench/ballot-bytes.ts'
import { ballotCommit, commitsDigest } from '../../../src/codec/ballots.ts'
import { sha256Plain } from '../../../src/codec/hashes.ts'
import { fromHex, toHex } from '../../../src/codec/hex.ts'
import {
  BALLOTS_PER_VOTE_MAX,
  CAST_BALLOTS_MAX,
  OPEN_BATCHES_MAX,
  VALIDATORS_MAX,
} from '../../../src/codec/limits.ts'
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
import type { BallotCommit, BallotOpening, BallotSlot, CastCommit } from '../../../src/types/ballots.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  type BlockHash,
  type GenesisHash,
  type Hex32,
  type ValidatorId,
} from '../../../src/types/primitives.ts'
import type { BallotsTransaction } from '../../../src/types/transaction.ts'
import { GENESIS, vote } from '../consensus/harness.ts'
import { accountOf, batchWith, electorsIn, electorsWith, opened } from '../ledger/verdicts/fixtures.ts'

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
  it.each([
    [4, 1_023, 10_118],
    [31, 7_179, 70_436],
    [100, 22_911, 224_582],
  ])('of %i validators take %i bytes of a block, at most 12 %% of a certificate of %i', (...row) => {
    // spec/commit-reveal.md section 7, gate 2.
    const { validators, inBlock, certificate, share } = ballotBytes(row[0])
    expect([validators, inBlock, certificate]).toEqual(row)
    expect(share).toBeLessThanOrEqual(BALLOT_SHARE_MAX)
  })

  it.each(SIZES)(
    'of %i validators take no more with the votes beside the block, without their signatures',
    (n) => {
      const { inBlock, besideBlock, certificate } = ballotBytes(n)
      expect(besideBlock.framing).toBe(14 * n)
      expect((inBlock + besideBlock.framing) / certificate).toBeLessThanOrEqual(BALLOT_SHARE_MAX)
    },
  )
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

  const inBlock = (of: Partial<BallotsTransaction>): BallotsTransaction => ({
    kind: 'ballots',
    commits: [],
    openings: [],
    ...of,
  })
  const by = (voter: number) => ({ voter: asValidatorIndex(voter) })
  const decodedBallots = (bytes: readonly number[]) => decodeTransaction(Uint8Array.from(bytes))
  const u16 = (value: number): number[] => [value & 0xff, value >> 8]
  const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >> 16)]
  const slotBytes = ({ height, round, blockHash }: BallotSlot): number[] => [
    ...u32(height),
    ...u32(0),
    ...fromHex(blockHash),
    round,
  ]
  /** SSZ list of items of different lengths: where each begins, then each. */
  const listBytes = (...items: number[][]): number[] => {
    const starts = items.map((_, i) => 4 * items.length + items.slice(0, i).flat().length)
    return [...starts.flatMap(u32), ...items.flat()]
  }
  /** The bytes of a block's ballots, from runs of ballots of one slot. */
  const ballotsBytes = (commitRuns: number[][], openingRuns: number[][]): number[] => {
    const commitList = listBytes(...commitRuns)
    return [4, ...u32(8), ...u32(8 + commitList.length), ...commitList, ...listBytes(...openingRuns)]
  }
  const commitRun = (of: BallotCommit, ...voters: number[]): number[] => [
    ...slotBytes(of),
    ...u32(45),
    ...voters.flatMap((voter) => [...u16(voter), ...fromHex(of.commit)]),
  ]
  const openingRun = (...findings: number[][]): number[] => [
    ...slotBytes(OPENING),
    ...u32(45),
    ...listBytes(
      ...findings.map((packed, i) => [...u16(i), ...u16(1), ...u32(40), ...fromHex(OPENING.salt), ...packed]),
    ),
  ]

  it('of a block say each slot once for all that follow one another in it', () => {
    const [one, other] = [commitAt(1), commitAt(2)]
    const commits = [
      { ...one, ...by(0) },
      { ...one, ...by(7) },
      { ...other, ...by(300) },
      // Not in order, which is for the ledger to refuse.
      { ...one, ...by(1) },
    ]
    const openings = [
      { ...OPENING, ...by(0) },
      { ...OPENING, ...by(1), findings: [0xabc] },
    ]
    const bytes = ballotsBytes(
      [commitRun(one, 0, 7), commitRun(other, 300), commitRun(one, 1)],
      [openingRun([0x55, 0x51, 0x25], [0xbc, 0x0a])],
    )
    const transaction = inBlock({ commits, openings })
    expect(toHex(encodeTransaction(transaction))).toBe(toHex(Uint8Array.from(bytes)))
    expect(decodedBallots(bytes)).toMatchObject({ ok: true, value: { transaction } })
  })

  it.each<[string, string, number[]]>([
    ['a slot without commits', 'a slot without ballots', ballotsBytes([commitRun(commitAt(1))], [])],
    ['a slot without openings', 'a slot without ballots', ballotsBytes([], [openingRun()])],
    [
      'a slot twice in a row',
      'one slot twice in a row',
      ballotsBytes([commitRun(commitAt(1), 0), commitRun(commitAt(1), 1)], []),
    ],
    [
      'a slot twice in a row among openings',
      'one slot twice in a row',
      ballotsBytes([], [openingRun([0x55, 0x05]), openingRun([0x55, 0x05])]),
    ],
    ['a third of two findings', 'findings of 1 bytes', ballotsBytes([], [openingRun([0x55])])],
    ['findings and a third', 'findings of 4 bytes', ballotsBytes([], [openingRun([0x55, 0x55, 0x55, 0x05])])],
    [
      'bits after the last finding',
      'bits after the last finding',
      ballotsBytes([], [openingRun([0x55, 0x15])]),
    ],
  ])('of a block with %s are refused', (_, detail, bytes) => {
    expect(decodedBallots(bytes)).toEqual({ ok: false, code: 'malformed', detail })
  })

  it('of a block are read back up to their bounds, and refused beyond', () => {
    // As many slots as can be open, with commits of as many as fit; then one more slot, one more commit, one more voter.
    const slots = (count: number, voters: number) =>
      Array.from({ length: count }, (_, i) =>
        Array.from({ length: voters }, (_, voter) => ({ ...commitAt(i), ...by(voter) })),
      ).flat()
    const perSlot = CAST_BALLOTS_MAX / OPEN_BATCHES_MAX
    const decoded = (commits: readonly CastCommit[]) =>
      decodeTransaction(encodeTransaction(inBlock({ commits })))
    const full = slots(OPEN_BATCHES_MAX, perSlot)
    expect(decoded(full)).toMatchObject({ ok: true, value: { transaction: { commits: full } } })
    expect(decoded(slots(1, VALIDATORS_MAX))).toMatchObject({ ok: true })
    for (const commits of [
      slots(OPEN_BATCHES_MAX + 1, 1),
      [...full, { ...commitAt(OPEN_BATCHES_MAX - 1), ...by(perSlot) }],
      slots(1, VALIDATORS_MAX + 1),
    ]) {
      expect(decoded(commits)).toMatchObject({ ok: false, code: 'malformed' })
    }
  })

  it('hold no findings of more than twelve bits', () => {
    const openings = [{ ...OPENING, ...by(0), findings: [0x1000] }]
    expect(() => encodeTransaction(inBlock({ openings }))).toThrow('findings 4096 are above 4095')
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
    const electors = [electorsIn(3, electorsWith(1, -2))]
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
