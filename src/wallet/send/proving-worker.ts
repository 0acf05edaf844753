/** The thread that makes proofs, one after the other; what it is told of notes it forgets with each. */
import { hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { useSha256 } from '../../shielded/hash/sha256.ts'
import { proveJoinSplit } from '../../shielded/join-split/join-split.ts'
import type { JoinSplitPublicInputs } from '../../shielded/join-split/public-inputs.ts'
import type { JoinSplitWitness } from '../../shielded/join-split/witness.ts'

/** What the thread is told. */
export interface ProvingJob {
  readonly number: number
  readonly witness: JoinSplitWitness
  readonly publicInputs: JoinSplitPublicInputs
  readonly randomness: Uint8Array
}

/** What it answers: the proof, or the code of why there is none. */
export type ProvingReply =
  | { readonly number: number; readonly proof: Uint8Array }
  | { readonly number: number; readonly code: string }

function serve(port: NonNullable<typeof parentPort>): void {
  useSha256((bytes) => hash('sha256', bytes, 'buffer'))
  port.on('message', ({ number, witness, publicInputs, randomness }: ProvingJob) => {
    const proof = proveJoinSplit(witness, publicInputs, randomness)
    const reply: ProvingReply = proof.ok ? { number, proof: proof.value } : { number, code: proof.code }
    port.postMessage(reply)
  })
}

if (parentPort !== null) serve(parentPort)
