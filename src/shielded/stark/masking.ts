/**
 * What makes openings say nothing (after eprint 2024/1037): every column gets a random multiple of the rows' vanishing
 * polynomial, the chunks of the quotient blind each other, and FRI is run over the sum with a random polynomial.
 */
import { assert } from '../../types/assert.ts'
import type { Trace } from '../air/air.ts'
import { subtract } from '../field/koala-bear.ts'
import { interpolate } from '../field/ntt.ts'
import { QUINTIC_DEGREE } from '../field/quintic.ts'
import type { RandomElements } from '../hash/random-elements.ts'
import { CHUNK_COEFFICIENTS, type ProofShape, QUOTIENT_CHUNKS } from './parameters.ts'

/** column + (X^rows - 1) * random, by coefficients: equal to the column in every row, random everywhere else. */
export function maskedColumns(shape: ProofShape, trace: Trace, random: RandomElements): Int32Array[] {
  const { air, rows, coefficients } = shape
  return trace.map((cells) => {
    const column = cells.slice()
    interpolate(column, air.rowBits)
    const mask = random.elements(coefficients - rows)
    const masked = new Int32Array(coefficients)
    for (let i = 0; i < rows; i++) {
      masked[i] = subtract(column[i] as number, mask[i] as number)
      masked[i + rows] = mask[i] as number
    }
    return masked
  })
}

/**
 * The columns of the second commitment: the quotient q = Σ X^(160 i) q_i, each q_i as q_i + X^160 r_i - r_(i-1) for
 * random r_i, which leaves the sum as it was; then the mask of FRI.
 * @param quotient its five coordinates by coefficients; what is above the chunks must be zero
 */
export function blindedChunks(
  shape: ProofShape,
  quotient: readonly Int32Array[],
  random: RandomElements,
): Int32Array[] {
  const { coefficients } = shape
  const blinding = coefficients - CHUNK_COEFFICIENTS
  const none = new Int32Array(blinding)
  const between = Array.from({ length: QUOTIENT_CHUNKS + 1 }, (_, i) =>
    quotient.map(() => (i === 0 || i === QUOTIENT_CHUNKS ? none : random.elements(blinding))),
  )
  const columns: Int32Array[] = []
  for (let chunk = 0; chunk < QUOTIENT_CHUNKS; chunk++) {
    for (const [e, coordinate] of quotient.entries()) {
      const first = CHUNK_COEFFICIENTS * chunk
      const column = new Int32Array(coefficients)
      column.set(coordinate.subarray(first, first + CHUNK_COEFFICIENTS))
      column.set((between[chunk + 1] as Int32Array[])[e] as Int32Array, CHUNK_COEFFICIENTS)
      const below = (between[chunk] as Int32Array[])[e] as Int32Array
      for (let k = 0; k < blinding; k++) column[k] = subtract(column[k] as number, below[k] as number)
      columns.push(column)
    }
  }
  for (let e = 0; e < QUINTIC_DEGREE; e++) columns.push(random.elements(coefficients))
  assert(columns.length === shape.quotientColumns, `${columns.length} columns of the quotient`)
  return columns
}
