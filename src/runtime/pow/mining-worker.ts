/**
 * The thread that looks for nonces: SHA-256 over a preimage whose last eight bytes run. It knows nothing of
 * blocks. Works in short stretches and looks at a shared counter in between, so that a new job stops it at once.
 */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'

/** What the thread is told; a job ends when the shared counter leaves its number. */
export interface MiningJob {
  readonly number: number
  /** With room for the nonce in its last eight bytes. */
  readonly preimage: Uint8Array
  /** 32 bytes, big endian: a hash at or below it is found. */
  readonly target: Uint8Array
  readonly firstNonce: bigint
}

export interface MiningWorkerData {
  readonly counter: SharedArrayBuffer
  /** 0: as fast as it can. */
  readonly hashesPerSecondMax: number
}

/** Hashes between two looks at the counter: far below a millisecond. */
const STRETCH_HASHES = 256
/** The nonce is a u64 and wraps. */
const NONCES = 1n << 64n

/** What was not used of the rate is kept for so long. */
const RATE_SAVED_MS = 250

function serve(
  port: NonNullable<typeof parentPort>,
  { counter, hashesPerSecondMax }: MiningWorkerData,
): void {
  const current = new Int32Array(counter)
  const rate = new HashRate(hashesPerSecondMax)
  port.on('message', (job: MiningJob) => {
    const nonce = search(job, current, rate)
    if (nonce !== null) port.postMessage({ number: job.number, nonce })
  })
}

/** When the next hash may be made, over all jobs. */
class HashRate {
  readonly #msPerHash: number
  #nextMs = performance.now()

  constructor(hashesPerSecondMax: number) {
    this.#msPerHash = hashesPerSecondMax === 0 ? 0 : 1_000 / hashesPerSecondMax
  }

  /** Milliseconds to wait before the next one. */
  get waitMs(): number {
    return this.#nextMs - performance.now()
  }

  made(hashes: number): void {
    this.#nextMs = Math.max(this.#nextMs, performance.now() - RATE_SAVED_MS) + hashes * this.#msPerHash
  }
}

/** The first nonce from the job's own on that is small enough; null when the job ended before. Blocks its thread. */
function search(
  { number, preimage, target, firstNonce }: MiningJob,
  current: Int32Array,
  rate: HashRate,
): bigint | null {
  const bytes = Buffer.from(preimage)
  const goal = Buffer.from(target)
  let nonce = firstNonce
  while (Atomics.load(current, 0) === number) {
    const { waitMs } = rate
    if (waitMs > 1) {
      // Sleeps until it is time, or until the counter moves.
      Atomics.wait(current, 0, number, waitMs)
      continue
    }
    for (let i = 1; i <= STRETCH_HASHES; i++) {
      bytes.writeBigUInt64LE(nonce, bytes.length - 8)
      if (createHash('sha256').update(bytes).digest().compare(goal) <= 0) {
        rate.made(i)
        return nonce
      }
      nonce = (nonce + 1n) % NONCES
    }
    rate.made(STRETCH_HASHES)
  }
  return null
}

if (parentPort !== null) serve(parentPort, workerData as MiningWorkerData)
