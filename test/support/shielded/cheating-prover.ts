/**
 * A prover that cheats, built of the honest one's parts: it takes a trace that violates the constraints, or goes astray
 * at a chosen step and then on as if nothing had been.
 */
import type { Trace } from '../../../src/shielded/air/air.ts'
import { composeAtPoint, selectorColumns } from '../../../src/shielded/air/evaluate.ts'
import { quinticBytes } from '../../../src/shielded/field/element-bytes.ts'
import { invert, multiply, power, rootOfUnity, subtract } from '../../../src/shielded/field/koala-bear.ts'
import { interpolate, shiftArgument } from '../../../src/shielded/field/ntt.ts'
import {
  addQuintic,
  invertQuintic,
  multiplyQuintic,
  ONE,
  powerQuintic,
  type Quintic,
  scale,
  subtractQuintic,
  ZERO,
} from '../../../src/shielded/field/quintic.ts'
import { CommittedMatrix } from '../../../src/shielded/stark/committed-matrix.ts'
import type { Openings } from '../../../src/shielded/stark/deep.ts'
import { FOLD, fold, inversePoint, layerDomain } from '../../../src/shielded/stark/fri-fold.ts'
import { type FriLayer, openFri } from '../../../src/shielded/stark/fri-prover.ts'
import { blindedChunks, maskedColumns } from '../../../src/shielded/stark/masking.ts'
import { hashLeaf, MerkleTree } from '../../../src/shielded/stark/merkle-tree.ts'
import { CHUNK_COEFFICIENTS, type ProofShape } from '../../../src/shielded/stark/parameters.ts'
import { encodeProof, openingBytes } from '../../../src/shielded/stark/proof-layout.ts'
import {
  combineOnDomain,
  evaluateAll,
  openAt,
  openMatrix,
  proverRandomness,
} from '../../../src/shielded/stark/prover.ts'
import { composeQuotient } from '../../../src/shielded/stark/quotient.ts'
import {
  distinctPlaces,
  nonceBytes,
  Transcript,
  type TranscriptStatement,
} from '../../../src/shielded/stark/transcript.ts'

/** Where the prover goes astray. */
export type Cheat =
  /** Nowhere: what is wrong is the trace, or nothing. */
  | 'none'
  /** Says of the first chunk at z what makes the equation of the constraints hold. */
  | 'adaptive-quotient'
  /** Says something else of the first column at z, then as above. */
  | 'false-opening'
  /** Commits to the quotient after it knows z. */
  | 'quotient-after-z'
  /** Draws the challenge of the openings before they are said. */
  | 'stale-lambda'
  /** Runs FRI over something else than what was combined. */
  | 'foreign-codeword'
  /** Commits, as the second layer of FRI, to the values of a constant. */
  | 'foreign-layer'
  /** Sends another final polynomial. */
  | 'false-final'
  /** Adapts the quotient, and sends a final polynomial that is right at four of its points. */
  | 'four-points'
  /** Sends a nonce that nobody ground. */
  | 'no-grinding'
  /** Draws the places before the nonce is said. */
  | 'stale-places'

/** What makes Σ α^k constraint_k = (z^n - 1) Σ z^(160 i) chunk_i hold, for the first chunk. */
function fittingChunk(
  shape: ProofShape,
  statement: TranscriptStatement,
  openings: Openings,
  alpha: Quintic,
  z: Quintic,
): Quintic {
  const selectors = selectorColumns(shape.air).map((column) => {
    interpolate(column, shape.air.rowBits)
    return column
  })
  const constraints = composeAtPoint(
    shape.air,
    {
      columns: openings.columns,
      next: openings.next,
      selectors: evaluateAll(selectors, z),
      publicInputs: statement.elements,
    },
    alpha,
  )
  const vanishing = subtractQuintic(powerQuintic(z, shape.rows), ONE)
  const step = powerQuintic(z, CHUNK_COEFFICIENTS)
  const others = openings.chunks
    .slice(1)
    .reduceRight((sum, chunk) => multiplyQuintic(addQuintic(sum, chunk), step), ZERO)
  return subtractQuintic(multiplyQuintic(constraints, invertQuintic(vanishing)), others)
}

function cheatedOpenings(
  shape: ProofShape,
  statement: TranscriptStatement,
  openings: Openings,
  alpha: Quintic,
  z: Quintic,
  cheat: Cheat,
): Openings {
  if (cheat !== 'adaptive-quotient' && cheat !== 'false-opening' && cheat !== 'four-points') return openings
  const columns =
    cheat === 'false-opening'
      ? openings.columns.map((value, i) => (i === 0 ? addQuintic(value, ONE) : value))
      : openings.columns
  const said = { ...openings, columns }
  return { ...said, chunks: [fittingChunk(shape, statement, said, alpha, z), ...openings.chunks.slice(1)] }
}

/** Bytes of a proof that should not be accepted. */
export function forge(
  shape: ProofShape,
  trace: Trace,
  statement: TranscriptStatement,
  seed: Uint8Array,
  cheat: Cheat = 'none',
): Uint8Array {
  const random = proverRandomness(trace, statement, seed)
  const transcript = Transcript.of(shape, statement)
  const columns = maskedColumns(shape, trace, random)
  const committed = new CommittedMatrix(shape, columns, random)
  transcript.absorb('trace-root', committed.tree.root)
  const alpha = transcript.challenge()
  const quotient = composeQuotient(shape, committed.values, statement.elements, alpha)
  const quotientColumns = blindedChunks(shape, quotient, random)
  const early = transcript.challenge()
  const committedQuotient = new CommittedMatrix(shape, quotientColumns, random)
  transcript.absorb('quotient-root', committedQuotient.tree.root)
  const z = cheat === 'quotient-after-z' ? early : transcript.challenge()
  const honest = openAt(shape, columns, quotientColumns, z)
  const openings = cheatedOpenings(shape, statement, honest, alpha, z, cheat)
  const stale = transcript.challenge()
  transcript.absorb('openings', openingBytes(openings))
  const lambda = cheat === 'stale-lambda' ? stale : transcript.challenge()
  const combined = combineOnDomain(shape, committed, committedQuotient, openings, z, lambda)
  const { layers, last } = commitLayers(shape, combined, transcript, cheat)
  const final = finalPolynomial(shape, last, cheat)
  transcript.absorb('final-polynomial', quinticBytes(final))
  const { queries, grindingBits } = shape.parameters
  const ground = transcript.grind(grindingBits)
  const nonce = cheat === 'no-grinding' ? unground(transcript, grindingBits) : ground
  const stalePlaces = transcript.places(queries, shape.domainBits)
  transcript.absorb('nonce', nonceBytes(nonce))
  const places = distinctPlaces(
    cheat === 'stale-places' ? stalePlaces : transcript.places(queries, shape.domainBits),
  )
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

function unground(transcript: Transcript, bits: number): number {
  for (let nonce = 0; ; nonce++) if (!transcript.isGround(nonce, bits)) return nonce
}

/** FRI's layers, one of them put in the place of what should be there; and what is left after the last. */
function commitLayers(
  shape: ProofShape,
  codeword: readonly Quintic[],
  transcript: Transcript,
  cheat: Cheat,
): { layers: FriLayer[]; last: readonly Quintic[] } {
  const foreign = { 'foreign-codeword': 0, 'foreign-layer': 1 }[cheat as string]
  const layers: FriLayer[] = []
  let values = codeword
  for (let layer = 0; layer < shape.folds; layer++) {
    if (layer === foreign) values = values.map(() => ONE)
    const count = values.length / FOLD
    const members = values
      .slice(0, count)
      .map((_, i) => values.filter((_value, place) => place % count === i))
    const leaves = members.map(quinticBytes)
    const tree = new MerkleTree(count, (i) => hashLeaf(leaves[i] as Uint8Array))
    transcript.absorb('fri-root', tree.root)
    const challenge = transcript.challenge()
    const domain = layerDomain(shape, layer)
    values = members.map((group, i) => fold(group, inversePoint(domain, i), challenge))
    layers.push({ leaves, tree })
  }
  return { layers, last: values }
}

/** Four coefficients: the lowest of what is left, or those of the polynomial that it is at its first four points. */
function finalPolynomial(shape: ProofShape, last: readonly Quintic[], cheat: Cheat): Quintic[] {
  const { bits, shift } = layerDomain(shape, shape.folds)
  if (cheat === 'four-points') {
    return throughPoints(
      [0, 1, 2, 3].map((i) => ({ x: multiply(shift, power(rootOfUnity(bits), i)), y: last[i] as Quintic })),
    )
  }
  const columns = [0, 1, 2, 3, 4].map((e) => {
    const column = Int32Array.from(last, (value) => value[e] as number)
    interpolate(column, bits)
    shiftArgument(column, invert(shift))
    return column
  })
  const lowest = [0, 1, 2, 3].map((i) => columns.map((column) => column[i] as number) as unknown as Quintic)
  return cheat === 'false-final' ? lowest.map((value) => addQuintic(value, ONE)) : lowest
}

/** Coefficients of the polynomial through points, after Lagrange. */
function throughPoints(points: readonly { x: number; y: Quintic }[]): Quintic[] {
  const sum = points.map(() => ZERO)
  for (const { x, y } of points) {
    let basis = [1]
    let denominator = 1
    for (const { x: other } of points) {
      if (other === x) continue
      basis = [...basis, 0].map((_, i) => subtract(basis[i - 1] ?? 0, multiply(basis[i] ?? 0, other)))
      denominator = multiply(denominator, subtract(x, other))
    }
    const factor = scale(y, invert(denominator))
    for (const [i, coefficient] of basis.entries())
      sum[i] = addQuintic(sum[i] as Quintic, scale(factor, coefficient))
  }
  return sum
}
