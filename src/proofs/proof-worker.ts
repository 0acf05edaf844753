/** The thread that verifies proofs, one after the other as they come. It knows nothing of blocks, peers or verdicts. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { verifyJoinSplit } from '../shielded/join-split/join-split.ts'
import { useNativeSha256 } from './native-sha256.ts'
import { unpackStatement } from './statement-bytes.ts'

/** What the thread is told. */
export interface ProofQuestion {
  readonly number: number
  /** statement-bytes.ts; it is the thread's from here on. */
  readonly statement: ArrayBuffer
}

/** What it answers. */
export interface ProofAnswer {
  readonly number: number
  readonly isRight: boolean
}

function serve(port: MessagePort): void {
  useNativeSha256()
  port.on('message', ({ number, statement }: ProofQuestion) => {
    const { publicInputs, proof } = unpackStatement(statement)
    const answer: ProofAnswer = { number, isRight: verifyJoinSplit(publicInputs, proof).ok }
    port.postMessage(answer)
  })
}

if (parentPort !== null) serve(parentPort)
