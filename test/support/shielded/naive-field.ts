/** The field and its extension from the protocol text, in BigInt: the second opinion on src/shielded/field. */

export const PRIME = 2n ** 31n - 2n ** 24n + 1n

export const mod = (a: bigint): bigint => ((a % PRIME) + PRIME) % PRIME

export function pow(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = mod(base)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % PRIME
    square = (square * square) % PRIME
  }
  return result
}

export const inv = (a: bigint): bigint => pow(a, PRIME - 2n)

/** The root of unity of order 2^bits. */
export const root = (bits: number): bigint => pow(3n, (PRIME - 1n) / 2n ** BigInt(bits))

/** Coefficients of 1, X … X^4 modulo X^5 + X^2 - 1. */
export type Ext = readonly bigint[]

export const extZero: Ext = [0n, 0n, 0n, 0n, 0n]
export const extOne: Ext = [1n, 0n, 0n, 0n, 0n]
export const extFrom = (a: bigint): Ext => [mod(a), 0n, 0n, 0n, 0n]
export const extAdd = (a: Ext, b: Ext): Ext => a.map((x, i) => mod(x + (b[i] as bigint)))
export const extSub = (a: Ext, b: Ext): Ext => a.map((x, i) => mod(x - (b[i] as bigint)))
export const extScale = (a: Ext, s: bigint): Ext => a.map((x) => mod(x * s))
export const extEqual = (a: Ext, b: Ext): boolean => a.every((x, i) => x === b[i])

/** Schoolbook, then X^k = X^(k-5) - X^(k-3) from the top down. */
export function extMul(a: Ext, b: Ext): Ext {
  const product = new Array<bigint>(9).fill(0n)
  for (const [i, x] of a.entries()) {
    for (const [j, y] of b.entries()) product[i + j] = (product[i + j] as bigint) + x * y
  }
  for (let k = 8; k >= 5; k--) {
    product[k - 5] = (product[k - 5] as bigint) + (product[k] as bigint)
    product[k - 3] = (product[k - 3] as bigint) - (product[k] as bigint)
  }
  return product.slice(0, 5).map(mod)
}

export function extPow(base: Ext, exponent: bigint): Ext {
  let result = extOne
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = extMul(result, square)
    square = extMul(square, square)
  }
  return result
}

/** By Fermat: a^(p^5 - 2). */
export const extInv = (a: Ext): Ext => extPow(a, PRIME ** 5n - 2n)
