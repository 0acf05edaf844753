/** Writes an AIR: expressions over cells, selectors and public inputs, and what of them must be zero. */
import { assert } from '../../types/assert.ts'
import { elementBytes } from '../field/element-bytes.ts'
import { isElement } from '../field/koala-bear.ts'
import { sha256Tagged } from '../hash/sha256.ts'
import {
  ADD,
  ADD_CONSTANT,
  type Air,
  COLUMN,
  CONSTANT,
  type Constraint,
  type Expression,
  MULTIPLY,
  NEXT,
  PUBLIC_INPUT,
  SCALE,
  SELECTOR,
  type Selector,
  SUBTRACT,
} from './air.ts'

export interface AirShape {
  readonly name: string
  readonly columns: number
  readonly rowBits: number
  readonly publicInputs: number
  readonly selectors: readonly Selector[]
}

/** Equal expressions are written once, so that the order of writing is the only freedom in a program. */
export class AirBuilder {
  readonly #shape: AirShape
  readonly #places = new Map<string, Expression>()
  readonly #codes: number[] = []
  readonly #left: number[] = []
  readonly #right: number[] = []
  readonly #degrees: number[] = []
  readonly #constraints: Constraint[] = []

  constructor(shape: AirShape) {
    this.#shape = shape
  }

  #write(code: number, left: number, right: number, degree: number): Expression {
    const key = `${code} ${left} ${right}`
    const known = this.#places.get(key)
    if (known !== undefined) return known
    const place = this.#codes.length as Expression
    this.#codes.push(code)
    this.#left.push(left)
    this.#right.push(right)
    this.#degrees.push(degree)
    this.#places.set(key, place)
    return place
  }

  #degree(a: Expression): number {
    return this.#degrees[a] as number
  }

  get #rows(): number {
    return 2 ** this.#shape.rowBits
  }

  /** The cell of the row. */
  column(column: number): Expression {
    assert(column >= 0 && column < this.#shape.columns, `there is no column ${column}`)
    return this.#write(COLUMN, column, 0, 2 * this.#rows - 1)
  }

  /** The cell of the next row. */
  next(column: number): Expression {
    assert(column >= 0 && column < this.#shape.columns, `there is no column ${column}`)
    return this.#write(NEXT, column, 0, 2 * this.#rows - 1)
  }

  selector(name: string): Expression {
    const index = this.#shape.selectors.findIndex((selector) => selector.name === name)
    assert(index >= 0, `there is no selector ${name}`)
    return this.#write(SELECTOR, index, 0, this.#rows - 1)
  }

  publicInput(index: number): Expression {
    assert(index >= 0 && index < this.#shape.publicInputs, `there is no public input ${index}`)
    return this.#write(PUBLIC_INPUT, index, 0, 0)
  }

  constant(value: number): Expression {
    assert(isElement(value), `${value} is not an element`)
    return this.#write(CONSTANT, value, 0, 0)
  }

  add(a: Expression, b: Expression): Expression {
    return this.#write(ADD, a, b, Math.max(this.#degree(a), this.#degree(b)))
  }

  subtract(a: Expression, b: Expression): Expression {
    return this.#write(SUBTRACT, a, b, Math.max(this.#degree(a), this.#degree(b)))
  }

  multiply(a: Expression, b: Expression): Expression {
    return this.#write(MULTIPLY, a, b, this.#degree(a) + this.#degree(b))
  }

  addConstant(a: Expression, constant: number): Expression {
    assert(isElement(constant), `${constant} is not an element`)
    return constant === 0 ? a : this.#write(ADD_CONSTANT, a, constant, this.#degree(a))
  }

  scale(a: Expression, constant: number): Expression {
    assert(isElement(constant), `${constant} is not an element`)
    return constant === 1 ? a : this.#write(SCALE, a, constant, this.#degree(a))
  }

  /** Of one expression or more. */
  sum(terms: readonly Expression[]): Expression {
    return terms.reduce((total, term) => this.add(total, term))
  }

  /** The expression is zero in every row. */
  constrain(name: string, value: Expression): void {
    this.#constraints.push({ name, value })
  }

  /** The expression is zero in the rows of the selector. */
  constrainWhere(selector: string, name: string, value: Expression): void {
    this.constrain(name, this.multiply(this.selector(selector), value))
  }

  build(): Air {
    const { name, columns, rowBits, publicInputs, selectors } = this.#shape
    const program = {
      codes: Uint8Array.from(this.#codes),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
    }
    const hash = sha256Tagged(
      'hypermesh/shielded/air/v1',
      elementBytes([columns, rowBits, publicInputs, selectors.length]),
      ...selectors.map(({ cells }) => elementBytes(cells.flat())),
      program.codes,
      elementBytes(program.left),
      elementBytes(program.right),
      elementBytes(this.#constraints.map(({ value }) => value)),
    )
    return {
      name,
      columns,
      rowBits,
      publicInputs,
      selectors,
      program,
      constraints: this.#constraints,
      degree: Math.max(...this.#constraints.map(({ value }) => this.#degree(value))),
      hash,
    }
  }
}
