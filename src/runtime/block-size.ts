/**
 * How many transactions a leader of this node puts into a block at most, so that executing one takes a fraction of a
 * view. A block as large as genesis allows is for machines that can carry it: on a slower one it takes seconds, and a
 * verdict needs three blocks.
 */

/** Fewer say nothing about what one takes: a block costs something by itself. */
const COUNTED_MIN = 16
/** However slow the machine: below this a block's own cost is what counts. */
const COUNT_MIN = 64
/** Weight of the newest block in the mean. */
const NEWEST = 0.2

export class BlockSize {
  readonly #targetMs: number
  readonly #countMax: number
  #eachMs = 0

  /**
   * @param targetMs how long executing a block may take
   * @param countMax transactions of a block by genesis
   */
  constructor(targetMs: number, countMax: number) {
    this.#targetMs = targetMs
    this.#countMax = countMax
  }

  /** A block with so many transactions took so long to execute here. */
  executed(count: number, tookMs: number): void {
    if (count < COUNTED_MIN) return
    const eachMs = tookMs / count
    this.#eachMs = this.#eachMs === 0 ? eachMs : this.#eachMs + NEWEST * (eachMs - this.#eachMs)
  }

  /** Transactions of the next block at most. */
  get max(): number {
    if (this.#eachMs === 0) return this.#countMax
    return Math.min(this.#countMax, Math.max(COUNT_MIN, Math.floor(this.#targetMs / this.#eachMs)))
  }
}
