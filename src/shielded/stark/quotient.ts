/** The quotient: all constraints, weighted by powers of a challenge, divided by what vanishes in every row. */

import type { Air } from '../air/air.ts'
import { evaluateOnDomain, selectorColumns } from '../air/evaluate.ts'
import { add, invert, invertAll, multiply, power, rootOfUnity, subtract } from '../field/koala-bear.ts'
import { interpolate, shiftArgument, transform } from '../field/ntt.ts'
import { coordinates, powersQuintic, QUINTIC_DEGREE, type Quintic } from '../field/quintic.ts'
import { DOMAIN_SHIFT, type ProofShape } from './parameters.ts'

/** Selectors on the quotient's domain, by AIR: they are the same for every proof. */
const selectorValues = new WeakMap<Air, Int32Array[]>()

function selectorsOnDomain(shape: ProofShape): Int32Array[] {
  const known = selectorValues.get(shape.air)
  if (known !== undefined) return known
  const made = selectorColumns(shape.air).map((column) => {
    interpolate(column, shape.air.rowBits)
    const values = new Int32Array(2 ** shape.quotientDomainBits)
    values.set(column)
    shiftArgument(values, DOMAIN_SHIFT)
    transform(values, shape.quotientDomainBits)
    return values
  })
  selectorValues.set(shape.air, made)
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
  const stride = shape.domain / size
  const nextRow = size / rows
  const selectors = selectorsOnDomain(shape)
  const cells = (column: number, ahead: number): Int32Array => {
    const values = new Int32Array(size)
    for (let i = 0; i < size; i++) {
      values[i] = matrix[((i + ahead) % size) * stride * air.columns + column] as number
    }
    return values
  }
  const places = evaluateOnDomain(
    air,
    {
      column: (column) => cells(column, 0),
      next: (column) => cells(column, nextRow),
      selector: (selector) => selectors[selector] as Int32Array,
      publicInputs,
    },
    size,
  )
  const weights = coordinates(powersQuintic(challenge, air.constraints.length))
  const inverses = vanishingInverses(shape, nextRow)
  const unshift = invert(DOMAIN_SHIFT)
  return Array.from({ length: QUINTIC_DEGREE }, (_, e) => {
    const sum = new Int32Array(size)
    for (const [k, { value }] of air.constraints.entries()) {
      const weight = (weights[e] as Int32Array)[k] as number
      const values = places[value] as Int32Array
      if (weight !== 0)
        for (let i = 0; i < size; i++) sum[i] = add(sum[i] as number, multiply(values[i] as number, weight))
    }
    for (let i = 0; i < size; i++) sum[i] = multiply(sum[i] as number, inverses[i % nextRow] as number)
    interpolate(sum, quotientDomainBits)
    shiftArgument(sum, unshift)
    return sum
  })
}

/** 1 / (x^rows - 1) on the quotient's domain: it repeats after as many points as there are to a row. */
function vanishingInverses(shape: ProofShape, pointsToARow: number): number[] {
  const first = power(DOMAIN_SHIFT, shape.rows)
  const step = rootOfUnity(shape.quotientDomainBits - shape.air.rowBits)
  return invertAll(
    Array.from({ length: pointsToARow }, (_, i) => subtract(multiply(first, power(step, i)), 1)),
  )
}
