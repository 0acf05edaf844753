/** Says in the log that a node is not ready when that lasts, and that it is again. Nothing else says it at that level. */
import type { Logger } from '../types/logger.ts'
import type { MonotonicMs } from '../types/primitives.ts'
import type { Check } from './readiness.ts'

/** A start takes seconds, and so does a peer that restarts. */
export const SAY_NOT_READY_AFTER_MS = 15_000

export class ReadinessLog {
  readonly #logger: Logger
  readonly #now: () => MonotonicMs
  #failingSince: MonotonicMs | null = null
  #isSaid = false

  constructor(logger: Logger, now: () => MonotonicMs) {
    this.#logger = logger
    this.#now = now
  }

  /** Looked at now and then. @param checks all of them, as they are now */
  observe(checks: readonly Check[]): void {
    const failing = checks.filter(({ ok }) => !ok)
    if (failing.length === 0) {
      if (this.#isSaid) this.#logger.info({ forSeconds: this.#lastedSeconds() }, 'ready again')
      this.#failingSince = null
      this.#isSaid = false
      return
    }
    this.#failingSince ??= this.#now()
    if (this.#isSaid || this.#now() - this.#failingSince < SAY_NOT_READY_AFTER_MS) return
    this.#isSaid = true
    this.#logger.warn(
      {
        forSeconds: this.#lastedSeconds(),
        because: failing.map(({ name, reason }) => `${name}: ${reason}`),
        fix: 'look at /readyz?verbose of the public API, or at "hypermesh status" and "hypermesh peers"',
      },
      'not ready',
    )
  }

  #lastedSeconds(): number {
    return Math.round((this.#now() - (this.#failingSince ?? this.#now())) / 1_000)
  }
}
