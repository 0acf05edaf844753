/** Looks for nonces in a thread of its own, so that mining never delays a message. One job at a time. */
import { randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { NONCE_BYTES, sealPreimage } from '../../codec/pow.ts'
import { knownTarget } from '../../consensus/pow/retarget.ts'
import type { HashedBlock } from '../../types/block.ts'
import type { MiningJob, MiningWorkerData } from './mining-worker.ts'
import type { MinerPort } from './ports.ts'

export interface ThreadMinerOptions {
  /** 0: as fast as one core can. */
  readonly hashesPerSecondMax: number
  /** The thread died: nothing is mined any more. */
  readonly onFailure: (error: Error) => void
}

export class ThreadMiner implements MinerPort {
  readonly #worker: Worker
  readonly #current: Int32Array
  #number = 0
  #found: ((nonce: bigint) => void) | null = null

  constructor({ hashesPerSecondMax, onFailure }: ThreadMinerOptions) {
    const counter = new SharedArrayBuffer(4)
    this.#current = new Int32Array(counter)
    const workerData: MiningWorkerData = { counter, hashesPerSecondMax }
    // Compiled it is a .js file beside this one, under the tests the source itself.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`./mining-worker.${extension}`, import.meta.url), { workerData })
    this.#worker.on('message', ({ number, nonce }: { number: number; nonce: bigint }) => {
      if (number !== this.#number) return
      const found = this.#found
      this.#found = null
      found?.(nonce)
    })
    this.#worker.on('error', onFailure)
    this.#worker.unref()
  }

  mine(block: HashedBlock, bits: number, found: (nonce: bigint) => void): void {
    this.stop()
    this.#found = found
    const target = Buffer.from(knownTarget(bits).toString(16).padStart(64, '0'), 'hex')
    // Miners that build the same block must not try the same nonces.
    const firstNonce = randomBytes(NONCE_BYTES).readBigUInt64LE()
    const job: MiningJob = {
      number: this.#number,
      preimage: sealPreimage(block.hash, { bits, nonce: 0n }),
      target,
      firstNonce,
    }
    this.#worker.postMessage(job)
  }

  stop(): void {
    this.#found = null
    this.#number = (this.#number + 1) | 0
    Atomics.store(this.#current, 0, this.#number)
    Atomics.notify(this.#current, 0)
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.stop()
    await this.#worker.terminate()
  }
}
