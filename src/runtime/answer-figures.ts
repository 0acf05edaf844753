/** Measures the figures that go into answers. Everything here was counted or timed; nothing is assumed. */
import type { AnswerFigures } from '../types/ledger-state.ts'
import type { MonotonicMs, RequestKey } from '../types/primitives.ts'
import type { TimedExecution } from './block-executor.ts'

/** Requests remembered: more than can wait at once. */
const REQUESTS_MAX = 100_000
const THROUGHPUT_WINDOW_MS = 10_000

export class AnswerFigureMeter {
  readonly #blockBytesMax: number
  readonly #arrivals = new Map<RequestKey, MonotonicMs>()
  /** Microseconds that judging took, of requests whose verdict is still to come. */
  readonly #judged = new Map<RequestKey, number>()
  readonly #finals: { readonly at: MonotonicMs; readonly count: number }[] = []
  #bytesSinceFinal = 0

  constructor(blockBytesMax: number) {
    this.#blockBytesMax = blockBytesMax
  }

  /** A request came to this node, from a client or from a peer. The first time counts. */
  arrived(requestKey: RequestKey, at: MonotonicMs): void {
    if (!this.#arrivals.has(requestKey)) remember(this.#arrivals, requestKey, at)
  }

  /** Consensus bytes were sent or received. */
  transferred(bytes: number): void {
    this.#bytesSinceFinal += bytes
  }

  /**
   * The figures of every verdict in a block that has just become final, in their order. Called for every block: a
   * request is judged in the block that orders it, and its verdict comes in a later one.
   */
  measure({ executed, executionMs }: TimedExecution, now: MonotonicMs): AnswerFigures[] {
    const { block, changes } = executed
    for (const { requestKey } of changes.judgements) {
      remember(this.#judged, requestKey, (executionMs * 1_000) / changes.judgements.length)
    }
    const count = changes.verdicts.length
    const bytes = this.#bytesSinceFinal
    this.#bytesSinceFinal = 0
    if (count === 0) return []
    const throughputPerSecond = this.#throughput(count, now)
    return changes.verdicts.map(({ requestKey }) => {
      const arrivedAt = this.#arrivals.get(requestKey)
      const judgedUs = this.#judged.get(requestKey)
      this.#arrivals.delete(requestKey)
      this.#judged.delete(requestKey)
      return {
        validationTimeUs: judgedUs === undefined ? 0n : BigInt(Math.max(1, Math.round(judgedUs))),
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

/** Sets an entry; the oldest goes when there are too many. */
function remember<T>(map: Map<RequestKey, T>, requestKey: RequestKey, value: T): void {
  if (map.size >= REQUESTS_MAX) {
    const oldest = map.keys().next().value
    if (oldest !== undefined) map.delete(oldest)
  }
  map.set(requestKey, value)
}
