/** A thread that dies of a proof without bytes, and verifies any other. */
import { parentPort } from 'node:worker_threads'
import type { ProofQuestion } from '../../../src/proofs/proof-worker.ts'
import { unpackStatement } from '../../../src/proofs/statement-bytes.ts'
import { verifyJoinSplit } from '../../../src/shielded/join-split/join-split.ts'

parentPort?.on('message', ({ number, statement }: ProofQuestion) => {
  const { publicInputs, proof } = unpackStatement(statement)
  if (proof.length === 0) throw new Error('this proof kills')
  parentPort?.postMessage({ number, isRight: verifyJoinSplit(publicInputs, proof).ok })
})
