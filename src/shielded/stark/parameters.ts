/** The figures of the proof system, and what follows from them for an AIR. One set is in force; tests try others. */
import { assert } from '../../types/assert.ts'
import type { Air } from '../air/air.ts'
import { GENERATOR } from '../field/koala-bear.ts'

export interface ProofParameters {
  /** Points of the domain for each coefficient of a column, as a power of two: one over the rate of the code. */
  readonly blowupBits: number
  /** Places of the domain at which everything is opened, drawn with repetition. */
  readonly queries: number
  /** Zero bits of a hash that the prover has to find before the places are drawn. */
  readonly grindingBits: number
}

/** Those in force. soundness.ts says what they are good for. */
export const PARAMETERS: ProofParameters = { blowupBits: 5, queries: 40, grindingBits: 16 }

/** The quotient is committed to as this many polynomials … */
export const QUOTIENT_CHUNKS = 4
/** … of this many coefficients each; what is above, up to the columns' bound, blinds them. */
export const CHUNK_COEFFICIENTS = 160
/** Every round of FRI folds 2^3 values into one. */
export const FOLD_BITS = 3
/** Coefficients of the polynomial that is left after the last round, and sent as it is. */
export const FINAL_COEFFICIENTS = 4
/** The domain is this times a subgroup, so that it shares no point with the rows' subgroup. */
export const DOMAIN_SHIFT = GENERATOR
export const SALT_BYTES = 16

/** Sizes for one AIR under parameters. */
export interface ProofShape {
  readonly air: Air
  readonly parameters: ProofParameters
  /** Rows of the trace: the order of the subgroup that they are at. */
  readonly rows: number
  /** Every committed polynomial has at most 2^degreeBits coefficients: the trace's, and as many to mask it. */
  readonly degreeBits: number
  readonly coefficients: number
  readonly domainBits: number
  readonly domain: number
  /** The quotient is worked out on so many points. */
  readonly quotientDomainBits: number
  /** Columns of the second commitment: the chunks, and the mask of FRI. */
  readonly quotientColumns: number
  readonly folds: number
}

/**
 * Sizes for an AIR.
 * @throws InvariantViolation if the AIR's degree or size does not fit this proof system
 */
export function shapeOf(air: Air, parameters: ProofParameters): ProofShape {
  const rows = 2 ** air.rowBits
  const degreeBits = air.rowBits + 1
  const coefficients = 2 ** degreeBits
  const folds = (degreeBits - Math.log2(FINAL_COEFFICIENTS)) / FOLD_BITS
  assert(Number.isInteger(folds) && folds > 0, `2^${degreeBits} coefficients do not fold to the final ones`)
  assert(
    air.degree - rows < QUOTIENT_CHUNKS * CHUNK_COEFFICIENTS && CHUNK_COEFFICIENTS < coefficients,
    `a quotient of degree ${air.degree - rows} does not fit into its chunks`,
  )
  const quotientDomainBits = degreeBits + 2
  assert(air.degree < 2 ** quotientDomainBits, `constraints of degree ${air.degree}`)
  const domainBits = degreeBits + parameters.blowupBits
  assert(domainBits >= quotientDomainBits, 'the domain holds the points that the quotient is worked out on')
  return {
    air,
    parameters,
    rows,
    degreeBits,
    coefficients,
    domainBits,
    domain: 2 ** domainBits,
    quotientDomainBits,
    quotientColumns: 5 * (QUOTIENT_CHUNKS + 1),
    folds,
  }
}
