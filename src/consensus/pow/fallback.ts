/**
 * When a BFT network mines: rules F1 and F2 of README.md. It watches what became final and nothing else; it can
 * neither see nor change a view, a vote, a lock or a timeout.
 */
import type { MonotonicMs } from '../../types/primitives.ts'

/** What follows: mine or do not, and when to ask again. */
export interface FallbackDecision {
  readonly isMiningWanted: boolean
  /** Milliseconds; null when only a final block changes anything. */
  readonly askAgainMs: number | null
}

export class Fallback {
  readonly #afterMs: number
  #quietSince: MonotonicMs

  /**
   * @param afterMs genesis: without a final block for so long there is taken to be no quorum. Longer than the
   *   heartbeat and the longest view timer together, or an idle network would mine
   */
  constructor(afterMs: number, now: MonotonicMs) {
    this.#afterMs = afterMs
    this.#quietSince = now
  }

  /** A block became final here. */
  finalMoved(now: MonotonicMs): void {
    this.#quietSince = now
  }

  decide(now: MonotonicMs): FallbackDecision {
    const leftMs = this.#quietSince + this.#afterMs - now
    return leftMs > 0
      ? { isMiningWanted: false, askAgainMs: leftMs }
      : { isMiningWanted: true, askAgainMs: null }
  }
}
