/** Compact targets with known answers from Bitcoin, work, retargeting and its bounds, and the median of times. */
import { describe, expect, it } from 'vitest'
import { type Mark, medianTimePast, nextBits, trailLength } from '../../../../src/consensus/pow/retarget.ts'
import {
  bitsOfTarget,
  hashAsNumber,
  targetOfBits,
  workOfTarget,
} from '../../../../src/types/compact-target.ts'
import type { MiningParameters } from '../../../../src/types/pow.ts'
import { asUnixMs } from '../../../../src/types/primitives.ts'

function target(bits: number): bigint {
  const result = targetOfBits(bits)
  if (!result.ok) throw new Error(result.detail)
  return result.value
}

describe('compact targets', () => {
  // Bitcoin: genesis block, block 100,800 (developer reference), arith_uint256_tests.cpp, regtest.
  it.each([
    [0x1d00ffff, 0xffffn << 208n, 4_295_032_833n],
    [0x1b0404cb, 0x0404cbn << 192n, null],
    [0x01120000, 0x12n, null],
    [0x02008000, 0x80n, null],
    [0x05009234, 0x92340000n, null],
    [0x04123456, 0x12345600n, null],
    [0x20123456, 0x123456n << 232n, null],
    [0x207fffff, 0x7fffffn << 232n, 2n],
  ])('reads 0x%s as Bitcoin does, and writes it the same', (bits, expected, work) => {
    expect(target(bits)).toBe(expected)
    expect(bitsOfTarget(expected)).toBe(bits)
    if (work !== null) expect(workOfTarget(expected)).toBe(work)
  })

  it.each([
    ['negative', 0x04923456],
    ['negative', 0x01fedcba],
    ['negative', 0x1d80ffff],
    ['overflow', 0xff123456],
    ['overflow', 0x217fffff],
    ['overflow', 0x2300ffff],
    ['zero', 0x00000000],
    ['zero', 0x01003456],
    ['zero', 0x02000056],
    ['zero', 0x04000000],
    ['zero', 0x00123456],
    ['zero', 0x04800000],
    ['not-canonical', 0x01123456],
    ['not-canonical', 0x1e0000ff],
    ['not-canonical', 0x0300007f],
  ])('refuses a %s form: 0x%s', (code, bits) => {
    expect(targetOfBits(bits)).toMatchObject({ ok: false, code })
  })

  it('only ever makes a target harder by writing it', () => {
    for (let exponent = 1n; exponent <= 256n; exponent++) {
      for (const value of [1n << (exponent - 1n), (1n << exponent) - 1n, 0xabcdefn << (exponent / 2n)]) {
        const written = target(bitsOfTarget(value))
        expect(written).toBeLessThanOrEqual(value)
        expect(value - written).toBeLessThanOrEqual(value >> 15n)
      }
    }
  })

  it('compares hashes big endian', () => {
    expect(hashAsNumber(`${'00'.repeat(31)}ff`)).toBe(255n)
    expect(hashAsNumber(`01${'00'.repeat(31)}`)).toBe(1n << 248n)
  })
})

const MINING: MiningParameters = {
  targetIntervalMs: 1_000,
  initialBits: 0x1d00ffff,
  limitBits: 0x207fffff,
  retargetWindow: 10,
  maturityBlocks: 100,
}

/** Blocks of one target whose times are these many milliseconds apart. */
function trail(intervals: readonly number[], bits = MINING.initialBits, start = 1_000_000): Mark[] {
  const marks: Mark[] = [{ timestamp: asUnixMs(start), bits: null }]
  for (const interval of intervals) {
    const last = marks.at(-1)?.timestamp ?? 0
    marks.push({ timestamp: asUnixMs(last + interval), bits })
  }
  return marks
}

const times = (count: number, interval: number): number[] => Array.from({ length: count }, () => interval)

describe('the next target', () => {
  const initial = target(MINING.initialBits)
  /** New target in thousandths of the one that all blocks so far had. */
  const permille = (marks: readonly Mark[], mining = MINING, of = initial): number =>
    Number((target(nextBits(marks, mining)) * 1_000n + of / 2n) / of)

  it.each([
    ['nothing was mined yet', trail([]), 1_000],
    ['every block took its time', trail(times(10, 1_000)), 1_000],
    ['every block took half of it', trail(times(10, 500)), 500],
    ['every block took double', trail(times(10, 2_000)), 2_000],
    ['blocks took fourfold: the bound', trail(times(10, 4_000)), 4_000],
    ['blocks took sixfold: the bound', trail(times(10, 6_000)), 4_000],
    ['blocks took no time: the bound', trail(times(10, 1)), 250],
    ['one block took an hour: it counts sixfold', trail([...times(9, 1_000), 3_600_000]), 1_909],
    ['the first of a new chain took a year: the same', trail([31_536_000_000]), 1_909],
    ['the newest weighs most', trail([...times(9, 1_000), 2_000]), 1_182],
    ['the oldest weighs least', trail([2_000, ...times(9, 1_000)]), 1_018],
    ['only the window counts', trail([...times(50, 5_000), ...times(10, 1_000)]), 1_000],
  ])('when %s', (_, marks, expected) => {
    expect(Math.abs(permille(marks) - expected)).toBeLessThanOrEqual(1)
  })

  it('never gets easier than the limit', () => {
    const mining = { ...MINING, limitBits: 0x1d00ffff }
    expect(nextBits(trail(times(10, 6_000)), mining)).toBe(0x1d00ffff)
  })

  it('changes fourfold at most over any window, however the times are chosen', () => {
    for (const interval of [1, 6_000]) {
      const marks = trail([])
      for (let i = 0; i < 60; i++) {
        const bits = nextBits(marks, MINING)
        const last = marks.at(-1)?.timestamp ?? 0
        marks.push({ timestamp: asUnixMs(last + interval), bits })
        const ago = marks.at(-1 - MINING.retargetWindow)?.bits ?? MINING.initialBits
        const [now, then] = [target(bits), target(ago)]
        // What the compact form cuts off makes up the difference.
        expect(now <= then * 4n && now >= then / 4n - (then >> 14n)).toBe(true)
      }
    }
  })

  it('looks as far back as the window or the median, whichever is longer', () => {
    expect(trailLength(MINING)).toBe(11)
    expect(trailLength({ ...MINING, retargetWindow: 30 })).toBe(31)
  })
})

describe('the median of past times', () => {
  it.each([
    [[5], 5],
    [[5, 9], 9],
    [[9, 5, 7], 7],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 6],
    [[11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6], 6],
    [[1_000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 6],
  ])('of %j is %i', (timestamps, expected) => {
    expect(medianTimePast(timestamps.map((at) => ({ timestamp: asUnixMs(at), bits: null })))).toBe(expected)
  })
})
