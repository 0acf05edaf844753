/** Makes proofs in a thread of its own, so that whoever waits for one can do something else. The thread starts with the first. */
import { Worker } from 'node:worker_threads'
import type { JoinSplitPublicInputs } from '../../shielded/join-split/public-inputs.ts'
import type { JoinSplitWitness } from '../../shielded/join-split/witness.ts'
import { proofFailed } from './prover.ts'
import type { ProvingJob, ProvingReply } from './proving-worker.ts'

interface Waiting {
  readonly resolve: (proof: Uint8Array) => void
  readonly reject: (error: Error) => void
}

export class ThreadProver {
  #worker: Worker | null = null
  #number = 0
  readonly #waiting = new Map<number, Waiting>()

  /** As {@link Prover}. */
  readonly prove = (
    witness: JoinSplitWitness,
    publicInputs: JoinSplitPublicInputs,
    randomness: Uint8Array,
  ): Promise<Uint8Array> => {
    const worker = this.#worker ?? this.#start()
    const job: ProvingJob = { number: this.#number++, witness, publicInputs, randomness }
    return new Promise((resolve, reject) => {
      this.#waiting.set(job.number, { resolve, reject })
      // While a proof is under way it keeps the process alive.
      worker.ref()
      worker.postMessage(job)
    })
  }

  #start(): Worker {
    // Compiled it is a .js file beside this one, under the tests the source itself.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./proving-worker.${extension}`, import.meta.url))
    worker.on('message', (reply: ProvingReply) => this.#answer(worker, reply))
    worker.on('error', (error: Error) => this.#fail(worker, error.message))
    worker.on('exit', () => this.#fail(worker, 'its thread ended'))
    worker.unref()
    this.#worker = worker
    return worker
  }

  #answer(worker: Worker, reply: ProvingReply): void {
    const waiting = this.#waiting.get(reply.number)
    this.#waiting.delete(reply.number)
    if (this.#waiting.size === 0) worker.unref()
    if ('proof' in reply) waiting?.resolve(reply.proof)
    else waiting?.reject(proofFailed(reply.code))
  }

  #fail(worker: Worker, why: string): void {
    if (this.#worker === worker) this.#worker = null
    for (const { reject } of this.#waiting.values()) reject(proofFailed(why))
    this.#waiting.clear()
  }

  /** Ends the thread; what is under way is rejected. */
  async close(): Promise<void> {
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }
}
