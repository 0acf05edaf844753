/** Quorum arithmetic and leader turns, over stakes of every shape. */
import { describe, expect, it } from 'vitest'
import { LeaderSchedule } from '../../../src/consensus/leader-schedule.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import { asValidatorIndex, asView } from '../../../src/types/primitives.ts'
import { quorumOf } from '../../../src/types/quorum.ts'
import { Random } from '../../simulation/random.ts'
import { validatorSet } from './harness.ts'

const indices = (...of: number[]) => of.map(asValidatorIndex)

describe('a quorum', () => {
  it.each([
    [1n, 1n, 1n],
    [2n, 2n, 1n],
    [3n, 3n, 1n],
    [4n, 3n, 2n],
    [5n, 4n, 2n],
    [6n, 5n, 2n],
    [7n, 5n, 3n],
    [100n, 67n, 34n],
    [2n ** 63n, 6148914691236517206n, 3074457345618258603n],
  ])('of total stake %d is %d, amplification %d', (total, quorum, amplification) => {
    expect(quorumOf(total)).toBe(quorum)
    const electorate = new Electorate(validatorSet([total]))
    expect(electorate).toMatchObject({ totalStake: total, quorum, amplification })
  })

  it('and another share more than the Byzantine may have; what is left of one is less than amplification', () => {
    for (let total = 1n; total <= 500n; total++) {
      const quorum = quorumOf(total)
      const byzantineMax = total - quorum
      expect(2n * quorum - total).toBeGreaterThan(byzantineMax)
      expect(total - byzantineMax).toBeGreaterThanOrEqual(quorum)
      expect(total - quorum + 1n).toBeGreaterThan(byzantineMax)
      expect(3n * byzantineMax).toBeLessThan(total)
    }
  })
})

describe('an electorate', () => {
  const electorate = new Electorate(validatorSet([5n, 3n, 1n]))

  it('weighs distinct validators, and none outside the set', () => {
    expect(electorate.weightOf(indices(0, 2))).toBe(6n)
    expect(electorate.weightOf(indices(0, 0, 0))).toBe(5n)
    expect(electorate.weightOf(indices(1, 7, 65_535))).toBe(3n)
    expect(electorate.stakeOf(asValidatorIndex(9))).toBe(0n)
  })

  it('finds validators by identity', () => {
    const [first, , last] = electorate.set.validators
    expect(electorate.indexOf(first?.id as never)).toBe(0)
    expect(electorate.indexOf(last?.id as never)).toBe(2)
    expect(electorate.indexOf('ff'.repeat(32) as never)).toBe(null)
    expect(electorate.at(asValidatorIndex(3))).toBe(null)
  })

  it('is not made of nobody, nor of stakes that are not above zero', () => {
    for (const stakes of [[], [1n, 0n], [1n, -1n]]) {
      expect(() => new Electorate(validatorSet(stakes))).toThrow('invariant violated')
    }
  })
})

describe('the leaders', () => {
  const turns = (stakes: readonly bigint[], views: number): number[] => {
    const schedule = new LeaderSchedule(new Electorate(validatorSet(stakes)))
    return Array.from({ length: views }, (_, view) => schedule.leaderOf(asView(view)))
  }

  it('of equal stakes take turns', () => {
    expect(turns([7n, 7n, 7n], 7)).toEqual([0, 1, 2, 0, 1, 2, 0])
  })

  it('of unequal stakes take turns in proportion, spread evenly', () => {
    expect(turns([5n, 1n, 1n], 7)).toEqual([0, 0, 1, 0, 2, 0, 0])
    expect(turns([2n, 1n], 6)).toEqual([0, 1, 0, 0, 1, 0])
  })

  it('have their share in any stretch, within one turn for each side of it', () => {
    const random = new Random(3)
    for (let round = 0; round < 20; round++) {
      const stakes = Array.from({ length: 3 + random.below(5) }, () => BigInt(1 + random.below(20)))
      const total = Number(stakes.reduce((sum, stake) => sum + stake, 0n))
      const leaders = turns(stakes, total)
      stakes.forEach((stake, i) => {
        expect(leaders.filter((leader) => leader === i)).toHaveLength(Number(stake))
        let seen = 0
        leaders.forEach((leader, at) => {
          if (leader === i) seen++
          const due = (Number(stake) * (at + 1)) / total
          expect(Math.abs(seen - due)).toBeLessThan(stakes.length)
        })
      })
    }
  })

  it('of huge stakes without a common divisor are apportioned to a bounded cycle', () => {
    const stakes = [2n ** 62n + 1n, 2n ** 61n + 3n, 2n ** 60n + 7n]
    const leaders = turns(stakes, 4_096)
    const total = stakes.reduce((sum, stake) => sum + stake, 0n)
    stakes.forEach((stake, i) => {
      const share = leaders.filter((leader) => leader === i).length / 4_096
      expect(share).toBeCloseTo(Number((stake * 1_000_000n) / total) / 1_000_000, 3)
    })
    expect(turns(stakes, 2 * 4_096).slice(4_096)).toEqual(leaders)
  })

  it('are found for the highest view that is accepted', () => {
    const schedule = new LeaderSchedule(new Electorate(validatorSet([1n, 1n, 1n])))
    expect([0, 1, 2]).toContain(schedule.leaderOf(asView(2 ** 48)))
  })
})
