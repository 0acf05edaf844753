/**
 * From many claimed openings to one polynomial of low degree (DEEP): f(x) = mask(x) + Σ λ^(1+j) (g_j(x) - g_j(z)) / (x - z),
 * over all columns at z, all columns at the next row's point, and the quotient's chunks at z. A false opening leaves
 * a pole. Prover and verifier compute it here.
 */
import { multiply, power, rootOfUnity } from '../field/koala-bear.ts'
import {
  addQuintic,
  BASIS,
  coordinates,
  embed,
  multiplyQuintic,
  powersQuintic,
  QUINTIC_DEGREE,
  type Quintic,
  quinticFrom,
  scale,
  subtractQuintic,
  weightedSum,
  ZERO,
} from '../field/quintic.ts'
import { DOMAIN_SHIFT, type ProofShape, QUOTIENT_CHUNKS } from './parameters.ts'

/** What the prover says that the polynomials are at z, and the columns at the next row's point. */
export interface Openings {
  readonly columns: readonly Quintic[]
  readonly next: readonly Quintic[]
  readonly chunks: readonly Quintic[]
}

/** The point of the row after z's. */
export function nextPoint(shape: ProofShape, z: Quintic): Quintic {
  return scale(z, rootOfUnity(shape.air.rowBits))
}

/** The point of the domain at a place. */
export function domainPoint(shape: ProofShape, place: number): number {
  return multiply(DOMAIN_SHIFT, power(rootOfUnity(shape.domainBits), place))
}

function dot(weights: readonly Quintic[], values: readonly Quintic[]): Quintic {
  let sum = ZERO
  for (const [i, value] of values.entries()) {
    sum = addQuintic(sum, multiplyQuintic(weights[i] as Quintic, value))
  }
  return sum
}

export class DeepCombination {
  readonly #columns: number
  readonly #columnWeights: readonly Int32Array[]
  readonly #chunkWeights: readonly Int32Array[]
  /** λ^columns: from a column's weight at z to that at the next row's point. */
  readonly #nextFactor: Quintic
  readonly #claimed: Quintic
  readonly #claimedNext: Quintic

  constructor(shape: ProofShape, openings: Openings, challenge: Quintic) {
    const { columns } = shape.air
    const weights = powersQuintic(challenge, 1 + 2 * columns + QUOTIENT_CHUNKS)
    const ofColumns = weights.slice(1, 1 + columns)
    const ofChunks = weights.slice(1 + 2 * columns)
    this.#columns = columns
    this.#columnWeights = coordinates(ofColumns)
    this.#chunkWeights = coordinates(
      ofChunks.flatMap((weight) => BASIS.map((unit) => multiplyQuintic(weight, unit))),
    )
    this.#nextFactor = weights[columns] as Quintic
    this.#claimed = addQuintic(dot(ofColumns, openings.columns), dot(ofChunks, openings.chunks))
    this.#claimedNext = dot(ofColumns, openings.next)
  }

  /**
   * f at a point of the domain.
   * @param trace values of the columns there, from `traceAt` on
   * @param quotient values of the second commitment there, from `quotientAt` on
   * @param inverse 1 / (x - z)
   * @param inverseNext 1 / (x - next point)
   */
  at(
    trace: Int32Array,
    traceAt: number,
    quotient: Int32Array,
    quotientAt: number,
    inverse: Quintic,
    inverseNext: Quintic,
  ): Quintic {
    const ofChunks = QUINTIC_DEGREE * QUOTIENT_CHUNKS
    const columns = weightedSum(trace, traceAt, this.#columnWeights, this.#columns)
    const chunks = weightedSum(quotient, quotientAt, this.#chunkWeights, ofChunks)
    const atPoint = multiplyQuintic(subtractQuintic(addQuintic(columns, chunks), this.#claimed), inverse)
    const atNext = multiplyQuintic(subtractQuintic(columns, this.#claimedNext), inverseNext)
    const mask = quinticFrom(quotient, quotientAt + ofChunks)
    return addQuintic(mask, addQuintic(atPoint, multiplyQuintic(this.#nextFactor, atNext)))
  }
}

/** x - z, for the inverses that {@link DeepCombination.at} takes. */
export function distance(x: number, z: Quintic): Quintic {
  return subtractQuintic(embed(x), z)
}
