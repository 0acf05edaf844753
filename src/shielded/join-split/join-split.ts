/**
 * The proof of a shielded transaction: that two notes under an anchor are spent by who owns them, that two are made, and
 * that the amounts balance. Which anchors are in time, which nullifiers are spent and who may mint is for the ledger.
 */
import { assert } from '../../types/assert.ts'
import { ok, type Refusal, type Result, refuse } from '../../types/errors.ts'
import type { Trace } from '../air/air.ts'
import { RowEvaluator } from '../air/evaluate.ts'
import { PARAMETERS, shapeOf } from '../stark/parameters.ts'
import { proofBytesMax } from '../stark/proof-layout.ts'
import type { ProofRefusal } from '../stark/proof-reader.ts'
import { prove, RANDOMNESS_BYTES } from '../stark/prover.ts'
import { verify } from '../stark/verifier.ts'
import { JOIN_SPLIT_AIR } from './constraints.ts'
import { ROWS } from './layout.ts'
import { decodeStatement, type JoinSplitPublicInputs, type StatementRefusal } from './public-inputs.ts'
import { joinSplitTrace } from './trace.ts'
import { decodeWitness, type JoinSplitWitness, type WitnessRefusal } from './witness.ts'

/** Sizes of a join-split's proof under the parameters in force. */
export const JOIN_SPLIT_SHAPE = shapeOf(JOIN_SPLIT_AIR, PARAMETERS)

/** Bytes of a join-split's proof at the most. */
export const JOIN_SPLIT_PROOF_BYTES_MAX = proofBytesMax(JOIN_SPLIT_SHAPE)

const evaluator = new RowEvaluator(JOIN_SPLIT_AIR)

/** The first constraint that a trace violates, with its row; null if it satisfies all. */
export function firstViolation(
  trace: Trace,
  publicInputs: ArrayLike<number>,
): { row: number; constraint: string } | null {
  for (let row = 0; row < ROWS; row++) {
    const [violated] = evaluator.violated(trace, publicInputs, row)
    if (violated !== undefined) return { row, constraint: JOIN_SPLIT_AIR.constraints[violated]?.name ?? '' }
  }
  return null
}

/**
 * The proof. Takes about half a second of one core.
 * @param randomness 32 bytes from the system's random source, used for nothing else
 * @returns the bytes, at most {@link JOIN_SPLIT_PROOF_BYTES_MAX}; refused if the witness or the public inputs are
 *   malformed, or if the statement is untrue of the witness (`statement-untrue`)
 */
export function proveJoinSplit(
  witness: JoinSplitWitness,
  publicInputs: JoinSplitPublicInputs,
  randomness: Uint8Array,
): Result<Uint8Array, WitnessRefusal | StatementRefusal | 'statement-untrue'> {
  assert(randomness.length >= RANDOMNESS_BYTES, `${randomness.length} bytes of randomness for a proof`)
  const statement = decodeStatement(publicInputs)
  if ('ok' in statement) return statement
  const decoded = decodeWitness(witness, publicInputs)
  if (!decoded.ok) return decoded
  const trace = joinSplitTrace(decoded.value)
  const violation = firstViolation(trace, statement.elements)
  if (violation !== null) {
    return refuse('statement-untrue', `"${violation.constraint}" does not hold in row ${violation.row}`)
  }
  return ok(prove(JOIN_SPLIT_SHAPE, trace, statement, randomness))
}

/**
 * Whether the bytes prove the statement. Both may come from anywhere. Takes a few milliseconds; no code throws.
 */
export function verifyJoinSplit(
  publicInputs: JoinSplitPublicInputs,
  proof: Uint8Array,
): { readonly ok: true } | Refusal<StatementRefusal | ProofRefusal> {
  const statement = decodeStatement(publicInputs)
  return 'ok' in statement ? statement : verify(JOIN_SPLIT_SHAPE, statement, proof)
}
