/**
 * R15: how long to wait in a view. Adapts to the view times that were seen, backs off while views fail.
 * Holds no timer and reads no clock: it is told durations and asked for delays.
 */
import type { ChainParameters } from '../types/genesis.ts'

/** Successful views remembered; at this many a single slow one cannot move the 95th percentile. */
const SAMPLES_MAX = 64
/** Fewer samples than this say nothing: start from the middle of the allowed range. */
const SAMPLES_MIN = 8
/** T = 4 × p95 leaves room for three more delays than a good view takes (R15: T must exceed 3Δ). */
const PERCENTILE_FACTOR = 4
/** Views with ballots whose late votes are remembered. */
const LAGS_MAX = 16
/**
 * A leader's grace is so many times the lag that nine of ten views stayed below. What comes a moment too late for a
 * block costs another whole one; waiting costs only the views in which something is late.
 */
const LAG_FACTOR = 1.5
const LAG_QUANTILE = 0.9
/** From so many transactions in a block on, the next one gathers for as long as ever. */
const FULL_GATHERING = 75
const BACKOFF_BASE = 1.5
const BACKOFF_STEPS_MAX = 6

export class Pacemaker {
  readonly #parameters: ChainParameters
  readonly #samplesMs: number[] = []
  readonly #lagsMs: number[] = []
  /** T without backoff, as of the samples there are; null when a sample came since it was asked for. */
  #lastBaseMs: number | null = null
  #failedViews = 0

  constructor(parameters: ChainParameters) {
    this.#parameters = parameters
  }

  /** A view with work in it ended with a prepare certificate after `durationMs`. */
  viewSucceeded(durationMs: number): void {
    this.#samplesMs.push(durationMs)
    if (this.#samplesMs.length > SAMPLES_MAX) this.#samplesMs.shift()
    this.#lastBaseMs = null
  }

  /** The last ballots of a view came so long after its quorum; 0 when none came later. */
  ballotsLagged(lagMs: number): void {
    this.#lagsMs.push(lagMs)
    if (this.#lagsMs.length > LAGS_MAX) this.#lagsMs.shift()
  }

  /** A view ended with a timeout. */
  viewFailed(): void {
    this.#failedViews++
  }

  /** Something became final: the backoff starts over. */
  finalized(): void {
    this.#failedViews = 0
  }

  /** T: time for a view in which there is something to do, milliseconds. */
  viewTimeoutMs(): number {
    return this.#baseMs() * this.#backoff()
  }

  /** Time for a view whose leader we have no connection to. */
  unreachableLeaderTimeoutMs(): number {
    return Math.min(this.#parameters.unreachableLeaderTimeoutMs, this.#baseMs()) * this.#backoff()
  }

  /**
   * Without work a leader waits this long before it proposes an empty block. Two minimal view timeouts less than
   * the heartbeat: one for a first leader that is dead, one for the votes, so that the heartbeat is kept all the
   * same.
   */
  idleDelayMs(): number {
    return Math.max(0, this.#parameters.heartbeatMs - 2 * this.#parameters.viewTimeoutMinMs)
  }

  /**
   * With nothing new to propose but blocks with transactions that are not final yet: how long their
   * pre-commit votes may take before an empty block is built on them, and as long again what they closed may take to be
   * opened. Both together are less than the shortest T that anybody gives a view.
   */
  unfinalDelayMs(): number {
    return this.#parameters.viewTimeoutMinMs / 4
  }

  /** Little enough to wait for what is nearly there. */
  gatheringMs(): number {
    return this.#parameters.viewTimeoutMinMs / 16
  }

  /**
   * Under load: how long after its beginning a view's proposal leaves. What comes in the meantime shares the cost
   * of one block, its signatures and certificates, instead of paying for a block of its own; so the more come, the longer.
   * A request waits for four blocks, though: more than a quarter of the shortest T saves less than it makes them wait.
   * @param orders transactions of the block before
   */
  gatheringUnderLoadMs(orders: number): number {
    const longestMs = this.#parameters.viewTimeoutMinMs / 4
    return Math.max(this.gatheringMs(), longestMs * Math.min(1, orders / FULL_GATHERING))
  }

  /**
   * How long after a view's beginning its leader waits for ballots that are missing: as long as late ones nearly always
   * took, and no longer than {@link gatheringMs}. 0 as long as hardly any was late.
   */
  graceMs(): number {
    const sorted = [...this.#lagsMs].sort((a, b) => a - b)
    const lagMs = sorted[Math.floor(sorted.length * LAG_QUANTILE)] ?? 0
    return Math.min(this.gatheringMs(), LAG_FACTOR * lagMs)
  }

  #baseMs(): number {
    this.#lastBaseMs ??= this.#baseOfSamplesMs()
    return this.#lastBaseMs
  }

  #baseOfSamplesMs(): number {
    const { viewTimeoutMinMs: min, viewTimeoutMaxMs: max } = this.#parameters
    if (this.#samplesMs.length < SAMPLES_MIN) return Math.sqrt(min * max)
    const sorted = [...this.#samplesMs].sort((a, b) => a - b)
    const p95 = sorted[Math.floor(sorted.length * 0.95)] ?? max
    return Math.min(max, Math.max(min, PERCENTILE_FACTOR * p95))
  }

  #backoff(): number {
    return BACKOFF_BASE ** Math.min(this.#failedViews, BACKOFF_STEPS_MAX)
  }
}
