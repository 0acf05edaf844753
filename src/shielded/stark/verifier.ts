/** Judges a proof. Whatever bytes it is given, it returns; a refusal says what was the first thing to be wrong. */
import { type Refusal, refuse } from '../../types/errors.ts'
import { composeAtPoint } from '../air/evaluate.ts'
import { quinticBytes } from '../field/element-bytes.ts'
import { invert, powers, rootOfUnity } from '../field/koala-bear.ts'
import {
  addQuintic,
  embed,
  equalQuintic,
  invertAllQuintic,
  isInBaseField,
  multiplyQuintic,
  ONE,
  powerQuintic,
  type Quintic,
  scale,
  subtractQuintic,
  ZERO,
} from '../field/quintic.ts'
import { rowBytes } from './committed-matrix.ts'
import { DeepCombination, distance, domainPoint, nextPoint, type Openings } from './deep.ts'
import { verifyFri } from './fri-verifier.ts'
import { equalBytes, hashLeaf, rootOfLeaves } from './merkle-tree.ts'
import {
  CHUNK_COEFFICIENTS,
  FINAL_COEFFICIENTS,
  type ProofShape,
  QUOTIENT_CHUNKS,
  SALT_BYTES,
} from './parameters.ts'
import { openingBytes, PROOF_VERSION, proofBytesMax } from './proof-layout.ts'
import { canonicalElements, ProofReader, type ProofRefusal, ProofRefused } from './proof-reader.ts'
import { distinctPlaces, nonceBytes, Transcript, type TranscriptStatement } from './transcript.ts'

/** The proof is one, or why it is not. */
export type Verification = { readonly ok: true } | Refusal<ProofRefusal>

/**
 * Whether the bytes prove that somebody knows a trace that satisfies the AIR for the statement.
 * @param statement its elements are canonical, as many as the AIR has public inputs
 */
export function verify(shape: ProofShape, statement: TranscriptStatement, bytes: Uint8Array): Verification {
  try {
    check(shape, statement, bytes)
    return { ok: true }
  } catch (error) {
    if (error instanceof ProofRefused) return refuse(error.code, error.message)
    throw error
  }
}

function check(shape: ProofShape, statement: TranscriptStatement, bytes: Uint8Array): void {
  const most = proofBytesMax(shape)
  if (bytes.length > most)
    throw new ProofRefused('proof-too-long', `${bytes.length} bytes, not ${most} at most`)
  const reader = new ProofReader(bytes)
  const version = reader.u8()
  if (version !== PROOF_VERSION) throw new ProofRefused('proof-version', `${version}, not ${PROOF_VERSION}`)
  const transcript = Transcript.of(shape, statement)
  const traceRoot = reader.hash()
  transcript.absorb('trace-root', traceRoot)
  const composition = transcript.challenge()
  const quotientRoot = reader.hash()
  transcript.absorb('quotient-root', quotientRoot)
  const z = transcript.challenge()
  if (isInBaseField(z)) throw new ProofRefused('challenge-in-base-field', 'the point z is of the prime field')
  const { columns } = shape.air
  const openings = {
    columns: reader.quintics(columns),
    next: reader.quintics(columns),
    chunks: reader.quintics(QUOTIENT_CHUNKS),
  }
  transcript.absorb('openings', openingBytes(openings))
  checkConstraints(shape, statement, openings, composition, z)
  const combination = new DeepCombination(shape, openings, transcript.challenge())
  const rounds = Array.from({ length: shape.folds }, () => {
    const root = reader.hash()
    transcript.absorb('fri-root', root)
    return { root, challenge: transcript.challenge() }
  })
  const final = reader.quintics(FINAL_COEFFICIENTS)
  transcript.absorb('final-polynomial', quinticBytes(final))
  const nonce = reader.u32()
  if (!transcript.isGround(nonce, shape.parameters.grindingBits)) {
    throw new ProofRefused('grinding', `the nonce ${nonce} does not give the zero bits`)
  }
  transcript.absorb('nonce', nonceBytes(nonce))
  const places = distinctPlaces(transcript.places(shape.parameters.queries, shape.domainBits))
  const trace = readRows(shape, reader, places, traceRoot, columns, 'trace-opening')
  const quotient = readRows(shape, reader, places, quotientRoot, shape.quotientColumns, 'quotient-opening')
  const values = combineAtPlaces(shape, combination, places, trace, quotient, z)
  verifyFri(shape, reader, rounds, final, values)
  reader.end()
}

/** The constraints at z are the quotient there times what vanishes in every row. */
function checkConstraints(
  shape: ProofShape,
  statement: TranscriptStatement,
  openings: Openings,
  composition: Quintic,
  z: Quintic,
): void {
  const vanishing = subtractQuintic(powerQuintic(z, shape.rows), ONE)
  const inputs = {
    columns: openings.columns,
    next: openings.next,
    selectors: selectorsAt(shape, z, vanishing),
    publicInputs: statement.elements,
  }
  const constraints = composeAtPoint(shape.air, inputs, composition)
  const step = powerQuintic(z, CHUNK_COEFFICIENTS)
  const quotient = openings.chunks.reduceRight(
    (sum, chunk) => addQuintic(multiplyQuintic(sum, step), chunk),
    ZERO,
  )
  if (!equalQuintic(constraints, multiplyQuintic(quotient, vanishing))) {
    throw new ProofRefused(
      'constraints',
      'the constraints at z are not a multiple of what vanishes in every row',
    )
  }
}

/** Every selector at z: Σ value * L_row(z), where L_row(z) = (z^n - 1) / n * w^row / (z - w^row). */
function selectorsAt({ air, rows }: ProofShape, z: Quintic, vanishing: Quintic): Quintic[] {
  const points = powers(rootOfUnity(air.rowBits), rows)
  const inverses = invertAllQuintic(Array.from(points, (x) => subtractQuintic(z, embed(x))))
  const scaled = scale(vanishing, invert(rows))
  const lagrange = inverses.map((inverse, row) =>
    multiplyQuintic(scaled, scale(inverse, points[row] as number)),
  )
  return air.selectors.map(({ cells }) =>
    cells.reduce((sum, [row, value]) => {
      const term = lagrange[row] as Quintic
      return addQuintic(sum, value === 1 ? term : scale(term, value))
    }, ZERO),
  )
}

/** The opened rows of a commitment, one after the other. */
function readRows(
  shape: ProofShape,
  reader: ProofReader,
  places: readonly number[],
  root: Uint8Array,
  width: number,
  refusal: 'trace-opening' | 'quotient-opening',
): Int32Array {
  const elements = new Int32Array(places.length * width)
  const hashes = places.map((_, i) => {
    const bytes = reader.take(rowBytes(width))
    elements.set(canonicalElements(bytes.subarray(SALT_BYTES)), i * width)
    return hashLeaf(bytes)
  })
  const opened = rootOfLeaves(shape.domainBits, places, hashes, () => reader.hash())
  if (!equalBytes(opened, root)) throw new ProofRefused(refusal, 'the opened rows do not lead to the root')
  return elements
}

/** The combined polynomial at every place that was asked for. */
function combineAtPlaces(
  shape: ProofShape,
  combination: DeepCombination,
  places: readonly number[],
  trace: Int32Array,
  quotient: Int32Array,
  z: Quintic,
): Map<number, Quintic> {
  const zNext = nextPoint(shape, z)
  const points = places.map((place) => domainPoint(shape, place))
  const inverses = invertAllQuintic([
    ...points.map((x) => distance(x, z)),
    ...points.map((x) => distance(x, zNext)),
  ])
  return new Map(
    places.map((place, i) => [
      place,
      combination.at(
        trace,
        i * shape.air.columns,
        quotient,
        i * shape.quotientColumns,
        inverses[i] as Quintic,
        inverses[places.length + i] as Quintic,
      ),
    ]),
  )
}
