/**
 * Makes a proof that a trace satisfies an AIR for public inputs, and says nothing else of it. Whether the trace does is
 * for the caller to have looked at; of one that does not, this makes bytes that no verifier accepts.
 */
import type { Trace } from '../air/air.ts'
import { elementBytes, quinticBytes } from '../field/element-bytes.ts'
import { powers, rootOfUnity } from '../field/koala-bear.ts'
import {
  addQuintic,
  BASIS,
  coordinates,
  invertAllQuintic,
  multiplyQuintic,
  powersQuintic,
  QUINTIC_DEGREE,
  type Quintic,
  weightedSum,
  ZERO,
} from '../field/quintic.ts'
import { RandomElements } from '../hash/random-elements.ts'
import { sha256Tagged } from '../hash/sha256.ts'
import { CommittedMatrix } from './committed-matrix.ts'
import { DeepCombination, distance, nextPoint, type Openings } from './deep.ts'
import { commitFri, openFri } from './fri-prover.ts'
import { blindedChunks, maskedColumns } from './masking.ts'
import { DOMAIN_SHIFT, type ProofShape, QUOTIENT_CHUNKS } from './parameters.ts'
import { encodeProof, openingBytes } from './proof-layout.ts'
import { composeQuotient } from './quotient.ts'
import { distinctPlaces, nonceBytes, Transcript, type TranscriptStatement } from './transcript.ts'

/** Bytes of randomness that a proof needs. */
export const RANDOMNESS_BYTES = 32

/**
 * The stream that masks and salts are from. It depends on the trace and the statement too, so that a seed used twice by
 * mistake masks two proofs differently.
 */
export function proverRandomness(
  trace: Trace,
  statement: TranscriptStatement,
  seed: Uint8Array,
): RandomElements {
  const cells = sha256Tagged('hypermesh/shielded/prover-trace/v1', ...trace.map(elementBytes))
  const publicInputs = elementBytes(statement.elements)
  return new RandomElements(
    sha256Tagged('hypermesh/shielded/prover-key/v1', seed, cells, publicInputs, statement.binding),
  )
}

/** Values of polynomials, by coefficients, at a point of the extension. */
export function evaluateAll(columns: readonly Int32Array[], point: Quintic): Quintic[] {
  const length = columns[0]?.length ?? 0
  const weights = coordinates(powersQuintic(point, length))
  return columns.map((column) => weightedSum(column, 0, weights, length))
}

/** What there is to open at z: every column there and at the next row's point, every chunk there. */
export function openAt(
  shape: ProofShape,
  columns: readonly Int32Array[],
  quotientColumns: readonly Int32Array[],
  z: Quintic,
): Openings {
  const values = evaluateAll(quotientColumns.slice(0, QUINTIC_DEGREE * QUOTIENT_CHUNKS), z)
  const chunks = Array.from({ length: QUOTIENT_CHUNKS }, (_, i) =>
    BASIS.reduce(
      (sum, unit, e) => addQuintic(sum, multiplyQuintic(unit, values[QUINTIC_DEGREE * i + e] as Quintic)),
      ZERO,
    ),
  )
  return { columns: evaluateAll(columns, z), next: evaluateAll(columns, nextPoint(shape, z)), chunks }
}

/** Points that are inverted together: what that takes of memory is soon free again. */
const STRETCH = 512

/** The combined polynomial on the whole domain. */
export function combineOnDomain(
  shape: ProofShape,
  trace: CommittedMatrix,
  quotient: CommittedMatrix,
  openings: Openings,
  z: Quintic,
  challenge: Quintic,
): Quintic[] {
  const combination = new DeepCombination(shape, openings, challenge)
  const points = powers(rootOfUnity(shape.domainBits), shape.domain, DOMAIN_SHIFT)
  const zNext = nextPoint(shape, z)
  const combined: Quintic[] = []
  for (let first = 0; first < shape.domain; first += STRETCH) {
    const stretch = points.subarray(first, first + STRETCH)
    const inverses = invertAllQuintic(Array.from(stretch, (x) => distance(x, z)))
    const inversesNext = invertAllQuintic(Array.from(stretch, (x) => distance(x, zNext)))
    for (const [i, inverse] of inverses.entries()) {
      const row = first + i
      combined.push(
        combination.at(
          trace.values,
          row * trace.width,
          quotient.values,
          row * quotient.width,
          inverse,
          inversesNext[i] as Quintic,
        ),
      )
    }
  }
  return combined
}

/** Rows and siblings of a commitment for the places. */
export function openMatrix(matrix: CommittedMatrix, places: readonly number[]): Uint8Array[] {
  return [...places.map((place) => matrix.open(place)), ...matrix.tree.siblings(places)]
}

/**
 * A proof.
 * @param trace by columns; satisfies the AIR with the statement's public inputs
 * @param seed 32 bytes of randomness that nobody else knows
 */
export function prove(
  shape: ProofShape,
  trace: Trace,
  statement: TranscriptStatement,
  seed: Uint8Array,
): Uint8Array {
  const random = proverRandomness(trace, statement, seed)
  const transcript = Transcript.of(shape, statement)
  const columns = maskedColumns(shape, trace, random)
  const committed = new CommittedMatrix(shape, columns, random)
  transcript.absorb('trace-root', committed.tree.root)
  const quotient = composeQuotient(shape, committed.values, statement.elements, transcript.challenge())
  const quotientColumns = blindedChunks(shape, quotient, random)
  const committedQuotient = new CommittedMatrix(shape, quotientColumns, random)
  transcript.absorb('quotient-root', committedQuotient.tree.root)
  const z = transcript.challenge()
  const openings = openAt(shape, columns, quotientColumns, z)
  transcript.absorb('openings', openingBytes(openings))
  const codeword = combineOnDomain(shape, committed, committedQuotient, openings, z, transcript.challenge())
  const { layers, final } = commitFri(shape, codeword, transcript)
  transcript.absorb('final-polynomial', quinticBytes(final))
  const nonce = transcript.grind(shape.parameters.grindingBits)
  transcript.absorb('nonce', nonceBytes(nonce))
  const places = distinctPlaces(transcript.places(shape.parameters.queries, shape.domainBits))
  return encodeProof({
    traceRoot: committed.tree.root,
    quotientRoot: committedQuotient.tree.root,
    openings,
    friRoots: layers.map(({ tree }) => tree.root),
    final,
    nonce,
    opened: [
      ...openMatrix(committed, places),
      ...openMatrix(committedQuotient, places),
      ...openFri(layers, places),
    ],
  })
}
