/** Measures the figures that go into answers. Everything here was counted or timed; nothing is assumed. */
import type { AnswerFigures } from '../types/ledger-state.ts'
import type { MonotonicMs, RequestKey } from '../types/primitives.ts'
import type { TimedExecution } from './block-executor.ts'

/** Arrivals remembered: more requests than can wait at once. */
const ARRIVALS_MAX = 100_000
const THROUGHPUT_WINDOW_MS = 10_000

export class AnswerFigureMeter {
  readonly #blockBytesMax: number
  readonly #arrivals = new Map<RequestKey, MonotonicMs>()
  readonly #finals: { readonly at: MonotonicMs; readonly count: number }[] = []
  #bytesSinceFinal = 0

  constructor(blockBytesMax: number) {
    this.#blockBytesMax = blockBytesMax
  }

  /** A request came to this node, from a client or from a peer. The first time counts. */
  arrived(requestKey: RequestKey, at: MonotonicMs): void {
    if (this.#arrivals.has(requestKey)) return
    if (this.#arrivals.size >= ARRIVALS_MAX) {
      const oldest = this.#arrivals.keys().next().value
      if (oldest !== undefined) this.#arrivals.delete(oldest)
    }
    this.#arrivals.set(requestKey, at)
  }

  /** Consensus bytes were sent or received. */
  transferred(bytes: number): void {
    this.#bytesSinceFinal += bytes
  }

  /** The figures of every verdict in a block that has just become final, in their order. */
  measure(execution: TimedExecution, now: MonotonicMs): AnswerFigures[] {
    const { block, changes } = execution.executed
    const count = changes.verdicts.length
    const bytes = this.#bytesSinceFinal
    this.#bytesSinceFinal = 0
    if (count === 0) return []
    const throughputPerSecond = this.#throughput(count, now)
    return changes.verdicts.map(({ requestKey }) => {
      const arrivedAt = this.#arrivals.get(requestKey)
      this.#arrivals.delete(requestKey)
      return {
        validationTimeUs: BigInt(Math.max(1, Math.round((execution.executionMs * 1_000) / count))),
        consensusLatencyMs: BigInt(arrivedAt === undefined ? 0 : Math.round(now - arrivedAt)),
        throughputPerSecond,
        networkOverheadBytes: BigInt(Math.round(bytes / count)),
        networkLoad: Math.min(1, block.bytes.length / this.#blockBytesMax),
      }
    })
  }

  #throughput(count: number, now: MonotonicMs): number {
    this.#finals.push({ at: now, count })
    while (this.#finals[0] !== undefined && now - this.#finals[0].at > THROUGHPUT_WINDOW_MS)
      this.#finals.shift()
    const total = this.#finals.reduce((sum, final) => sum + final.count, 0)
    return total / (THROUGHPUT_WINDOW_MS / 1_000)
  }
}
