/**
 * fdatasync where it is shortest. On a disk that confirms in a fraction of a millisecond the trip through the thread pool
 * and back takes several times as long as the disk, and every vote waits for it twice a view; so it is done here and now.
 * On any other disk it is left to the pool, and tried here now and then, in case it has become fast.
 */

/** A sync that takes longer must not hold up the loop; on a busy machine a fast disk seems slower than it is. */
const NEAR_MS = 3
/** Weight of the newest in the mean. */
const NEWEST = 0.1
/** While they are slow, one of so many is made here. */
const TRIED = 64

export interface NearSyncOptions {
  /** fdatasync, now. */
  readonly here: () => void
  /** fdatasync by the thread pool. */
  readonly away: () => Promise<void>
  /** Milliseconds, monotonic. */
  readonly nowMs: () => number
}

export class NearSync {
  readonly #options: NearSyncOptions
  #meanMs = 0
  #awayCount = 0

  constructor(options: NearSyncOptions) {
    this.#options = options
  }

  /** Resolves when the contents are durable; rejects with what the system said. */
  async sync(): Promise<void> {
    if (this.#meanMs > NEAR_MS && ++this.#awayCount % TRIED !== 0) return await this.#options.away()
    const { here, nowMs } = this.#options
    const before = nowMs()
    here()
    const tookMs = nowMs() - before
    // A try that was fast counts for all: the mean is of the time before.
    if (this.#meanMs > NEAR_MS && tookMs <= NEAR_MS) this.#meanMs = tookMs
    else this.#meanMs += NEWEST * (tookMs - this.#meanMs)
  }
}
