/** Counts what the validation service answered, for `/consensus/metrics` and for estimates. Holds no request. */
import type { ValidationAnswer } from './answer.ts'

/** `ValidationServiceMetrics` of the historic server (spec/stoq.md 4.4). */
export interface ValidationMetrics {
  /** Validation calls answered. */
  readonly totalRequests: bigint
  /** Answered Valid. */
  readonly successfulValidations: bigint
  /** Answered Invalid or Error. */
  readonly failedValidations: bigint
  /** From a call's arrival to its answer, mean over all calls. */
  readonly avgValidationTimeUs: bigint
  readonly pendingValidations: number
  readonly byzantineFaultsDetected: bigint
  /** Unix milliseconds of the last answer; of the asking while there is none. */
  readonly lastUpdatedUnixMs: number
}

/** Weight of the newest latency in the running mean. */
const LATENCY_WEIGHT = 0.1

export class ValidationCounters {
  #total = 0n
  #valid = 0n
  #failed = 0n
  #timeUs = 0n
  #meanLatencyMs: number | null = null
  #lastUpdatedUnixMs: number | null = null

  /** Running mean from a request's arrival to its verdict; null before the first. */
  get meanLatencyMs(): number | null {
    return this.#meanLatencyMs
  }

  /** Counts one answered call. */
  count(answer: ValidationAnswer, elapsedMs: number, nowUnixMs: number): void {
    this.#total += 1n
    if (answer.result.kind === 'valid') this.#valid += 1n
    else this.#failed += 1n
    this.#timeUs += BigInt(Math.max(0, Math.round(elapsedMs * 1_000)))
    this.#lastUpdatedUnixMs = nowUnixMs
  }

  /** Counts one verdict that this node waited for. */
  countLatency(latencyMs: number): void {
    const mean = this.#meanLatencyMs
    this.#meanLatencyMs = mean === null ? latencyMs : mean + LATENCY_WEIGHT * (latencyMs - mean)
  }

  snapshot(pendingValidations: number, nowUnixMs: number): ValidationMetrics {
    return {
      totalRequests: this.#total,
      successfulValidations: this.#valid,
      failedValidations: this.#failed,
      avgValidationTimeUs: this.#total === 0n ? 0n : this.#timeUs / this.#total,
      pendingValidations,
      // A count of evidence; this protocol version records none (see answer.ts).
      byzantineFaultsDetected: 0n,
      lastUpdatedUnixMs: this.#lastUpdatedUnixMs ?? nowUnixMs,
    }
  }
}
