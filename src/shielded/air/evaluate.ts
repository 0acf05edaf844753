/** Runs an AIR's program: in a row of a trace, over a whole domain, and at a point of the extension. */
import { InvariantViolation } from '../../types/assert.ts'
import { add, multiply, subtract } from '../field/koala-bear.ts'
import { addQuintic, embed, multiplyQuintic, type Quintic, scale, subtractQuintic } from '../field/quintic.ts'
import {
  ADD,
  ADD_CONSTANT,
  type Air,
  COLUMN,
  CONSTANT,
  MULTIPLY,
  NEXT,
  PUBLIC_INPUT,
  SCALE,
  SELECTOR,
  SUBTRACT,
  type Trace,
} from './air.ts'

/** Every selector as a whole column. */
export function selectorColumns(air: Air): Int32Array[] {
  return air.selectors.map(({ cells }) => {
    const column = new Int32Array(2 ** air.rowBits)
    for (const [row, value] of cells) column[row] = value
    return column
  })
}

/** The value of every place of the program in one row. */
export class RowEvaluator {
  readonly #air: Air
  readonly #selectors: Int32Array[]
  readonly #values: Int32Array

  constructor(air: Air) {
    this.#air = air
    this.#selectors = selectorColumns(air)
    this.#values = new Int32Array(air.program.codes.length)
  }

  /** Places in `air.constraints` of those that do not hold in the row. */
  violated(trace: Trace, publicInputs: ArrayLike<number>, row: number): number[] {
    const { codes, left, right } = this.#air.program
    const values = this.#values
    const after = (row + 1) % 2 ** this.#air.rowBits
    for (let i = 0; i < codes.length; i++) {
      const a = left[i] as number
      const b = right[i] as number
      switch (codes[i]) {
        case COLUMN:
          values[i] = (trace[a] as Int32Array)[row] as number
          break
        case NEXT:
          values[i] = (trace[a] as Int32Array)[after] as number
          break
        case SELECTOR:
          values[i] = (this.#selectors[a] as Int32Array)[row] as number
          break
        case PUBLIC_INPUT:
          values[i] = publicInputs[a] as number
          break
        case CONSTANT:
          values[i] = a
          break
        case ADD:
          values[i] = add(values[a] as number, values[b] as number)
          break
        case SUBTRACT:
          values[i] = subtract(values[a] as number, values[b] as number)
          break
        case MULTIPLY:
          values[i] = multiply(values[a] as number, values[b] as number)
          break
        case ADD_CONSTANT:
          values[i] = add(values[a] as number, b)
          break
        case SCALE:
          values[i] = multiply(values[a] as number, b)
          break
        default:
          throw new InvariantViolation(`operation ${codes[i]}`)
      }
    }
    const violated: number[] = []
    for (const [k, { value }] of this.#air.constraints.entries()) if (values[value] !== 0) violated.push(k)
    return violated
  }
}

/** What the columns and selectors are on a stretch of a domain: each writes as many values as `to` is long. */
export interface DomainInputs {
  readonly column: (column: number, to: Int32Array) => void
  readonly next: (column: number, to: Int32Array) => void
  readonly selector: (selector: number, to: Int32Array) => void
  readonly publicInputs: ArrayLike<number>
}

/** Runs the program over stretches of a domain. One stretch after the other goes through the same memory. */
export class DomainEvaluator {
  readonly #air: Air
  /** One for every place of the program. */
  readonly #places: readonly Int32Array[]

  /** @param size points of a stretch: few enough that the values of all places stay in the processor's cache */
  constructor(air: Air, size: number) {
    this.#air = air
    this.#places = Array.from(air.program.codes, () => new Int32Array(size))
  }

  /** The value of every place at every point of the stretch; overwritten by the next call. */
  run(inputs: DomainInputs): readonly Int32Array[] {
    const { codes, left, right } = this.#air.program
    const places = this.#places
    for (let i = 0; i < codes.length; i++) {
      const a = left[i] as number
      const b = right[i] as number
      const result = places[i] as Int32Array
      const x = places[a] as Int32Array
      switch (codes[i]) {
        case COLUMN:
          inputs.column(a, result)
          break
        case NEXT:
          inputs.next(a, result)
          break
        case SELECTOR:
          inputs.selector(a, result)
          break
        case PUBLIC_INPUT:
          result.fill(inputs.publicInputs[a] as number)
          break
        case CONSTANT:
          result.fill(a)
          break
        case ADD:
          addAll(result, x, places[b] as Int32Array)
          break
        case SUBTRACT:
          subtractAll(result, x, places[b] as Int32Array)
          break
        case MULTIPLY:
          multiplyAll(result, x, places[b] as Int32Array)
          break
        case ADD_CONSTANT:
          for (let k = 0; k < result.length; k++) result[k] = add(x[k] as number, b)
          break
        case SCALE:
          for (let k = 0; k < result.length; k++) result[k] = multiply(x[k] as number, b)
          break
        default:
          throw new InvariantViolation(`operation ${codes[i]}`)
      }
    }
    return places
  }
}

function addAll(to: Int32Array, x: Int32Array, y: Int32Array): void {
  for (let k = 0; k < to.length; k++) to[k] = add(x[k] as number, y[k] as number)
}

function subtractAll(to: Int32Array, x: Int32Array, y: Int32Array): void {
  for (let k = 0; k < to.length; k++) to[k] = subtract(x[k] as number, y[k] as number)
}

function multiplyAll(to: Int32Array, x: Int32Array, y: Int32Array): void {
  for (let k = 0; k < to.length; k++) to[k] = multiply(x[k] as number, y[k] as number)
}

/** What the columns and selectors are at a point of the extension, and at the point of the next row. */
export interface PointInputs {
  readonly columns: readonly Quintic[]
  readonly next: readonly Quintic[]
  readonly selectors: readonly Quintic[]
  readonly publicInputs: ArrayLike<number>
}

/** Σ challenge^k * constraint k, at the point. */
export function composeAtPoint(air: Air, inputs: PointInputs, challenge: Quintic): Quintic {
  const { codes, left, right } = air.program
  const values = new Array<Quintic>(codes.length)
  for (let i = 0; i < codes.length; i++) {
    values[i] = atPoint(codes[i] as number, left[i] as number, right[i] as number, values, inputs)
  }
  let sum: Quintic = [0, 0, 0, 0, 0]
  for (let k = air.constraints.length - 1; k >= 0; k--) {
    const constraint = air.constraints[k] as (typeof air.constraints)[number]
    sum = addQuintic(multiplyQuintic(sum, challenge), values[constraint.value] as Quintic)
  }
  return sum
}

function atPoint(
  code: number,
  a: number,
  b: number,
  values: readonly Quintic[],
  inputs: PointInputs,
): Quintic {
  const x = values[a] as Quintic
  switch (code) {
    case COLUMN:
      return inputs.columns[a] as Quintic
    case NEXT:
      return inputs.next[a] as Quintic
    case SELECTOR:
      return inputs.selectors[a] as Quintic
    case PUBLIC_INPUT:
      return embed(inputs.publicInputs[a] as number)
    case CONSTANT:
      return embed(a)
    case ADD:
      return addQuintic(x, values[b] as Quintic)
    case SUBTRACT:
      return subtractQuintic(x, values[b] as Quintic)
    case MULTIPLY:
      return multiplyQuintic(x, values[b] as Quintic)
    case ADD_CONSTANT:
      return [add(x[0], b), x[1], x[2], x[3], x[4]]
    case SCALE:
      return scale(x, b)
    default:
      throw new InvariantViolation(`operation ${code}`)
  }
}
