/** Proofs that several tests look at, made once: of a seed, so that they are the same in every run. */
import { JOIN_SPLIT_SHAPE } from '../../../src/shielded/join-split/join-split.ts'
import {
  decodeStatement,
  type JoinSplitPublicInputs,
  publicInputsOf,
  type Statement,
} from '../../../src/shielded/join-split/public-inputs.ts'
import { joinSplitTrace } from '../../../src/shielded/join-split/trace.ts'
import { prove } from '../../../src/shielded/stark/prover.ts'
import { AMOUNTS, dummyNote, sampleJoinSplit, seededBytes } from './join-splits.ts'

/** A proof with everything that it was made of. */
export interface SampleProof {
  readonly publicInputs: JoinSplitPublicInputs
  readonly statement: Statement
  readonly trace: readonly Int32Array[]
  readonly proof: Uint8Array
}

const made = new Map<number, SampleProof>()

/** The proof of a seed: of two notes, or for an odd seed of one note and a dummy. */
export function sampleProof(seed: number): SampleProof {
  const known = made.get(seed)
  if (known !== undefined) return known
  const full = sampleJoinSplit(seed, AMOUNTS)
  const one = sampleJoinSplit(seed, { inputs: [5_000_000n, 0n], first: 1_000n, fee: 7n })
  const dummy = { ...one.joinSplit, inputs: [...one.joinSplit.inputs.slice(0, 1), dummyNote(seed + 1_000)] }
  const joinSplit = seed % 2 === 0 ? full.joinSplit : dummy
  const anchor = seed % 2 === 0 ? full.anchor : one.anchor
  const publicInputs = publicInputsOf(joinSplit, anchor, seededBytes(seed, 32))
  const statement = decodeStatement(publicInputs)
  if ('ok' in statement) throw new Error(statement.detail)
  const trace = joinSplitTrace(joinSplit)
  const proof = prove(JOIN_SPLIT_SHAPE, trace, statement, seededBytes(seed + 1, 32))
  const sample = { publicInputs, statement, trace, proof }
  made.set(seed, sample)
  return sample
}
