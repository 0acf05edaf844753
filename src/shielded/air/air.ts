/**
 * An algebraic intermediate representation: what must hold between a row of the trace and the next, written once as a
 * straight-line program. The prover runs it over whole domains, the verifier at one point (evaluate.ts).
 */

/** Operations of the program; each makes one value, named by its place. The codes are part of the AIR's hash. */
/** Cell of the row: column `left`. */
export const COLUMN = 0
/** Cell of the next row; the first row follows the last. */
export const NEXT = 1
/** Selector `left`: a column that everybody knows. */
export const SELECTOR = 2
/** Public input `left`. */
export const PUBLIC_INPUT = 3
/** The constant `left`. */
export const CONSTANT = 4
/** Of the values `left` and `right`. */
export const ADD = 5
export const SUBTRACT = 6
export const MULTIPLY = 7
/** Value `left` plus the constant `right`. */
export const ADD_CONSTANT = 8
/** Value `left` times the constant `right`. */
export const SCALE = 9

/** A value of the program by its place in it. */
export type Expression = number & { readonly expression: unique symbol }

/** The operations in order; an operand is an earlier place, or what the operation says. */
export interface Program {
  readonly codes: Uint8Array
  readonly left: Int32Array
  readonly right: Int32Array
}

/** A column that everybody knows, zero but for these rows. Not committed to. */
export interface Selector {
  readonly name: string
  readonly cells: readonly (readonly [row: number, value: number])[]
}

/** That an expression is zero in every row. */
export interface Constraint {
  readonly name: string
  readonly value: Expression
}

export interface Air {
  readonly name: string
  /** Columns of the trace. */
  readonly columns: number
  /** The trace has 2^rowBits rows. */
  readonly rowBits: number
  readonly publicInputs: number
  readonly selectors: readonly Selector[]
  readonly program: Program
  /** In the order of their powers of the challenge. */
  readonly constraints: readonly Constraint[]
  /** Of the constraints as polynomials, with every column masked to degree 2 * rows - 1. */
  readonly degree: number
  /** SHA-256 over all of the above: the transcript begins with it. */
  readonly hash: Uint8Array
}

/** A trace by columns; each has as many cells as there are rows. */
export type Trace = readonly Int32Array[]
