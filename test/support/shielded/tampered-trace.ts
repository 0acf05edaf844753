/**
 * The trace of a join-split, written plainly and apart from src/, in which single cells can be changed: whatever is
 * computed from a changed cell goes on from the change, and so do the public inputs. What is violated then is what
 * ties the cell to where it comes from, and nothing else.
 */
import { add, invert, multiply, P, subtract } from '../../../src/shielded/field/koala-bear.ts'
import { permute, RECORDED_VALUES } from '../../../src/shielded/hash/poseidon2.ts'
import {
  BALANCE_ROW,
  COLUMN_COUNT,
  COLUMNS,
  inputRows,
  outputRows,
  PUBLIC,
  PUBLIC_INPUT_COUNT,
  type Register,
  ROWS,
} from '../../../src/shielded/join-split/layout.ts'
import type { JoinSplit, MadeNote, SpentNote } from '../../../src/shielded/join-split/trace.ts'
import { TAGS, valueLimbs } from '../../../src/shielded/notes/note-hashes.ts'
import { naivePermute } from './naive-poseidon2.ts'

/** A cell's new value, from the one that it would have. */
export interface Edit {
  readonly row: number
  readonly register: Register
  readonly lane: number
  readonly to: (value: number) => number
}

/** A trace with its public inputs. */
export interface Tampered {
  readonly trace: Int32Array[]
  readonly publicInputs: number[]
}

function permuted(lanes: readonly number[]): { end: number[]; recorded: number[] } {
  const state = Int32Array.from(lanes)
  const record = new Int32Array(RECORDED_VALUES)
  permute(state, record)
  return { end: [...state], recorded: [...record] }
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0)
const signed = (value: number): number => (value > P / 2 ? value - P : value)
const unsigned = (value: number): number => ((value % P) + P) % P
const numberOf = (bits: readonly number[]): number =>
  bits.reduce((sum, bit, i) => add(sum, multiply(bit, 2 ** i)), 0)

class Tampering {
  readonly trace: Int32Array[] = Array.from({ length: COLUMN_COUNT }, () => new Int32Array(ROWS))
  readonly publicInputs = zeros(PUBLIC_INPUT_COUNT)
  balance = zeros(4)
  readonly #edits: readonly Edit[]

  constructor(edits: readonly Edit[]) {
    this.#edits = edits
  }

  edited(row: number, register: Register, values: readonly number[]): number[] {
    return values.map((value, lane) => {
      const edit = this.#edits.find((e) => e.row === row && e.register === register && e.lane === lane)
      return edit === undefined ? value : edit.to(value)
    })
  }

  write(row: number, register: Register, values: readonly number[]): number[] {
    const written = this.edited(row, register, values)
    for (const [lane, value] of written.entries()) {
      const column = this.trace[COLUMNS[register].at + lane] as Int32Array
      column[row] = value
    }
    return written
  }

  /** The permutation of a row; the naive one where a round of it is changed. */
  hash(row: number, lanes: readonly number[]): { node: number[]; note: number[] } {
    const state = this.write(row, 'state', lanes)
    const edits = this.#edits.filter((edit) => edit.row === row && edit.register === 'rounds')
    const { end, recorded } =
      edits.length === 0
        ? permuted(state)
        : naivePermute(state, (at, value) => edits.find(({ lane }) => lane === at)?.to(value) ?? value)
    for (const [lane, value] of recorded.entries()) {
      const column = this.trace[COLUMNS.rounds.at + lane] as Int32Array
      column[row] = value
    }
    const fed = end.map((lane, i) => add(lane, state[i] as number))
    return { node: fed.slice(0, 8), note: fed.slice(8) }
  }

  writeBalance(row: number): void {
    this.balance = this.write(row, 'balance', this.balance)
  }

  publish(at: number, values: readonly number[]): void {
    for (const [i, value] of values.entries()) this.publicInputs[at + i] = value
  }
}

const bitsOf = (value: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor(value / 2 ** i) % 2)

/** The two rows of a note; the value is what the bits say, as far as no edit says otherwise. */
function writeNote(
  t: Tampering,
  rows: { ownerAndValue: number; commitment: number },
  note: MadeNote,
  sign: 1 | -1,
) {
  const limbs = valueLimbs(note.value)
  const bits = limbs.flatMap((limb) => bitsOf(limb, 16))
  const low = t.write(rows.ownerAndValue, 'bits', bits.slice(0, 32))
  const high = t.write(rows.commitment, 'bits', bits.slice(32))
  const numbers = [low.slice(0, 16), low.slice(16), high.slice(0, 16), high.slice(16)].map(numberOf)
  const value = t.write(rows.ownerAndValue, 'value', numbers)
  t.write(rows.commitment, 'value', [limbs[0] as number, limbs[1] as number, ...value.slice(2)])
  t.writeBalance(rows.ownerAndValue)
  const first = t.hash(rows.ownerAndValue, [...note.owner, ...value, ...zeros(3), TAGS.ownerAndValue])
  t.balance = t.balance.map((limb, i) =>
    sign === 1 ? add(limb, value[i] as number) : subtract(limb, value[i] as number),
  )
  t.writeBalance(rows.commitment)
  return t.hash(rows.commitment, [...first.note, ...note.randomness, TAGS.commitment]).note
}

function writeInput(
  t: Tampering,
  input: number,
  note: SpentNote,
  kept: (from: number, end: number) => void,
): void {
  const rows = inputRows(input)
  kept(rows.nullifierKey, rows.ownerAndValue)
  let key = t.hash(rows.nullifierKey, [...note.spendingKey, ...zeros(7), TAGS.nullifierKey]).note
  key = t.write(rows.owner, 'key', key)
  const owner = t.hash(rows.owner, [...key, ...zeros(7), TAGS.owner]).note
  let enabled = [note.enabled ? 1 : 0]
  for (const row of [rows.ownerAndValue, rows.commitment]) {
    key = t.write(row, 'key', key)
    enabled = t.write(row, 'enabled', enabled)
  }
  let node = writeNote(t, rows, { owner, value: note.value, randomness: note.randomness }, 1)
  let commitment = node
  let position = [0, 0]
  for (let level = 0; level < 32; level++) {
    const row = rows.path + level
    key = t.write(row, 'key', key)
    enabled = t.write(row, 'enabled', enabled)
    commitment = t.write(row, 'commitment', commitment)
    position = t.write(row, 'position', position)
    const [bit] = t.write(row, 'bits', [Math.floor(note.position / 2 ** level) % 2]) as [number]
    const sibling = note.siblings[level] as readonly number[]
    node = t.hash(row, placed(bit, node, sibling)).node
    const limb = level < 16 ? 0 : 1
    position = position.map((value, i) => (i === limb ? add(value, multiply(bit, 2 ** (level % 16))) : value))
  }
  if (note.enabled) t.publish(PUBLIC.anchor, node)
  for (const row of [rows.keyAndCommitment, rows.nullifier]) {
    commitment = t.write(row, 'commitment', commitment)
    position = t.write(row, 'position', position)
    if (row === rows.keyAndCommitment) key = t.write(row, 'key', key)
  }
  const keyed = t.hash(rows.keyAndCommitment, [...key, ...commitment.slice(0, 7), TAGS.keyAndCommitment]).note
  const lanes = [...keyed, commitment[7] as number, ...position, ...zeros(4), TAGS.nullifier]
  t.publish(PUBLIC.nullifiers[input] as number, t.hash(rows.nullifier, lanes).note)
  kept(rows.path, rows.nullifier + 1)
}

/** Left and right such that left + bit * (right - left) is the node: also for a bit that is none. */
function placed(bit: number, node: readonly number[], sibling: readonly number[]): number[] {
  if (bit === 1) return [...sibling, ...node]
  const factor = invert(subtract(1, bit))
  const left = node.map((lane, i) => multiply(subtract(lane, multiply(bit, sibling[i] as number)), factor))
  return [...left, ...sibling]
}

/** Carries that make every limb zero; a limb that no carry helps stays what it is. */
function writeCarries(t: Tampering, joinSplit: JoinSplit): void {
  const [fee, mint, burn] = [joinSplit.fee, joinSplit.mint, joinSplit.burn].map(valueLimbs) as [
    number[],
    number[],
    number[],
  ]
  t.publish(PUBLIC.fee, fee)
  t.publish(PUBLIC.mint, mint)
  t.publish(PUBLIC.burn, burn)
  t.writeBalance(BALANCE_ROW)
  let carry = 0
  const bits: number[] = []
  for (let k = 0; k < 3; k++) {
    const public_ = (mint[k] as number) - (burn[k] as number) - (fee[k] as number)
    carry = Math.round((signed(t.balance[k] as number) + public_ + carry) / 2 ** 16)
    bits.push(...bitsOf(carry + 4, 3))
  }
  t.write(BALANCE_ROW, 'bits', bits)
}

/** The trace of the join-split with the edits in it, and the public inputs that go with it. */
export function tamperedTrace(joinSplit: JoinSplit, edits: readonly Edit[] = []): Tampered {
  const t = new Tampering(edits)
  const kept = (from: number, end: number): void => {
    for (let row = from; row < end; row++) t.writeBalance(row)
  }
  for (const [i, note] of joinSplit.inputs.entries()) writeInput(t, i, note, kept)
  for (const [i, note] of joinSplit.outputs.entries()) {
    t.publish(PUBLIC.commitments[i] as number, writeNote(t, outputRows(i), note, -1))
  }
  writeCarries(t, joinSplit)
  for (let row = BALANCE_ROW; row < ROWS; row++) {
    t.hash(row, zeros(16))
    if (row > BALANCE_ROW) t.writeBalance(row)
  }
  return { trace: t.trace, publicInputs: t.publicInputs }
}

/** Adds to a cell. */
export function adding(row: number, register: Register, lane: number, difference: number): Edit {
  return { row, register, lane, to: (value) => unsigned(value + difference) }
}

/** Sets a cell. */
export function setting(row: number, register: Register, lane: number, value: number): Edit {
  return { row, register, lane, to: () => unsigned(value) }
}
