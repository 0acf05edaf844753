/**
 * Where everything of a join-split stands: columns, rows and public inputs. One permutation of Poseidon2 a row. The
 * protocol text (README.md) has the same tables.
 */
import type { Selector } from '../air/air.ts'
import { RECORDED_VALUES, WIDTH } from '../hash/poseidon2.ts'
import { TREE_DEPTH } from '../notes/note-tree.ts'

export const INPUTS = 2
export const OUTPUTS = 2
export const ROW_BITS = 7
export const ROWS = 2 ** ROW_BITS

/** First column of each register, and how many it has. */
export const COLUMNS = {
  /** What the permutation of the row starts from. */
  state: { at: 0, width: WIDTH },
  /** What it records. */
  rounds: { at: 16, width: RECORDED_VALUES },
  /** The nullifier key of the input. */
  key: { at: 164, width: 8 },
  /** The commitment of the input. */
  commitment: { at: 172, width: 8 },
  /** The limbs of the note's value. */
  value: { at: 180, width: 4 },
  /** Of limbs, of the path (the first alone), of carries. */
  bits: { at: 184, width: 32 },
  /** Limbs of the position, as far as the path has come. */
  position: { at: 216, width: 2 },
  /** Limbs of inputs less outputs, so far. */
  balance: { at: 218, width: 4 },
  /** One: the input is in the tree. Zero: a dummy of no value. */
  enabled: { at: 222, width: 1 },
} as const
export type Register = keyof typeof COLUMNS
export const COLUMN_COUNT = 223

/** Rows of one input. */
export const INPUT_ROWS = 6 + TREE_DEPTH
/** First row of an input. */
export const inputRows = (input: number) => {
  const first = INPUT_ROWS * input
  return {
    nullifierKey: first,
    owner: first + 1,
    ownerAndValue: first + 2,
    commitment: first + 3,
    path: first + 4,
    pathEnd: first + 3 + TREE_DEPTH,
    keyAndCommitment: first + 4 + TREE_DEPTH,
    nullifier: first + 5 + TREE_DEPTH,
  }
}
/** Rows of one output. */
export const outputRows = (output: number) => {
  const first = INPUT_ROWS * INPUTS + 2 * output
  return { ownerAndValue: first, commitment: first + 1 }
}
/** Where the sum is drawn; the rows after it say nothing. */
export const BALANCE_ROW = INPUT_ROWS * INPUTS + 2 * OUTPUTS

/** First public input of each. */
export const PUBLIC = {
  anchor: 0,
  nullifiers: [8, 16],
  commitments: [24, 32],
  fee: 40,
  mint: 44,
  burn: 48,
} as const
export const PUBLIC_INPUT_COUNT = 52

/** Carries between limbs, each of three bits and less 4: -4 … 3. */
export const CARRIES = 3
export const CARRY_BITS = 3
export const CARRY_OFFSET = 4

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
const inputs = [0, 1].map(inputRows)
const outputs = [0, 1].map(outputRows)
const notes = [...inputs, ...outputs]
const valueRows = notes.map(({ ownerAndValue }) => ownerAndValue)

const ones = (rows: readonly number[]): readonly (readonly [number, number])[] => rows.map((row) => [row, 1])
/** 2^0 … 2^15 in the rows of sixteen levels of each path. */
const weights = (level: number): readonly (readonly [number, number])[] =>
  inputs.flatMap(({ path }) => range(0, 16).map((i) => [path + level + i, 2 ** i] as const))

const selectors = {
  first: ones([0]),
  nullifierKey: ones(inputs.map(({ nullifierKey }) => nullifierKey)),
  owner: ones(inputs.map(({ owner }) => owner)),
  keyKept: ones(inputs.flatMap(({ owner, keyAndCommitment }) => range(owner, keyAndCommitment))),
  ownerAndValue: ones(valueRows),
  inputValue: ones(inputs.map(({ ownerAndValue }) => ownerAndValue)),
  outputValue: ones(outputs.map(({ ownerAndValue }) => ownerAndValue)),
  commitment: ones(notes.map(({ commitment }) => commitment)),
  inputCommitment: ones(inputs.map(({ commitment }) => commitment)),
  path: ones(inputs.flatMap(({ path, keyAndCommitment }) => range(path, keyAndCommitment))),
  pathStep: ones(inputs.flatMap(({ path, pathEnd }) => range(path, pathEnd))),
  pathEnd: ones(inputs.map(({ pathEnd }) => pathEnd)),
  /** The path and the row after it: what the nullifier needs is kept until there. */
  kept: ones(inputs.flatMap(({ path, nullifier }) => range(path, nullifier))),
  enabledKept: ones(inputs.flatMap(({ ownerAndValue, pathEnd }) => range(ownerAndValue, pathEnd))),
  lowWeight: weights(0),
  highWeight: weights(16),
  keyAndCommitment: ones(inputs.map(({ keyAndCommitment }) => keyAndCommitment)),
  nullifier: ones(inputs.map(({ nullifier }) => nullifier)),
  nullifier0: ones(inputs.slice(0, 1).map(({ nullifier }) => nullifier)),
  nullifier1: ones(inputs.slice(1).map(({ nullifier }) => nullifier)),
  commitment0: ones(outputs.slice(0, 1).map(({ commitment }) => commitment)),
  commitment1: ones(outputs.slice(1).map(({ commitment }) => commitment)),
  balanceKept: ones(range(0, BALANCE_ROW).filter((row) => !valueRows.includes(row))),
  balance: ones([BALANCE_ROW]),
}
export type SelectorName = keyof typeof selectors

/** In the order in which the AIR names them. */
export const SELECTORS: readonly Selector[] = Object.entries(selectors).map(([name, cells]) => ({
  name,
  cells,
}))
