/** Who does not weigh, by place in the set, and when that changes. */
import { describe, expect, it } from 'vitest'
import { weightlessAfter, weightlessIn } from '../../../../src/ledger/verdicts/leaders.ts'
import { PERIOD_BLOCKS } from '../../../../src/ledger/verdicts/windows.ts'
import { asHeight } from '../../../../src/types/primitives.ts'
import type { Elector } from '../../../../src/types/voting.ts'
import { electorsIn, electorsWith, validatorsOf } from './fixtures.ts'

const members = electorsWith(1, 2, 3, 4)
const validators = validatorsOf(members)
const withWeight = (...weighing: number[]): Elector[] =>
  members.map((member, i) => ({ ...member, weighs: weighing.includes(i) }))

describe('validators without weight', () => {
  it('are those on probation, and those who are no electors at all', () => {
    const electors = [electorsIn(7, withWeight(0, 1, 3).slice(0, 3))]
    expect(weightlessIn(7, { electors }, validators)).toEqual([2, 3])
    expect(weightlessIn(7, { electors: [electorsIn(7, members)] }, validators)).toEqual([])
  })

  it('are none where the state does not name the electors of the period', () => {
    expect(weightlessIn(8, { electors: [electorsIn(7, withWeight())] }, validators)).toEqual([])
  })

  it('are known with the last block of the period before', () => {
    const electors = [electorsIn(0, members), electorsIn(1, withWeight(1))]
    const outAfter = (height: number, epochBlocks: number) =>
      weightlessAfter(asHeight(height), { electors }, validators, { epochBlocks })
    expect(outAfter(PERIOD_BLOCKS, 0)).toEqual([0, 2, 3])
    expect(outAfter(PERIOD_BLOCKS - 1, 0)).toBeNull()
    expect(outAfter(PERIOD_BLOCKS + 1, 0)).toBeNull()
    expect(outAfter(12, 12)).toEqual([0, 2, 3])
    expect(outAfter(0, 12)).toBeNull()
  })
})
