/** The quotient: all constraints, weighted by powers of a challenge, divided by what vanishes in every row. */

import type { Air } from '../air/air.ts'
import { DomainEvaluator, selectorColumns } from '../air/evaluate.ts'
import { invert, invertAll, multiply, power, reduce, rootOfUnity, subtract } from '../field/koala-bear.ts'
import { interpolate, shiftArgument, transform } from '../field/ntt.ts'
import { coordinates, powersQuintic, type Quintic } from '../field/quintic.ts'
import { DOMAIN_SHIFT, type ProofShape } from './parameters.ts'

/** Points that the program is run over at a time. */
const STRETCH = 128

/** What is the same for every proof of an AIR. */
interface Prepared {
  readonly evaluator: DomainEvaluator
  /** Selectors on the quotient's domain. */
  readonly selectors: readonly Int32Array[]
}

const prepared = new WeakMap<Air, Prepared>()

function prepare(shape: ProofShape): Prepared {
  const known = prepared.get(shape.air)
  if (known !== undefined) return known
  const selectors = selectorColumns(shape.air).map((column) => {
    interpolate(column, shape.air.rowBits)
    const values = new Int32Array(2 ** shape.quotientDomainBits)
    values.set(column)
    shiftArgument(values, DOMAIN_SHIFT)
    transform(values, shape.quotientDomainBits)
    return values
  })
  const made = { evaluator: new DomainEvaluator(shape.air, STRETCH), selectors }
  prepared.set(shape.air, made)
  return made
}

/**
 * The quotient's five coordinates by coefficients. Of a trace that violates a constraint it has more of them than the
 * chunks hold.
 * @param matrix values of the masked columns on the domain, row by row
 */
export function composeQuotient(
  shape: ProofShape,
  matrix: Int32Array,
  publicInputs: ArrayLike<number>,
  challenge: Quintic,
): Int32Array[] {
  const { air, rows, quotientDomainBits } = shape
  const size = 2 ** quotientDomainBits
  const width = air.columns
  const stride = (shape.domain / size) * width
  const nextRow = size / rows
  const { evaluator, selectors } = prepare(shape)
  const copyCells = (column: number, from: number, to: Int32Array): void => {
    for (let i = 0; i < to.length; i++) to[i] = matrix[((from + i) % size) * stride + column] as number
  }
  const weights = coordinates(powersQuintic(challenge, air.constraints.length))
  const sums = weights.map(() => new Int32Array(size))
  for (let first = 0; first < size; first += STRETCH) {
    const places = evaluator.run({
      column: (column, to) => copyCells(column, first, to),
      next: (column, to) => copyCells(column, first + nextRow, to),
      selector: (selector, to) =>
        to.set((selectors[selector] as Int32Array).subarray(first, first + to.length)),
      publicInputs,
    })
    for (const [e, sum] of sums.entries()) {
      addWeighted(sum.subarray(first, first + STRETCH), air, places, weights[e] as Int32Array)
    }
  }
  const inverses = vanishingInverses(shape, nextRow)
  const unshift = invert(DOMAIN_SHIFT)
  for (const sum of sums) {
    for (let i = 0; i < size; i++) sum[i] = multiply(sum[i] as number, inverses[i % nextRow] as number)
    interpolate(sum, quotientDomainBits)
    shiftArgument(sum, unshift)
  }
  return sums
}

/** Adds every constraint, weighted, to the sum; fewer than 2^20 of them. */
function addWeighted(sum: Int32Array, air: Air, places: readonly Int32Array[], weights: Int32Array): void {
  const totals = new Float64Array(sum.length)
  for (const [k, { value }] of air.constraints.entries()) {
    const weight = weights[k] as number
    const values = places[value] as Int32Array
    for (let i = 0; i < totals.length; i++) {
      totals[i] = (totals[i] as number) + multiply(values[i] as number, weight)
    }
  }
  for (let i = 0; i < sum.length; i++) sum[i] = reduce(totals[i] as number)
}

/** 1 / (x^rows - 1) on the quotient's domain: it repeats after as many points as there are to a row. */
function vanishingInverses(shape: ProofShape, pointsToARow: number): number[] {
  const first = power(DOMAIN_SHIFT, shape.rows)
  const step = rootOfUnity(shape.quotientDomainBits - shape.air.rowBits)
  return invertAll(
    Array.from({ length: pointsToARow }, (_, i) => subtract(multiply(first, power(step, i)), 1)),
  )
}
