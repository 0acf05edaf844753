/** The small tables of verdicts: what findings mean, and in which heights ballots are due. */
import { describe, expect, it } from 'vitest'
import {
  ALL_ABSTAINED,
  ALL_VALID,
  areFindings,
  findingOf,
  findingsOf,
  isDissent,
  statusOf,
} from '../../../../src/ledger/verdicts/findings.ts'
import {
  commitDeadline,
  isPeriodEnd,
  openingDeadline,
  periodBlocks,
  periodOf,
} from '../../../../src/ledger/verdicts/windows.ts'
import { COMPONENTS } from '../../../../src/types/ballots.ts'
import { asHeight } from '../../../../src/types/primitives.ts'

describe('findings', () => {
  it('are two bits for each component, space lowest', () => {
    expect(ALL_VALID).toBe(0b01_01_01_01_01_01)
    expect(findingsOf([])).toBe(ALL_VALID)
    expect(findingsOf([{ subject: 'space', reason: '' }])).toBe(0b01_01_01_01_01_10)
    const two = findingsOf([
      { subject: 'request', reason: 'a' },
      { subject: 'work', reason: 'b' },
      { subject: 'work', reason: 'c' },
    ])
    expect(two).toBe(0b01_10_01_10_01_01)
    expect(COMPONENTS.map((component) => findingOf(two, component))).toEqual([1, 1, 2, 1, 2, 1])
  })

  it.each([
    ['all valid', ALL_VALID, true],
    ['all abstained', ALL_ABSTAINED, true],
    ['all invalid', 0b10_10_10_10_10_10, true],
    ['a component that is both', 0b01_01_11_01_01_01, false],
    ['a bit beyond the components', 1 << 12, false],
    ['below zero', -1, false],
    ['a fraction', 1.5, false],
    ['what stands for no verdict on disk', 0xffff, false],
  ])('%s: %d are findings: %s', (_, value, expected) => {
    expect(areFindings(value)).toBe(expected)
  })

  it.each([
    ['all valid', ALL_VALID, 'valid'],
    ['one invalid', 0b01_01_01_10_01_01, 'invalid'],
    ['one invalid, the rest open', 0b00_00_00_10_00_00, 'invalid'],
    ['one open, the rest valid', 0b01_01_01_00_01_01, null],
    ['nothing', ALL_ABSTAINED, null],
  ])('%s mean %s → %s', (_, findings, expected) => {
    expect(statusOf(findings)).toBe(expected)
  })

  it.each([
    ['the same', ALL_VALID, ALL_VALID, false],
    ['another component', 0b01_01_01_01_01_10, ALL_VALID, true],
    ['abstained where the verdict has a value', 0b01_00_01_01_01_01, ALL_VALID, false],
    ['a value where the verdict has none', 0b01_10_01_01_01_01, 0b01_00_01_01_01_01, false],
    ['another beside an abstention', 0b01_00_10_01_01_01, ALL_VALID, true],
    ['no verdict at all', 0b10_10_10_10_10_10, 0, false],
  ])('%s: dissent %#', (_, findings, verdict, expected) => {
    expect(isDissent(findings, verdict)).toBe(expected)
  })
})

describe('windows', () => {
  it('are four blocks for commits, and openings are due in the seventeenth after closing', () => {
    expect(commitDeadline({ openedAt: asHeight(10) })).toBe(14)
    expect(openingDeadline(asHeight(14))).toBe(31)
  })

  it.each([
    [4, 0, 0, false],
    [4, 1, 0, false],
    [4, 4, 0, true],
    [4, 5, 1, false],
    [4, 8, 1, true],
    // A network whose epoch never ends.
    [0, 600, 0, true],
    [0, 601, 1, false],
  ])('of epochs of %i: block %i is in period %i, last of it: %s', (epochBlocks, height, period, isLast) => {
    expect(periodOf(asHeight(height), { epochBlocks })).toBe(period)
    expect(isPeriodEnd(asHeight(height), { epochBlocks })).toBe(isLast)
  })

  it('have periods of an epoch, or of six hundred blocks', () => {
    expect([periodBlocks({ epochBlocks: 7 }), periodBlocks({ epochBlocks: 0 })]).toEqual([7, 600])
  })
})
