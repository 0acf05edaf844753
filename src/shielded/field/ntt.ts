/** The number-theoretic transform: coefficients of a polynomial to its values on a subgroup, and back. */
import { assert } from '../../types/assert.ts'
import { add, invert, multiply, P, powers, rootOfUnity } from './koala-bear.ts'

interface Tables {
  /** w^i for i below half the size. */
  readonly twiddles: Int32Array
  /** i with its bits in reverse order. */
  readonly reversed: Int32Array
}

/** By bits of the size; filled as sizes are asked for. */
const tables = new Map<number, Tables>()

function tablesOf(bits: number): Tables {
  const known = tables.get(bits)
  if (known !== undefined) return known
  const size = 2 ** bits
  const reversed = new Int32Array(size)
  for (let i = 1; i < size; i++) {
    reversed[i] = ((reversed[i >> 1] as number) >> 1) | ((i & 1) << (bits - 1))
  }
  const made = { twiddles: powers(rootOfUnity(bits), Math.max(1, size / 2)), reversed }
  tables.set(bits, made)
  return made
}

/** Where the value at w^i stands after {@link transformReversed}. */
export function reversedOrder(bits: number): Int32Array {
  return tablesOf(bits).reversed
}

/**
 * In place: from the coefficients to the values at w^0, w^1, …, but with the bits of their places reversed. Saves the
 * reordering where whoever reads the values orders them anyway.
 */
export function transformReversed(values: Int32Array, bits: number): void {
  const { twiddles } = tablesOf(bits)
  const size = values.length
  for (let half = size >> 1, stride = 1; half > 0; half >>= 1, stride <<= 1) {
    for (let block = 0; block < size; block += half << 1) {
      for (let i = block, end = block + half, t = 0; i < end; i++, t += stride) {
        const u = values[i] as number
        const v = values[i + half] as number
        const sum = (u - P + v) | 0
        values[i] = sum < 0 ? (sum + P) | 0 : sum
        const difference = (u - v) | 0
        values[i + half] = multiply(difference < 0 ? (difference + P) | 0 : difference, twiddles[t] as number)
      }
    }
  }
}

/** In place: from the coefficients, 2^bits of them, to the values at w^0, w^1, … for w the root of unity of the size. */
export function transform(values: Int32Array, bits: number): void {
  assert(values.length === 2 ** bits, `${values.length} values are not 2^${bits}`)
  transformReversed(values, bits)
  const reversed = reversedOrder(bits)
  for (let i = 0; i < values.length; i++) {
    const j = reversed[i] as number
    if (i < j) {
      const kept = values[i] as number
      values[i] = values[j] as number
      values[j] = kept
    }
  }
}

/** In place: from the values at w^0, w^1, … to the coefficients. */
export function interpolate(values: Int32Array, bits: number): void {
  transform(values, bits)
  values.subarray(1).reverse()
  const scale = invert(values.length)
  for (let i = 0; i < values.length; i++) values[i] = multiply(values[i] as number, scale)
}

/** In place: coefficients of f(X) to those of f(shift * X). */
export function shiftArgument(coefficients: Int32Array, shift: number): void {
  let factor = 1
  for (let i = 0; i < coefficients.length; i++) {
    coefficients[i] = multiply(coefficients[i] as number, factor)
    factor = multiply(factor, shift)
  }
}

/** f(point) of coefficients in the prime field. */
export function evaluate(coefficients: Int32Array, point: number): number {
  let value = 0
  for (let i = coefficients.length - 1; i >= 0; i--) {
    value = add(multiply(value, point), coefficients[i] as number)
  }
  return value
}
