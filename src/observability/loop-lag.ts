/** Measures how late timers fire, which is how long everything else in this process had to wait. */

const INTERVAL_MS = 100

/** Ten looks a second: they cost nothing, and a stall of any length is seen by the next one. */
export class LoopLag {
  #worstMs = 0
  #last = performance.now()
  readonly #timer = setInterval(() => this.#look(), INTERVAL_MS)

  constructor() {
    this.#timer.unref()
  }

  #look(): void {
    const now = performance.now()
    this.#worstMs = Math.max(this.#worstMs, now - this.#last - INTERVAL_MS)
    this.#last = now
  }

  /** Seconds of the worst delay since the last call. */
  take(): number {
    // A stall that is not over yet has not been looked at by the timer.
    const worstMs = Math.max(this.#worstMs, performance.now() - this.#last - INTERVAL_MS)
    this.#worstMs = 0
    return Math.max(0, worstMs) / 1_000
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
