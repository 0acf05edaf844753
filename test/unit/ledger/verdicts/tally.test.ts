/** What openings come to: quorums over all stake that could weigh, component by component (T7, T8, T16, T17). */
import { describe, expect, it } from 'vitest'
import { electorQuorum } from '../../../../src/ledger/verdicts/electors.ts'
import { ALL_VALID } from '../../../../src/ledger/verdicts/findings.ts'
import {
  agreementOf,
  countedOpenings,
  isWhole,
  RULES_VERSION,
  tallied,
} from '../../../../src/ledger/verdicts/tally.ts'
import type { Findings } from '../../../../src/types/ballots.ts'
import type { CastBallot } from '../../../../src/types/voting.ts'
import { batchWith, electorsWith, opened, request } from './fixtures.ts'

const V = ALL_VALID
/** Stake invalid, the rest valid. */
const I = 0b01_01_01_01_10_01

function verdict(
  stakes: readonly number[],
  findings: readonly (readonly Findings[] | null | undefined)[],
  of: Partial<NonNullable<CastBallot['opening']>> = {},
  at = 0,
): Findings {
  const members = electorsWith(...stakes)
  const requests = [request(0), request(1)].slice(0, Math.max(1, findings[0]?.length ?? 1))
  return tallied(
    countedOpenings(opened(batchWith({ requests }), findings, of), members),
    electorQuorum(members),
    at,
  )
}
const all = (count: number, findings: Findings) => Array.from({ length: count }, () => [findings])

describe('a tally', () => {
  it.each<[string, readonly number[], readonly (readonly Findings[] | null | undefined)[], Findings]>([
    ['of all', [1, 1, 1, 1], all(4, V), V],
    ['of a quorum, one silent', [1, 1, 1, 1], all(3, V), V],
    ['of a quorum, one that committed only', [1, 1, 1, 1], [[V], [V], [V], null], V],
    [
      'below a quorum: the majority of those who opened decides nothing',
      [1, 1, 1, 1],
      [[V], [V], null, null],
      0,
    ],
    ['of exactly two thirds', [1, 1, 1], [[V], [V], null], 0],
    ['of floor(2W/3) stake', [66, 1, 33], [[V], undefined, undefined], 0],
    ['of floor(2W/3) + 1 stake', [67, 33], [[V], undefined], V],
    ['by stake and not by heads', [1, 1, 1, 97], [[I], [I], [I], [V]], V],
    ['split in halves in one component', [1, 1, 1, 1], [[V], [V], [I], [I]], 0b01_01_01_01_00_01],
    ['split three to one', [1, 1, 1, 1], [[I], [I], [I], [V]], I],
    ['in which one abstains in a component', [1, 1, 1, 1], [[V], [V], [V & ~0b11], [V & ~0b11]], V & ~0b11],
    ['without the weight of one on probation', [1, 1, 1, -10], [[V], [V], [V], [I]], V],
    ['of those on probation alone', [1, 1, 1, -10], [undefined, undefined, undefined, [V]], 0],
  ])('%s', (_, stakes, findings, expected) => {
    expect(verdict(stakes, findings)).toBe(expected)
  })

  it('of other rules, and of what leaked, does not count', () => {
    expect(verdict([1, 1, 1, 1], all(4, V), { rules: RULES_VERSION + 1 })).toBe(0)
    expect(verdict([1, 1, 1, 1], all(4, V), { isLeak: true })).toBe(0)
  })

  it('is of each request by itself', () => {
    const findings = [
      [V, I],
      [V, I],
      [V, I],
      [V, V],
    ]
    expect([0, 1].map((at) => verdict([1, 1, 1, 1], findings, {}, at))).toEqual([V, I])
  })

  it('is whole with a quorum in every component', () => {
    expect([V, I, V & ~0b11, 0].map(isWhole)).toEqual([true, true, false, false])
  })
})

describe('agreement', () => {
  const members = electorsWith(5, 3, 2, 1, -4, -4)
  const agreement = (findings: readonly (readonly Findings[] | null | undefined)[], of: Findings) =>
    agreementOf(countedOpenings(opened(batchWith(), findings), members), 0, of, 'validate-certificate')

  it('is counted of those that weigh, dissent of all', () => {
    expect(agreement([[V], [V], [I], null, [V], [I]], V)).toEqual({
      agreeing: { validators: 2, stake: 8n },
      dissenting: 2,
    })
  })

  it('is not abstention', () => {
    expect(agreement([[V], [0], [V & ~0b11]], V)).toEqual({
      agreeing: { validators: 2, stake: 7n },
      dissenting: 0,
    })
  })
})
