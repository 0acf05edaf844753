/**
 * S0, the barrier: what is put in here leaves in order, and nothing before the records that were appended
 * ahead of it are durable. There is no way around it: the transport is handed to nobody else.
 */
import type { SafetyLogPort } from './ports.ts'

interface Held {
  /** Number of records that must be durable before this may run. */
  readonly after: number
  readonly run: () => void
}

export class DurableOutbox {
  readonly #log: SafetyLogPort
  readonly #onFatal: (error: unknown) => void
  readonly #held: Held[] = []
  #appended = 0
  #durable = 0
  /** The write that runs, or that failed: after it there is none. */
  #flushing: Promise<void> | null = null

  /** @param onFatal a record could not be made durable: the process must stop */
  constructor(log: SafetyLogPort, onFatal: (error: unknown) => void) {
    this.#log = log
    this.#onFatal = onFatal
  }

  /** Appends a record. Everything that is put in later waits for it. */
  append(record: Uint8Array): void {
    this.#log.append(record)
    this.#appended++
  }

  /** Runs at once when nothing is waiting to become durable, else as soon as it is. */
  afterDurable(run: () => void): void {
    if (this.#held.length === 0 && this.#durable === this.#appended) run()
    else this.#held.push({ after: this.#appended, run })
  }

  /** Makes what was appended durable, one write for all of it (group commit). */
  flush(): void {
    if (this.#flushing !== null || this.#durable === this.#appended) return
    const upTo = this.#appended
    this.#flushing = this.#log.flush().then(
      () => this.#flushed(upTo),
      (error: unknown) => this.#onFatal(error),
    )
  }

  /** Resolves when nothing is held back any more, or never will leave. */
  async settled(): Promise<void> {
    for (let write: Promise<void> | null = null; this.#flushing !== write; ) {
      write = this.#flushing
      await write
    }
  }

  #flushed(upTo: number): void {
    this.#flushing = null
    this.#durable = upTo
    while (this.#held[0] !== undefined && this.#held[0].after <= this.#durable) this.#held.shift()?.run()
    this.flush()
  }
}
