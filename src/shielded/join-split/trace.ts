/** Fills the trace of a join-split from notes that somebody has looked through (witness.ts). Checks nothing. */
import type { Trace } from '../air/air.ts'
import { add, P } from '../field/koala-bear.ts'
import { type Digest, permute, RECORDED_VALUES } from '../hash/poseidon2.ts'
import { LIMB_BITS, preimages, valueLimbs } from '../notes/note-hashes.ts'
import { TREE_DEPTH } from '../notes/note-tree.ts'
import {
  BALANCE_ROW,
  CARRIES,
  CARRY_BITS,
  CARRY_OFFSET,
  COLUMN_COUNT,
  COLUMNS,
  inputRows,
  outputRows,
  type Register,
  ROWS,
} from './layout.ts'

/** A note that is spent, over elements. */
export interface SpentNote {
  readonly spendingKey: Digest
  readonly value: bigint
  readonly randomness: readonly number[]
  readonly position: number
  /** From the leaf upwards. */
  readonly siblings: readonly Digest[]
  /** Whether it is in the tree; a dummy is not, and has no value. */
  readonly enabled: boolean
}

/** A note that is made, over elements. */
export interface MadeNote {
  readonly owner: Digest
  readonly value: bigint
  readonly randomness: readonly number[]
}

/** Everything that the prover alone knows, and the amounts that all know. */
export interface JoinSplit {
  readonly inputs: readonly SpentNote[]
  readonly outputs: readonly MadeNote[]
  readonly fee: bigint
  readonly mint: bigint
  readonly burn: bigint
}

const bitsOf = (value: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor(value / 2 ** i) % 2)

class TraceWriter {
  readonly columns: readonly Int32Array[] = Array.from({ length: COLUMN_COUNT }, () => new Int32Array(ROWS))
  /** Limbs of inputs less outputs, as integers. */
  readonly balance = [0, 0, 0, 0]
  readonly #record = new Int32Array(RECORDED_VALUES)

  set(row: number, register: Register, values: ArrayLike<number>): void {
    const { at } = COLUMNS[register]
    for (let i = 0; i < values.length; i++) {
      const column = this.columns[at + i] as Int32Array
      column[row] = values[i] as number
    }
  }

  /** From the row to the one before `end`. */
  keep(from: number, end: number, register: Register, values: ArrayLike<number>): void {
    for (let row = from; row < end; row++) this.set(row, register, values)
  }

  keepBalance(from: number, end: number): void {
    this.keep(
      from,
      end,
      'balance',
      this.balance.map((limb) => (limb < 0 ? limb + P : limb)),
    )
  }

  /** The permutation of the row. Returns P(x) + x. */
  hash(row: number, lanes: readonly number[]): number[] {
    const state = Int32Array.from(lanes)
    permute(state, this.#record)
    this.set(row, 'state', lanes)
    this.set(row, 'rounds', this.#record)
    return lanes.map((lane, i) => add(lane, state[i] as number))
  }

  /** The two rows of a note's commitment, and the limbs in them. */
  note(rows: { ownerAndValue: number; commitment: number }, note: MadeNote): Digest {
    const limbs = valueLimbs(note.value)
    const [a, b, c, d] = limbs as [number, number, number, number]
    this.keep(rows.ownerAndValue, rows.commitment + 1, 'value', limbs)
    this.set(rows.ownerAndValue, 'bits', [...bitsOf(a, LIMB_BITS), ...bitsOf(b, LIMB_BITS)])
    this.set(rows.commitment, 'bits', [...bitsOf(c, LIMB_BITS), ...bitsOf(d, LIMB_BITS)])
    const first = this.hash(rows.ownerAndValue, preimages.ownerAndValue(note.owner, note.value)).slice(8)
    return this.hash(rows.commitment, preimages.commitment(first, note.randomness)).slice(8)
  }

  addToBalance(value: bigint, sign: 1 | -1): void {
    for (const [i, limb] of valueLimbs(value).entries())
      this.balance[i] = (this.balance[i] ?? 0) + sign * limb
  }
}

function writeInput(writer: TraceWriter, input: number, note: SpentNote): void {
  const rows = inputRows(input)
  const end = rows.nullifier + 1
  const key = writer.hash(rows.nullifierKey, preimages.nullifierKey(note.spendingKey)).slice(8)
  writer.keep(rows.owner, rows.keyAndCommitment + 1, 'key', key)
  const owner = writer.hash(rows.owner, preimages.owner(key)).slice(8)
  writer.keep(rows.ownerAndValue, rows.pathEnd + 1, 'enabled', [note.enabled ? 1 : 0])
  const commitment = writer.note(rows, { owner, value: note.value, randomness: note.randomness })
  writer.keep(rows.path, end, 'commitment', commitment)
  let node: Digest = commitment
  let low = 0
  let high = 0
  for (let level = 0; level < TREE_DEPTH; level++) {
    const row = rows.path + level
    const bit = Math.floor(note.position / 2 ** level) % 2
    const sibling = note.siblings[level] as Digest
    writer.set(row, 'position', [low, high])
    writer.set(row, 'bits', [bit])
    node = writer.hash(row, bit === 1 ? [...sibling, ...node] : [...node, ...sibling]).slice(0, 8)
    if (level < LIMB_BITS) low += bit * 2 ** level
    else high += bit * 2 ** (level - LIMB_BITS)
  }
  writer.keep(rows.keyAndCommitment, end, 'position', [low, high])
  const keyed = writer.hash(rows.keyAndCommitment, preimages.keyAndCommitment(key, commitment)).slice(8)
  writer.hash(rows.nullifier, preimages.nullifier(keyed, commitment, note.position))
  writer.keepBalance(rows.nullifierKey, rows.commitment)
  writer.addToBalance(note.value, 1)
  writer.keepBalance(rows.commitment, end)
}

function writeOutput(writer: TraceWriter, output: number, note: MadeNote): void {
  const rows = outputRows(output)
  writer.note(rows, note)
  writer.keepBalance(rows.ownerAndValue, rows.commitment)
  writer.addToBalance(note.value, -1)
  writer.keepBalance(rows.commitment, rows.commitment + 1)
}

/** The bits of the carries from limb to limb; garbage, like the balance, when the amounts do not sum up. */
function writeBalance(writer: TraceWriter, { fee, mint, burn }: JoinSplit): void {
  const [fees, mints, burns] = [fee, mint, burn].map(valueLimbs) as [number[], number[], number[]]
  writer.keepBalance(BALANCE_ROW, ROWS)
  const bits: number[] = []
  let carry = 0
  for (let k = 0; k < CARRIES; k++) {
    const paid = (burns[k] as number) + (fees[k] as number)
    const limb = (writer.balance[k] as number) + (mints[k] as number) - paid + carry
    carry = Math.floor(limb / 2 ** LIMB_BITS)
    bits.push(...bitsOf(carry + CARRY_OFFSET, CARRY_BITS))
  }
  writer.set(BALANCE_ROW, 'bits', bits)
}

/** The trace; it satisfies the constraints if, and only if, the statement is true of these notes. */
export function joinSplitTrace(joinSplit: JoinSplit): Trace {
  const writer = new TraceWriter()
  for (const [i, note] of joinSplit.inputs.entries()) writeInput(writer, i, note)
  for (const [i, note] of joinSplit.outputs.entries()) writeOutput(writer, i, note)
  writeBalance(writer, joinSplit)
  for (let row = BALANCE_ROW; row < ROWS; row++) writer.hash(row, new Array<number>(16).fill(0))
  return writer.columns
}
