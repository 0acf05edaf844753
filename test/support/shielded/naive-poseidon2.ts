/** Poseidon2 from its paper, in BigInt, its constants made by the Grain LFSR: the second opinion on src/shielded/hash. */
import { inv, mod, PRIME, pow } from './naive-field.ts'

const WIDTH = 16
const FULL = 8
const PARTIAL = 20

/** The constants by the Grain LFSR of the Poseidon paper (eprint 2019/458, appendix E): field, S-box x^alpha, sizes. */
function grainConstants(): bigint[] {
  const bits: number[] = []
  const push = (value: number, count: number): void => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >> i) & 1)
  }
  push(1, 2)
  push(0, 4)
  push(31, 12)
  push(WIDTH, 12)
  push(FULL, 10)
  push(PARTIAL, 10)
  for (let i = 0; i < 30; i++) bits.push(1)
  const next = (): number => {
    const bit = [62, 51, 38, 23, 13, 0].reduce((sum, i) => sum ^ (bits[i] as number), 0)
    bits.shift()
    bits.push(bit)
    return bit
  }
  for (let i = 0; i < 160; i++) next()
  const filtered = (): number => {
    for (;;) {
      const first = next()
      const second = next()
      if (first === 1) return second
    }
  }
  const element = (): bigint => {
    for (;;) {
      let value = 0n
      for (let i = 0; i < 31; i++) value = value * 2n + BigInt(filtered())
      if (value < PRIME) return value
    }
  }
  return Array.from({ length: FULL * WIDTH + PARTIAL }, element)
}

/** In the order of the rounds: 64 of the first full ones, 20 of the partial, 64 of the last full ones. */
export const GRAIN_CONSTANTS: readonly bigint[] = grainConstants()

const half = (k: bigint): bigint => pow(inv(2n), k)
/** Of the inner matrix. */
export const DIAGONAL: readonly bigint[] = [
  -2n,
  1n,
  2n,
  half(1n),
  3n,
  4n,
  -half(1n),
  -3n,
  -4n,
  half(8n),
  half(3n),
  half(24n),
  -half(8n),
  -half(3n),
  -half(4n),
  -half(24n),
].map(mod)
/** Of the outer matrix. */
export const M4: readonly (readonly bigint[])[] = [
  [2n, 3n, 1n, 1n],
  [1n, 2n, 3n, 1n],
  [1n, 1n, 2n, 3n],
  [3n, 1n, 1n, 2n],
]

/** The circulant matrix of 2 M4, M4, M4, M4. */
function outer(state: readonly bigint[]): bigint[] {
  return state.map((_, row) => {
    let sum = 0n
    for (let column = 0; column < WIDTH; column++) {
      const factor = Math.floor(row / 4) === Math.floor(column / 4) ? 2n : 1n
      sum += factor * (M4[row % 4]?.[column % 4] as bigint) * (state[column] as bigint)
    }
    return mod(sum)
  })
}

function inner(state: readonly bigint[]): bigint[] {
  const sum = state.reduce((total, lane) => total + lane, 0n)
  return state.map((lane, i) => mod(lane * (DIAGONAL[i] as bigint) + sum))
}

const cube = (a: bigint): bigint => mod(a * a * a)

/**
 * The permutation, and what the trace records of it.
 * @param change may put another value in the place of one that is recorded; the rounds after go on with it
 */
export function naivePermute(
  lanes: readonly number[],
  change: (at: number, value: number) => number = (_, value) => value,
): { end: number[]; recorded: number[] } {
  const recorded: number[] = []
  const record = (value: bigint): bigint => {
    const changed = change(recorded.length, Number(value))
    recorded.push(changed)
    return BigInt(changed)
  }
  let state = outer(lanes.map(BigInt))
  let at = 0
  const constant = (): bigint => GRAIN_CONSTANTS[at++] as bigint
  const full = (): void => {
    for (let round = 0; round < FULL / 2; round++) {
      state = outer(state.map((lane) => cube(lane + constant()))).map(record)
    }
  }
  full()
  for (let round = 0; round < PARTIAL; round++) {
    state = inner([record(cube((state[0] as bigint) + constant())), ...state.slice(1)])
  }
  full()
  return { end: state.map(Number), recorded }
}
