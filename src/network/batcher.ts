/**
 * Gathers transactions into batches: sent at once when nothing was sent lately, else after some milliseconds or
 * when the batch is full. It keeps order and drops nothing; how a batch is sent is the caller's matter.
 */

import { FRAME_HEADER_BYTES } from './frames.ts'
import { BATCH_BYTES_TARGET, BATCH_TRANSACTIONS_MAX } from './topics.ts'

/**
 * At most one batch per so many milliseconds. A message costs each node some 300 microseconds whatever it holds,
 * so under load a short wait buys much capacity; whoever comes after a pause does not wait at all.
 */
export const BATCH_INTERVAL_MS = 16

/** The batcher. */
export class TransactionBatcher {
  readonly #send: (batch: readonly Uint8Array[]) => void
  readonly #now: () => number
  #batch: Uint8Array[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #sentAtMs = Number.NEGATIVE_INFINITY

  /** @param send called with 1 to `BATCH_TRANSACTIONS_MAX` transactions; must not throw */
  constructor(send: (batch: readonly Uint8Array[]) => void, now: () => number = () => performance.now()) {
    this.#send = send
    this.#now = now
  }

  /** Takes transactions in order. */
  add(transactions: readonly Uint8Array[]): void {
    for (const transaction of transactions) {
      const size = FRAME_HEADER_BYTES + transaction.byteLength
      if (this.#batch.length > 0 && this.#bytes + size > BATCH_BYTES_TARGET) this.flush()
      this.#batch.push(transaction)
      this.#bytes += size
      if (this.#batch.length === BATCH_TRANSACTIONS_MAX) this.flush()
    }
    if (this.#batch.length === 0) return
    if (this.#timer !== undefined) return
    const waitMs = this.#sentAtMs + BATCH_INTERVAL_MS - this.#now()
    if (waitMs <= 0) this.flush()
    else this.#timer = setTimeout(() => this.flush(), waitMs)
  }

  /** Sends what has gathered. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#bytes = 0
    this.#sentAtMs = this.#now()
    this.#send(batch)
  }

  /** Forgets what has gathered. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#batch = []
    this.#bytes = 0
  }
}
