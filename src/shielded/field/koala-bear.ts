/**
 * KoalaBear, the prime field of 2^31 - 2^24 + 1: elements are plain numbers in [0, P). Nothing here is constant-time;
 * secrets are handled on the prover's own machine only.
 */
import { assert } from '../../types/assert.ts'

/** 2^31 - 2^24 + 1. P - 1 = 2^24 * 127, and 3 does not divide it, so that x^3 is a permutation. */
export const P = 2_130_706_433
/** 1 / P in floating point, for quotients that are corrected after. */
export const P_RECIPROCAL = 1 / P

/** Bits of the largest power of two that divides P - 1. */
export const TWO_ADICITY = 24
/** Least generator of the multiplicative group. */
export const GENERATOR = 3

/** Whether `value` is an element in its only spelling. */
export function isElement(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < P
}

/** a + b */
export function add(a: number, b: number): number {
  const r = (a - P + b) | 0
  return r < 0 ? (r + P) | 0 : r
}

/** a - b */
export function subtract(a: number, b: number): number {
  const r = (a - b) | 0
  return r < 0 ? (r + P) | 0 : r
}

/** -a */
export function negate(a: number): number {
  return a === 0 ? 0 : P - a
}

/**
 * a * b. The quotient is taken in floating point: a * b < 2^62 loses at most 2^9 of itself to rounding, so the quotient
 * is off by less than 2^-20 before it is cut, and by at most one after. The remainder is then exact modulo 2^32, lies
 * between -2^11 and P + 2^11, which an int32 holds, and one correction makes it canonical.
 */
export function multiply(a: number, b: number): number {
  const quotient = (a * b * P_RECIPROCAL) | 0
  const r = (Math.imul(a, b) - Math.imul(quotient, P)) | 0
  return r < 0 ? (r + P) | 0 : r >= P ? (r - P) | 0 : r
}

/** The element that a sum of elements stands for: any integer in [0, 2^52). An int32, as all elements are. */
export function reduce(sum: number): number {
  const quotient = Math.trunc(sum * P_RECIPROCAL)
  const r = sum - quotient * P
  return (r < 0 ? r + P : r >= P ? r - P : r) | 0
}

/** base^exponent, for an integer exponent in [0, 2^53). */
export function power(base: number, exponent: number): number {
  let result = 1
  let square = base
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square)
    square = multiply(square, square)
  }
  return result
}

/**
 * 1 / a
 * @throws InvariantViolation for zero
 */
export function invert(a: number): number {
  assert(a !== 0, 'zero has no inverse')
  return power(a, P - 2)
}

/**
 * The inverses of all, for the price of one.
 * @throws InvariantViolation if one is zero
 */
export function invertAll(values: readonly number[]): number[] {
  const before: number[] = []
  let product = 1
  for (const value of values) {
    before.push(product)
    product = multiply(product, value)
  }
  let inverse = invert(product)
  const inverses = new Array<number>(values.length)
  for (let i = values.length - 1; i >= 0; i--) {
    inverses[i] = multiply(inverse, before[i] as number)
    inverse = multiply(inverse, values[i] as number)
  }
  return inverses
}

/** The primitive root of unity of order 2^bits that is a power of {@link GENERATOR}. */
export function rootOfUnity(bits: number): number {
  assert(bits >= 0 && bits <= TWO_ADICITY, `no root of unity of order 2^${bits}`)
  return power(GENERATOR, (P - 1) / 2 ** bits)
}

/** 1, base, base^2, … */
export function powers(base: number, count: number, first = 1): Int32Array {
  const result = new Int32Array(count)
  let value = first
  for (let i = 0; i < count; i++) {
    result[i] = value
    value = multiply(value, base)
  }
  return result
}
