/** Accepts each stream counter once, in nearly any order (RFC 4303 §3.4.3): a bitmap behind the highest. */

/**
 * How far behind the highest counter one may arrive. QUIC keeps at most 256 streams open at once here, so
 * none that is not a replay can be 1,024 late.
 */
export const COUNTER_WINDOW = 1_024

export class CounterWindow {
  readonly #seen = new Uint8Array(COUNTER_WINDOW)
  #highest = -1

  /** @returns false when the counter was accepted before, or is too old to tell */
  accept(counter: number): boolean {
    if (!Number.isSafeInteger(counter) || counter < 0) return false
    if (counter <= this.#highest - COUNTER_WINDOW) return false
    if (counter > this.#highest) {
      const skipped = Math.min(counter - this.#highest, COUNTER_WINDOW)
      for (let back = 0; back < skipped; back += 1) this.#seen[(counter - back) % COUNTER_WINDOW] = 0
      this.#highest = counter
    }
    const slot = counter % COUNTER_WINDOW
    if (this.#seen[slot] === 1) return false
    this.#seen[slot] = 1
    return true
  }
}
