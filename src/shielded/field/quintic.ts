/**
 * The extension of degree five, F_p[X] / (X^5 + X^2 - 1), 155 bits: challenges are drawn from it. With degree four,
 * 124 bits, no more than 100 bits of soundness could be proven.
 */
import { assert } from '../../types/assert.ts'
import { add, invert, multiply, P, P_RECIPROCAL, reduce, subtract } from './koala-bear.ts'

/** Coefficients of 1, X, X^2, X^3, X^4. */
export type Quintic = readonly [number, number, number, number, number]

/** Coefficients of a {@link Quintic}. */
export const QUINTIC_DEGREE = 5

export const ZERO: Quintic = [0, 0, 0, 0, 0]
export const ONE: Quintic = [1, 0, 0, 0, 0]
/** X^0 … X^4 */
export const BASIS: readonly Quintic[] = [
  ONE,
  [0, 1, 0, 0, 0],
  [0, 0, 1, 0, 0],
  [0, 0, 0, 1, 0],
  [0, 0, 0, 0, 1],
]

/** The element of the prime field as one of the extension. */
export function embed(a: number): Quintic {
  return [a, 0, 0, 0, 0]
}

/** a + b */
export function addQuintic(a: Quintic, b: Quintic): Quintic {
  return [add(a[0], b[0]), add(a[1], b[1]), add(a[2], b[2]), add(a[3], b[3]), add(a[4], b[4])]
}

/** a - b */
export function subtractQuintic(a: Quintic, b: Quintic): Quintic {
  return [
    subtract(a[0], b[0]),
    subtract(a[1], b[1]),
    subtract(a[2], b[2]),
    subtract(a[3], b[3]),
    subtract(a[4], b[4]),
  ]
}

/** a * s for s of the prime field */
export function scale(a: Quintic, s: number): Quintic {
  return [multiply(a[0], s), multiply(a[1], s), multiply(a[2], s), multiply(a[3], s), multiply(a[4], s)]
}

/**
 * Element of an integer, also a negative one, of magnitude below 2^52. The result is made an int32 for the engine, which
 * keeps integers and doubles in different kinds of arrays and is slow where they mix.
 */
function reduceSigned(sum: number): number {
  const r = sum - Math.floor(sum * P_RECIPROCAL) * P
  return (r < 0 ? r + P : r >= P ? r - P : r) | 0
}

const HALF_WORD = 2 ** 16

/** high * 2^16 + low, for sums of products of an element and a half word. */
function joinHalves(high: number, low: number): number {
  return reduceSigned(reduceSigned(high) * HALF_WORD + low)
}

/**
 * a * b: the nine coefficients of the product, folded by X^5 = 1 - X^2. One factor is taken in halves of 16 bits, so that
 * a sum of nine products stays below 2^51, exact in floating point, and only ten reductions are needed.
 */
export function multiplyQuintic(a: Quintic, b: Quintic): Quintic {
  const [a0, a1, a2, a3, a4] = a
  const l0 = b[0] & 0xffff
  const l1 = b[1] & 0xffff
  const l2 = b[2] & 0xffff
  const l3 = b[3] & 0xffff
  const l4 = b[4] & 0xffff
  const h0 = b[0] >>> 16
  const h1 = b[1] >>> 16
  const h2 = b[2] >>> 16
  const h3 = b[3] >>> 16
  const h4 = b[4] >>> 16
  const low5 = a1 * l4 + a2 * l3 + a3 * l2 + a4 * l1
  const low6 = a2 * l4 + a3 * l3 + a4 * l2
  const low7 = a3 * l4 + a4 * l3
  const low8 = a4 * l4
  const high5 = a1 * h4 + a2 * h3 + a3 * h2 + a4 * h1
  const high6 = a2 * h4 + a3 * h3 + a4 * h2
  const high7 = a3 * h4 + a4 * h3
  const high8 = a4 * h4
  return [
    joinHalves(a0 * h0 + high5 - high8, a0 * l0 + low5 - low8),
    joinHalves(a0 * h1 + a1 * h0 + high6, a0 * l1 + a1 * l0 + low6),
    joinHalves(
      a0 * h2 + a1 * h1 + a2 * h0 - high5 + high7 + high8,
      a0 * l2 + a1 * l1 + a2 * l0 - low5 + low7 + low8,
    ),
    joinHalves(
      a0 * h3 + a1 * h2 + a2 * h1 + a3 * h0 - high6 + high8,
      a0 * l3 + a1 * l2 + a2 * l1 + a3 * l0 - low6 + low8,
    ),
    joinHalves(
      a0 * h4 + a1 * h3 + a2 * h2 + a3 * h1 + a4 * h0 - high7,
      a0 * l4 + a1 * l3 + a2 * l2 + a3 * l1 + a4 * l0 - low7,
    ),
  ]
}

export function equalQuintic(a: Quintic, b: Quintic): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3] && a[4] === b[4]
}

/** Whether the element is of the prime field. */
export function isInBaseField(a: Quintic): boolean {
  return a[1] === 0 && a[2] === 0 && a[3] === 0 && a[4] === 0
}

/** base^exponent, for an integer exponent in [0, 2^53). */
export function powerQuintic(base: Quintic, exponent: number): Quintic {
  let result = ONE
  let square = base
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiplyQuintic(result, square)
    square = multiplyQuintic(square, square)
  }
  return result
}

/** X^p: with it, (Σ a_i X^i)^p = Σ a_i (X^p)^i. A test computes it from the definition. */
const X_TO_P: Quintic = powerQuintic(BASIS[1] as Quintic, P)
const X_TO_P_POWERS: readonly Quintic[] = [0, 1, 2, 3, 4].map((i) => powerQuintic(X_TO_P, i))

/** a^p, the Frobenius map. */
export function frobenius(a: Quintic): Quintic {
  let result = ZERO
  for (let i = 0; i < QUINTIC_DEGREE; i++) {
    result = addQuintic(result, scale(X_TO_P_POWERS[i] as Quintic, a[i] as number))
  }
  return result
}

/**
 * 1 / a: the product of the four other conjugates, by the norm, which is of the prime field.
 * @throws InvariantViolation for zero
 */
export function invertQuintic(a: Quintic): Quintic {
  let conjugate = frobenius(a)
  let others = conjugate
  for (let i = 2; i < QUINTIC_DEGREE; i++) {
    conjugate = frobenius(conjugate)
    others = multiplyQuintic(others, conjugate)
  }
  const norm = multiplyQuintic(a, others)
  assert(isInBaseField(norm), 'a norm is of the prime field')
  return scale(others, invert(norm[0]))
}

/**
 * The inverses of all, for the price of one.
 * @throws InvariantViolation if one is zero
 */
export function invertAllQuintic(values: readonly Quintic[]): Quintic[] {
  const before: Quintic[] = []
  let product = ONE
  for (const value of values) {
    before.push(product)
    product = multiplyQuintic(product, value)
  }
  let inverse = invertQuintic(product)
  const inverses = new Array<Quintic>(values.length)
  for (let i = values.length - 1; i >= 0; i--) {
    inverses[i] = multiplyQuintic(inverse, before[i] as Quintic)
    inverse = multiplyQuintic(inverse, values[i] as Quintic)
  }
  return inverses
}

/** 1, base, base^2, … */
export function powersQuintic(base: Quintic, count: number): Quintic[] {
  const result: Quintic[] = []
  let value = ONE
  for (let i = 0; i < count; i++) {
    result.push(value)
    value = multiplyQuintic(value, base)
  }
  return result
}

/** The element whose coefficients stand one after the other from `at` on. */
export function quinticFrom(coefficients: ArrayLike<number>, at: number): Quintic {
  return [
    coefficients[at] as number,
    coefficients[at + 1] as number,
    coefficients[at + 2] as number,
    coefficients[at + 3] as number,
    coefficients[at + 4] as number,
  ]
}

/** The five coordinates of elements, each as one array: what loops over many rows take. */
export function coordinates(elements: readonly Quintic[]): Int32Array[] {
  return [0, 1, 2, 3, 4].map((i) => Int32Array.from(elements, (element) => element[i] as number))
}

/**
 * Σ values[from + k * step] * weights[k], the weights as {@link coordinates}. At most 2^20 terms: a sum of products
 * that are each below 2^31 stays an exact integer.
 */
export function weightedSum(
  values: Int32Array,
  from: number,
  weights: readonly Int32Array[],
  count: number,
): Quintic {
  const [w0, w1, w2, w3, w4] = weights as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array]
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let s4 = 0
  for (let k = 0; k < count; k++) {
    const value = values[from + k] as number
    s0 += multiply(value, w0[k] as number)
    s1 += multiply(value, w1[k] as number)
    s2 += multiply(value, w2[k] as number)
    s3 += multiply(value, w3[k] as number)
    s4 += multiply(value, w4[k] as number)
  }
  return [reduce(s0), reduce(s1), reduce(s2), reduce(s3), reduce(s4)]
}
