/**
 * How many bits of soundness are proven, round by round, up to the Johnson bound: the terms as Plonky3's `p3-security`
 * and Ethereum's `soundcalc` document them (eprint 2025/2055 for proximity gaps, 2024/1553 for the rounds), not derived
 * anew here. Nothing conjectural counts: `queries * blowupBits + grindingBits` is not a figure of this file.
 */
import { P } from '../field/koala-bear.ts'
import { FOLD_BITS, type ProofShape, QUOTIENT_CHUNKS } from './parameters.ts'

/** Bits of soundness of each kind of round, all at the same proximity parameter. */
export interface Soundness {
  /** Proximity parameter m: the decoding radius is 1 - sqrt(rate) * (1 + 1 / (2 m)). */
  readonly proximity: number
  /** That constraints are combined by powers of a challenge. */
  readonly composition: number
  /** That the constraints are looked at in one point z. */
  readonly outOfDomain: number
  /** That openings are combined by powers of a challenge. */
  readonly batching: number
  /** That eight values are folded into one. */
  readonly folding: number
  /** That a word far from every polynomial is looked at in a few places, with grinding before. */
  readonly queries: number
  /** The least of them. */
  readonly bits: number
}

/** Collisions of SHA-256 and of eight-element digests: no figure above is worth more. */
export const COLLISION_BITS = 124

const { log2, sqrt } = Math
const FIELD_BITS = 5 * log2(P)
const PROXIMITY_MIN = 3
/** The points that every column is opened at. */
const OPENED_POINTS = 2

function soundnessAt(shape: ProofShape, m: number): Soundness {
  const { blowupBits, queries, grindingBits } = shape.parameters
  const { air, coefficients, domain } = shape
  const rate = 2 ** -blowupBits
  const agreement = (1 + 1 / (2 * m)) * sqrt(rate)
  const shifted = m + 0.5
  const listSize = shifted / sqrt(rate)
  const exceptional =
    ((2 * shifted ** 5 + 3 * shifted * (1 - agreement) * rate) * domain) / (3 * rate ** 1.5) + listSize
  const batched = 1 + OPENED_POINTS * air.columns + QUOTIENT_CHUNKS
  // Both sides of the equation at z; the points that columns are opened at raise the columns' degree.
  const factors = Math.ceil(air.degree / (coefficients - 1))
  const degree = factors * (coefficients + OPENED_POINTS - 1) + coefficients - 1
  const terms = {
    composition: FIELD_BITS - log2(listSize * air.constraints.length),
    outOfDomain: FIELD_BITS - log2(listSize * degree),
    batching: FIELD_BITS - log2(exceptional * (batched - 1)),
    folding: FIELD_BITS - log2(exceptional * (2 ** FOLD_BITS - 1)),
    queries: grindingBits - queries * log2(agreement),
  }
  return { proximity: m, ...terms, bits: Math.min(COLLISION_BITS, ...Object.values(terms)) }
}

/** The largest m for which the openings at two points leave the radius below the Johnson bound (eprint 2021/582). */
function proximityMax({ coefficients }: ProofShape): number {
  return Math.floor(1 / (2 * (sqrt((coefficients + OPENED_POINTS) / coefficients) - 1)))
}

/** What is proven for the shape, at the proximity parameter that gives most. */
export function soundnessOf(shape: ProofShape): Soundness {
  let best = soundnessAt(shape, PROXIMITY_MIN)
  for (let m = PROXIMITY_MIN + 1; m < proximityMax(shape); m++) {
    const other = soundnessAt(shape, m)
    if (other.bits > best.bits) best = other
  }
  return best
}
