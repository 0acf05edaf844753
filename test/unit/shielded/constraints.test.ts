/** The constraints of a join-split: each keeps something out, and together they leave no cell free that is read. */
import { describe, expect, it } from 'vitest'
import { RowEvaluator } from '../../../src/shielded/air/evaluate.ts'
import { P } from '../../../src/shielded/field/koala-bear.ts'
import { JOIN_SPLIT_AIR } from '../../../src/shielded/join-split/constraints.ts'
import { COLUMN_COUNT, COLUMNS, ROWS } from '../../../src/shielded/join-split/layout.ts'
import { decodeStatement, publicInputsOf } from '../../../src/shielded/join-split/public-inputs.ts'
import { joinSplitTrace } from '../../../src/shielded/join-split/trace.ts'
import { DELETION_CASES, MEANINGFUL_ROWS } from '../../support/shielded/deletion-cases.ts'
import { AMOUNTS, sampleJoinSplit } from '../../support/shielded/join-splits.ts'
import { type Tampered, tamperedTrace } from '../../support/shielded/tampered-trace.ts'

const evaluator = new RowEvaluator(JOIN_SPLIT_AIR)
const nameOf = (constraint: number): string => JOIN_SPLIT_AIR.constraints[constraint]?.name ?? ''

/** @param rows up to which to look: an edit changes nothing after the last that says something */
function violations({ trace, publicInputs }: Tampered, rows = ROWS): Set<number> {
  const violated = new Set<number>()
  for (let row = 0; row < rows; row++) {
    for (const constraint of evaluator.violated(trace, publicInputs, row)) violated.add(constraint)
  }
  return violated
}

/**
 * The cells that nothing reads: registers outside the rows of their use. Neither state nor rounds are among them, as
 * every row is a permutation; the rows after the balance (81-127) say nothing at all.
 */
const FREE_CELLS: Readonly<Record<string, string>> = {
  'key 0-7': '0 37-38 75-127',
  'commitment 0-6': '0-3 37-41 75-127',
  'commitment 7': '0-3 38-41 76-127',
  'value 0-1': '0-1 3-39 41-75 77 79-127',
  'value 2-3': '0-1 4-39 42-75 80-127',
  'bits 0': '0-1 36-39 74-75 81-127',
  'bits 1-8': '0-1 4-39 42-75 81-127',
  'bits 9-31': '0-1 4-39 42-75 80-127',
  'position 0-1': '0-3 38-41 76-127',
  'balance 0-3': '81-127',
  'enabled 0': '0-1 36-39 74-127',
}

describe('the constraints of a join-split', () => {
  it('hold in an honest trace, which a plain writer makes alike', () => {
    const { joinSplit, anchor } = sampleJoinSplit(1, AMOUNTS)
    const plain = tamperedTrace(joinSplit)
    expect([...violations(plain)].map(nameOf)).toEqual([])
    expect(joinSplitTrace(joinSplit).map((column) => [...column])).toEqual(
      plain.trace.map((column) => [...column]),
    )
    const statement = decodeStatement(publicInputsOf(joinSplit, anchor, new Uint8Array(32)))
    expect('ok' in statement ? statement : [...statement.elements]).toEqual(plain.publicInputs)
  })

  it('each keep out a witness that all the others let in', () => {
    const kept = new Map<number, string>()
    for (const { name, tampered } of DELETION_CASES) {
      const violated = [...violations(tampered(), MEANINGFUL_ROWS)]
      expect(violated.map(nameOf), name).toHaveLength(1)
      kept.set(violated[0] as number, name)
    }
    const untested = JOIN_SPLIT_AIR.constraints.filter((_, k) => !kept.has(k)).map(({ name }) => name)
    expect(untested).toEqual([])
    process.stdout.write(
      `${DELETION_CASES.length} witnesses, one alone of ${kept.size} constraints keeps each out: ${constraintGroups()}\n`,
    )
  }, 300_000)

  it('leave no cell free but those that nothing reads', () => {
    const { joinSplit } = sampleJoinSplit(1, AMOUNTS)
    const { trace, publicInputs } = tamperedTrace(joinSplit)
    const found: Record<string, string> = {}
    let cells = 0
    let mutations = 0
    for (const [register, { at, width }] of Object.entries(COLUMNS)) {
      for (let lane = 0; lane < width; lane++) {
        const column = trace[at + lane] as Int32Array
        const free: number[] = []
        for (let row = 0; row < ROWS; row++) {
          const kept = column[row] as number
          // A recorded value stands alone on one side of its equation: where one other is caught, all are.
          const others = register === 'rounds' ? [(kept + 1) % P] : [(kept + 1) % P, kept === 0 ? P - 1 : 0]
          const uncaught = others.filter((value) => {
            column[row] = value
            mutations++
            return ![row, (row + ROWS - 1) % ROWS].some(
              (read) => evaluator.violated(trace, publicInputs, read).length > 0,
            )
          })
          column[row] = kept
          if (uncaught.length > 0) free.push(row)
        }
        if (free.length > 0) found[`${register} ${lane}`] = ranges(free)
        cells += free.length
      }
    }
    expect(found).toEqual(freeByLane())
    process.stdout.write(
      `${mutations} mutations of ${COLUMN_COUNT * ROWS} cells; ${cells} are free: ${JSON.stringify(FREE_CELLS)}\n`,
    )
  }, 300_000)
})

/** The constraints by name, those that differ in a lane together. */
function constraintGroups(): string {
  const counts = new Map<string, number>()
  for (const { name } of JOIN_SPLIT_AIR.constraints) {
    const group = name.replace(/round \d+(: lane \d+)?$/, 'rounds').replace(/ \d+$/, '')
    counts.set(group, (counts.get(group) ?? 0) + 1)
  }
  return [...counts].map(([group, count]) => `${group} (${count})`).join(', ')
}

/** {@link FREE_CELLS}, every lane for itself. */
function freeByLane(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(FREE_CELLS).flatMap(([group, rows]) => {
      const [register, lanes = ''] = group.split(' ')
      const [first = 0, last = first] = lanes.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => [`${register} ${first + i}`, rows])
    }),
  )
}

/** Rows in rising order as from-to. */
function ranges(rows: readonly number[]): string {
  const parts: string[] = []
  let first = rows[0] as number
  for (const [i, row] of rows.entries()) {
    if (rows[i + 1] === row + 1) continue
    parts.push(first === row ? `${row}` : `${first}-${row}`)
    first = rows[i + 1] as number
  }
  return parts.join(' ')
}
