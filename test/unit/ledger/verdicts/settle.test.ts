/** What a block does to open batches: closing, verdicts, accounts, further attempts, the end (spec/commit-reveal.md 5.3). */
import { describe, expect, it } from 'vitest'
import { ALL_VALID } from '../../../../src/ledger/verdicts/findings.ts'
import { settle } from '../../../../src/ledger/verdicts/settle.ts'
import type { Findings } from '../../../../src/types/ballots.ts'
import { asHeight, type Hex32 } from '../../../../src/types/primitives.ts'
import type { CastBallot, OpenBatch } from '../../../../src/types/voting.ts'
import { accountOf, batchWith, electorsWith, idOf, opened, request, votingOf } from './fixtures.ts'

const V = ALL_VALID
const I = 0b01_01_01_01_10_01
const MEMBERS = electorsWith(1, 1, 1, 1)

type Said = readonly (readonly Findings[] | null | undefined)[]
const said = (
  findings: Said,
  of: Partial<OpenBatch> = {},
  opening?: Partial<NonNullable<CastBallot['opening']>>,
) => opened(batchWith(of), findings, opening)

function settled(batch: OpenBatch, height: number, members = MEMBERS, present = members.map(({ id }) => id)) {
  const voting = votingOf(members, [batch])
  const after = settle(voting, {
    height: asHeight(height),
    period: 7,
    present: new Set(present),
  })
  const trust = members.map(({ account }) => after.trust.get(account))
  return { ...after, batch: after.batches[0] ?? null, trust, before: voting }
}
const ppms = (of: ReturnType<typeof settled>) => of.trust.map((trust) => trust?.ppm)
const closedAt = asHeight(11)

describe('a batch', () => {
  it.each<[string, Said, number, number | null]>([
    ['closes with the last commit', [null, null, null, null], 11, 11],
    ['waits for commits', [null, null, null, undefined], 13, null],
    ['closes at its deadline, whoever is silent (T6)', [null, null, null, undefined], 14, 14],
  ])('%s', (_, findings, height, expected) => {
    const { batch, decided, trust, before } = settled(said(findings), height)
    expect(batch?.closedAt).toBe(expected)
    expect(decided).toEqual([])
    expect(trust).toEqual([...before.trust.values()])
  })

  it('that nobody committed to is accounted when it closes, and tried again', () => {
    const { batch, decided, trust } = settled(said([]), 14)
    expect(batch).toEqual({ ...batchWith(), round: 1, openedAt: 14, period: 7 })
    expect(decided).toEqual([])
    expect(trust).toMatchObject(MEMBERS.map(() => ({ absent: 1, opportunities: 1, ppm: 800_000 })))
  })

  it('has its verdict with the quorum, before the last opening', () => {
    const { batch, decided, trust, before } = settled(said([[V], [V], [V], null], { closedAt }), 13)
    expect(decided.map(({ record }) => record)).toEqual([
      {
        requestKey: request(0).requestKey,
        requestIdHash: request(0).requestIdHash,
        kind: 'validate-certificate',
        height: 10,
        blockTime: 1_000,
        decidedAt: 13,
        status: 'valid',
        findings: V,
        round: 0,
        agreeing: { validators: 3, stake: 3n },
        dissenting: 0,
        eligibleStake: 4n,
        proofHash: request(0).proofHash,
        sequence: null,
      },
    ])
    // It stays open for its accounts, with the outcome.
    expect(batch?.outcomes).toEqual([V])
    expect(trust).toEqual([...before.trust.values()])
  })

  it('has one verdict, though openings come later', () => {
    const batch = said([[V], [V], [V], [V]], { closedAt, outcomes: [V] })
    const { decided, batches } = settled(batch, 14)
    expect([decided, batches]).toEqual([[], []])
  })

  it('waits without a quorum, until its time is over', () => {
    const batch = said([[V], [V], null, null], { closedAt })
    const waiting = settled(batch, 27)
    expect([waiting.decided, waiting.batch]).toEqual([[], batch])
    expect(waiting.trust).toEqual([...waiting.before.trust.values()])
    const over = settled(batch, 28)
    expect(over.batch).toMatchObject({
      round: 1,
      openedAt: 28,
      closedAt: null,
      ballots: [],
      outcomes: [null],
    })
    // Nobody dissents from nothing; what was withheld is paid for all the same.
    expect(ppms(over)).toEqual([800_000, 800_000, 640_000, 640_000])
    expect(over.trust.map((trust) => [trust?.agreed, trust?.withheld])).toEqual([
      [0, 0],
      [0, 0],
      [0, 1],
      [0, 1],
    ])
  })

  it('is accounted as soon as all who committed have opened', () => {
    const { batches, decided, trust } = settled(said([[V], [V], [V], undefined], { closedAt }), 13)
    expect([batches, decided.length]).toEqual([[], 1])
    expect(trust.map((of) => [of?.agreed, of?.absent])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
      [0, 1],
    ])
  })

  it('with a quorum for one Invalid component alone is Invalid in the end, and not before', () => {
    // Work is split; stake is invalid for all.
    const half = 0b01_01_10_01_10_01
    const all: Said = [[I], [I], [half], null]
    const early = settled(said([[I], [I], [half], null], { closedAt }), 13)
    expect(early.decided).toEqual([])
    const late = settled(said(all, { closedAt }), 28)
    expect(late.decided).toMatchObject([
      { record: { status: 'invalid', findings: 0b01_01_00_01_10_01, decidedAt: 28, dissenting: 0 } },
    ])
    expect(late.batches).toEqual([])
    expect(ppms(late)).toEqual([800_000, 800_000, 800_000, 640_000])
  })

  it('split in halves is tried again, and costs nobody anything (T16)', () => {
    const over = settled(said([[V], [V], [I], [I]], { closedAt }), 13)
    expect(over.batch).toMatchObject({ round: 1, openedAt: 13, period: 7 })
    expect(over.decided).toEqual([])
    expect(ppms(over)).toEqual([800_000, 800_000, 800_000, 800_000])
  })

  it('that finds no quorum three times is expired, which is never Valid', () => {
    const last = said([[V], [V], [I], [I]], { closedAt, round: 2 })
    const { batches, decided } = settled(last, 13)
    expect(batches).toEqual([])
    expect(decided).toMatchObject([
      {
        record: {
          status: 'expired',
          findings: 0,
          round: 2,
          agreeing: { validators: 0, stake: 0n },
          sequence: null,
        },
      },
    ])
  })

  it('tries only what has no verdict again', () => {
    const requests = [request(0), request(1)]
    const findings: Said = [
      [V, V],
      [V, V],
      [V, I],
      [V, I],
    ]
    const { batch, decided } = settled(said(findings, { requests, closedAt }), 13)
    expect(decided.map(({ record }) => [record.requestKey, record.status])).toEqual([
      [request(0).requestKey, 'valid'],
    ])
    expect(batch?.requests).toEqual([request(1)])
  })

  it('gives a sequence to a Valid record only', () => {
    const sequence = { nodeIdHash: '0a'.repeat(32) as Hex32, number: 5n }
    const requests = [request(0, { sequence })]
    const of = (findings: Findings) =>
      settled(said([[findings], [findings], [findings], [findings]], { requests, closedAt }), 13).decided[0]
        ?.record
    expect([of(V)?.sequence, of(I)?.sequence]).toEqual([sequence, null])
  })
})

describe('the accounts', () => {
  it.each<[string, Said, Partial<NonNullable<CastBallot['opening']>>, readonly number[]]>([
    ['dissent', [[V], [V], [V], [I]], {}, [800_000, 800_000, 800_000, 640_000]],
    ['an abstention', [[V], [V], [V], [0]], {}, [800_000, 800_000, 800_000, 800_000]],
    ['a withheld opening', [[V], [V], [V], null], {}, [800_000, 800_000, 800_000, 640_000]],
    ['leaks', [[V], [V], [V], [V]], { isLeak: true }, [400_000, 400_000, 400_000, 400_000]],
    ['other rules', [[V], [V], [V], [V]], { rules: 2 }, [800_000, 800_000, 800_000, 800_000]],
  ])('of %s', (_, findings, opening, expected) => {
    expect(ppms(settled(said(findings, { closedAt }, opening), 28))).toEqual(expected)
  })

  it('count other rules and abstention as absence', () => {
    const others = settled(said([[V], [V], [V], [V]], { closedAt }, { rules: 2 }), 28)
    expect(others.trust.map((trust) => trust?.absent)).toEqual([1, 1, 1, 1])
  })

  it('leave out who is no longer in the set, and take those on probation in', () => {
    const members = electorsWith(1, 1, 1, 1, -1)
    const present = [idOf(0), idOf(1), idOf(2), idOf(4)]
    const { trust } = settled(said([[V], [V], [V], null, [I]], { closedAt }), 28, members, present)
    expect(trust.map((of) => [of?.opportunities, of?.ppm])).toEqual([
      [1, 800_000],
      [1, 800_000],
      [1, 800_000],
      [0, 800_000],
      [1, 640_000],
    ])
  })

  it('of a second attempt earn nothing, and cost as much', () => {
    const { trust } = settled(said([[V], [V], [V], [I]], { closedAt, round: 1 }), 13)
    expect(trust.map((of) => [of?.agreed, of?.ppm])).toEqual([
      [0, 800_000],
      [0, 800_000],
      [0, 800_000],
      [0, 640_000],
    ])
  })

  it('change nothing, the very map, where there are none', () => {
    const voting = votingOf(MEMBERS, [said([null])])
    const present = new Set(MEMBERS.map(({ id }) => id))
    const after = settle(voting, { height: asHeight(12), period: 0, present })
    expect(after.trust).toBe(voting.trust)
    expect(after.batches[0]).toBe(voting.batches[0])
    expect(voting.trust.has(accountOf(0))).toBe(true)
  })
})
