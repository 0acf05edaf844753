/**
 * Poseidon2 (eprint 2023/323) over KoalaBear, width 16, S-box x^3, 8 full and 20 partial rounds. Beside the permutation
 * it gives what the trace commits to: the state after every full round, and the one changed lane after every partial.
 */
import { add, invert, multiply, negate, P, power, reduce } from '../field/koala-bear.ts'
import { FULL_ROUND_CONSTANTS, PARTIAL_ROUND_CONSTANTS } from './poseidon2-constants.ts'

export const WIDTH = 16
/** Full rounds before the partial ones, and as many after. */
export const HALF_FULL_ROUNDS = 4
export const PARTIAL_ROUNDS = 20
/** Values that {@link permute} records: 16 for a full round, 1 for a partial one. */
export const RECORDED_VALUES = 2 * HALF_FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS

const half = (k: number): number => power(invert(2), k)

/**
 * Diagonal of the inner matrix: V = [-2, 1, 2, 1/2, 3, 4, -1/2, -3, -4, 1/2^8, 1/8, 1/2^24, -1/2^8, -1/8, -1/16, -1/2^24],
 * the published one for this field and width (Plonky3, `p3-koala-bear`). The matrix is all ones plus diag(V).
 */
export const INNER_DIAGONAL: readonly number[] = [
  negate(2),
  1,
  2,
  half(1),
  3,
  4,
  negate(half(1)),
  negate(3),
  negate(4),
  half(8),
  half(3),
  half(24),
  negate(half(8)),
  negate(half(3)),
  negate(half(4)),
  negate(half(24)),
]

const diagonal = Int32Array.from(INNER_DIAGONAL)
const sums = new Float64Array(WIDTH)

/** a + b + c + d + …, fewer than 2^20 elements, stay exact; every lane is made canonical once. */
function outerMatrix(state: Int32Array): void {
  for (let k = 0; k < WIDTH; k += 4) {
    const a = state[k] as number
    const b = state[k + 1] as number
    const c = state[k + 2] as number
    const d = state[k + 3] as number
    const all = a + b + c + d
    sums[k] = all + a + 2 * b
    sums[k + 1] = all + b + 2 * c
    sums[k + 2] = all + c + 2 * d
    sums[k + 3] = all + d + 2 * a
  }
  for (let j = 0; j < 4; j++) {
    const s0 = sums[j] as number
    const s1 = sums[j + 4] as number
    const s2 = sums[j + 8] as number
    const s3 = sums[j + 12] as number
    const column = s0 + s1 + s2 + s3
    state[j] = reduce(s0 + column)
    state[j + 4] = reduce(s1 + column)
    state[j + 8] = reduce(s2 + column)
    state[j + 12] = reduce(s3 + column)
  }
}

function innerMatrix(state: Int32Array): void {
  let sum = 0
  for (let i = 0; i < WIDTH; i++) sum += state[i] as number
  for (let i = 0; i < WIDTH; i++) {
    state[i] = reduce(multiply(state[i] as number, diagonal[i] as number) + sum)
  }
}

function cubeOfSum(a: number, constant: number): number {
  const sum = (a - P + constant) | 0
  const x = sum < 0 ? (sum + P) | 0 : sum
  return multiply(multiply(x, x), x)
}

function fullRound(state: Int32Array, constants: Int32Array, round: number): void {
  for (let i = 0; i < WIDTH; i++) {
    state[i] = cubeOfSum(state[i] as number, constants[WIDTH * round + i] as number)
  }
  outerMatrix(state)
}

/**
 * The permutation, in place.
 * @param state 16 elements
 * @param record gets {@link RECORDED_VALUES} elements, round by round: what the constraints of a row are over
 */
export function permute(state: Int32Array, record?: Int32Array): void {
  let at = 0
  outerMatrix(state)
  for (let round = 0; round < HALF_FULL_ROUNDS; round++, at += WIDTH) {
    fullRound(state, FULL_ROUND_CONSTANTS.first, round)
    record?.set(state, at)
  }
  for (let round = 0; round < PARTIAL_ROUNDS; round++, at++) {
    const lane = cubeOfSum(state[0] as number, PARTIAL_ROUND_CONSTANTS[round] as number)
    state[0] = lane
    if (record !== undefined) record[at] = lane
    innerMatrix(state)
  }
  for (let round = 0; round < HALF_FULL_ROUNDS; round++, at += WIDTH) {
    fullRound(state, FULL_ROUND_CONSTANTS.last, round)
    record?.set(state, at)
  }
}

/** Lanes of a digest: 248 bits. */
export const DIGEST_LANES = 8

/** A hash of Poseidon2: eight elements. */
export type Digest = readonly number[]

/**
 * P(x) + x, all sixteen lanes (Davies–Meyer: a permutation alone could be inverted). Tree nodes take the first eight
 * lanes and note hashes the last eight.
 */
function compress(lanes: readonly number[]): Int32Array {
  const state = Int32Array.from(lanes)
  permute(state)
  for (let i = 0; i < WIDTH; i++) state[i] = add(state[i] as number, lanes[i] as number)
  return state
}

/** A node of the tree of note commitments: lanes 0 to 7 of P(left ‖ right) + (left ‖ right). */
export function compressNode(left: Digest, right: Digest): Digest {
  return [...compress([...left, ...right]).subarray(0, DIGEST_LANES)]
}

/** A note hash: lanes 8 to 15 of P(x) + x, for x of 16 lanes with the tag in the last. */
export function compressTagged(lanes: readonly number[]): Digest {
  return [...compress(lanes).subarray(DIGEST_LANES)]
}
