/**
 * For every constraint of the join-split a witness that only it keeps out. Each is of a false statement or of notes that
 * are none: more is paid out than in, a nullifier or key that is another, a path to another root.
 */
import { P } from '../../../src/shielded/field/koala-bear.ts'
import {
  BALANCE_ROW,
  inputRows,
  outputRows,
  PUBLIC,
  type Register,
} from '../../../src/shielded/join-split/layout.ts'
import type { JoinSplit, SpentNote } from '../../../src/shielded/join-split/trace.ts'
import { dummyNote, sampleJoinSplit } from './join-splits.ts'
import { adding, type Edit, setting, type Tampered, tamperedTrace } from './tampered-trace.ts'

/** What is done, and what of the constraints it should violate. */
export interface DeletionCase {
  readonly name: string
  readonly tampered: () => Tampered
}

const VALUE = 0x0005_0006_0007_0008n
const FIRST = 0x0001_0002_0003_0004n

/** One real input, the other a dummy, so that the tree is of the one alone; outputs are worth `more` than the inputs. */
function oneInput(more = 0n, mine: Partial<SpentNote> = {}): JoinSplit {
  const { joinSplit } = sampleJoinSplit(21, { inputs: [VALUE, 0n], first: FIRST + more })
  const [note, other] = joinSplit.inputs as [SpentNote, SpentNote]
  const outputs = joinSplit.outputs.map((output, i) =>
    i === 0 ? output : { ...output, value: VALUE - FIRST },
  )
  return {
    ...joinSplit,
    inputs: [
      { ...note, ...mine },
      { ...dummyNote(22), randomness: other.randomness },
    ],
    outputs,
  }
}

const input = inputRows(0)
const output = outputRows(1)
/** A level whose node goes left, and one whose node goes right, by the sample's position. */
const LATER = input.path + 7

function edited(name: string, edits: readonly Edit[], joinSplit = oneInput()): DeletionCase {
  return { name, tampered: () => tamperedTrace(joinSplit, edits) }
}

const lanes = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

/** One cell of each lane raised by one. */
function each(row: number, register: Register, from: number, to: number): DeletionCase[] {
  return lanes(from, to).map((lane) =>
    edited(`${register} ${lane} in row ${row}`, [adding(row, register, lane, 1)]),
  )
}

/** A public input raised by one. */
function published(at: number, count: number): DeletionCase[] {
  return lanes(at, at + count).map((index) => ({
    name: `public input ${index}`,
    tampered: () => {
      const { trace, publicInputs } = tamperedTrace(oneInput())
      publicInputs[index] = ((publicInputs[index] as number) + 1) % P
      return { trace, publicInputs }
    },
  }))
}

/** The lanes of the next row in which a node from below has to be. */
function nodeLanes(row: number): DeletionCase[] {
  const level = row - input.path
  const right = Math.floor((oneInput().inputs[0] as SpentNote).position / 2 ** level) % 2 === 1
  return each(row, 'state', right ? 8 : 0, right ? 16 : 8)
}

/** A bit that is none makes a limb of the second output negative; the first output gets what that gives. */
function bits(): DeletionCase[] {
  return lanes(0, 32).map((bit) => {
    const limb = Math.floor(bit / 16)
    const weight = 2 ** (bit % 16)
    const joinSplit = oneInput(12n << BigInt(16 * limb))
    const value = Number(((joinSplit.outputs[1]?.value ?? 0n) >> BigInt(16 * limb)) & 0xffffn)
    const others = value - (Math.floor(value / weight) % 2) * weight
    // bit * weight + others = value - 12, over the field.
    const wanted = BigInt(value - 12 - others + P) * modularInverse(weight)
    return edited(
      `bit ${bit} that is none`,
      [setting(output.ownerAndValue, 'bits', bit, Number(wanted % BigInt(P)))],
      joinSplit,
    )
  })
}

function modularInverse(a: number): bigint {
  let result = 1n
  let base = BigInt(a)
  for (let e = BigInt(P - 2); e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * base) % BigInt(P)
    base = (base * base) % BigInt(P)
  }
  return result
}

/** Limb of a value that is not what its bits say; the outputs take the difference. */
function limbs(): DeletionCase[] {
  return lanes(0, 4).map((limb) =>
    edited(
      `limb ${limb} that is not of its bits`,
      [adding(input.ownerAndValue, 'value', limb, 1)],
      oneInput(1n << BigInt(16 * limb)),
    ),
  )
}

/** The upper limbs change between the two rows of a note: one is in the commitment, the other in the range check. */
function upperLimbs(): DeletionCase[] {
  return [2, 3].map((limb) =>
    edited(
      `limb ${limb} that changes`,
      [adding(input.ownerAndValue, 'value', limb, 1), adding(input.commitment, 'value', limb, -1)],
      oneInput(1n << BigInt(16 * limb)),
    ),
  )
}

/** The balance rises by itself in a row. */
function balances(row: number): DeletionCase[] {
  return lanes(0, 4).map((limb) =>
    edited(
      `balance ${limb} raised in row ${row}`,
      [adding(row, 'balance', limb, 1)],
      oneInput(1n << BigInt(16 * limb)),
    ),
  )
}

/** A dummy with a value in one limb. */
function dummiesWithValue(): DeletionCase[] {
  return lanes(0, 4).map((limb) => {
    const value = 1n << BigInt(16 * limb)
    const base = oneInput(value)
    const [note, dummy] = base.inputs as [SpentNote, SpentNote]
    return edited(`dummy with limb ${limb}`, [], { ...base, inputs: [note, { ...dummy, value }] })
  })
}

/** Enabled where the value is looked at, disabled where the root is. */
const disabledOnTheWay: DeletionCase = {
  name: 'enabled that changes on the way',
  tampered: () => {
    const { trace, publicInputs } = tamperedTrace(oneInput(), [setting(LATER, 'enabled', 0, 0)])
    publicInputs[PUBLIC.anchor] = ((publicInputs[PUBLIC.anchor] as number) + 1) % P
    return { trace, publicInputs }
  },
}

/** Nothing goes on from what the last round leaves in lanes 0 to 7 but a tree node, so those are tried in a path. */
const rounds: readonly DeletionCase[] = [
  ...each(input.nullifier, 'rounds', 0, 132),
  ...each(input.pathEnd, 'rounds', 132, 140),
  ...each(input.nullifier, 'rounds', 140, 148),
]

export const DELETION_CASES: readonly DeletionCase[] = [
  ...rounds,
  ...bits(),
  ...each(input.nullifierKey, 'state', 8, 16),
  ...each(input.owner, 'key', 0, 8),
  ...each(input.owner, 'state', 0, 16),
  ...each(input.ownerAndValue, 'state', 0, 16),
  ...each(LATER, 'key', 0, 8),
  ...limbs(),
  ...upperLimbs(),
  ...each(input.commitment, 'state', 0, 8),
  ...each(input.commitment, 'state', 15, 16),
  ...dummiesWithValue(),
  ...each(input.path, 'commitment', 0, 8),
  ...nodeLanes(input.path),
  ...each(input.path, 'position', 0, 2),
  ...nodeLanes(LATER),
  ...published(PUBLIC.anchor, 8),
  disabledOnTheWay,
  ...each(LATER, 'position', 0, 2),
  ...each(LATER, 'commitment', 0, 8),
  ...each(input.keyAndCommitment, 'state', 0, 16),
  ...each(input.nullifier, 'state', 0, 16),
  ...published(PUBLIC.nullifiers[0], 16),
  ...published(PUBLIC.commitments[0], 16),
  ...balances(0),
  ...balances(input.commitment),
  ...balances(LATER),
  ...balances(output.commitment),
  ...lanes(0, 4).map((limb) =>
    edited(`limb ${limb} that does not balance`, [], oneInput(1n << BigInt(16 * limb))),
  ),
]

/** The rows that say something. */
export const MEANINGFUL_ROWS = BALANCE_ROW + 1
