/** Counts timeouts by view and stake (R9, R10). First one per sender and view counts. */
import type { Timeout } from '../types/messages.ts'
import type { ValidatorIndex, View } from '../types/primitives.ts'
import type { Electorate } from './validator-set.ts'

export class TimeoutAggregator {
  readonly #electorate: Electorate
  readonly #byView = new Map<View, Map<ValidatorIndex, Timeout>>()

  constructor(electorate: Electorate) {
    this.#electorate = electorate
  }

  has(view: View, voter: ValidatorIndex): boolean {
    return this.#byView.get(view)?.has(voter) ?? false
  }

  /** Counts a timeout whose high view is proven. */
  add(timeout: Timeout): void {
    const timeouts = this.#byView.get(timeout.view) ?? new Map<ValidatorIndex, Timeout>()
    if (!timeouts.has(timeout.voter)) timeouts.set(timeout.voter, timeout)
    this.#byView.set(timeout.view, timeouts)
  }

  weightOf(view: View): bigint {
    return this.#electorate.weightOf(this.#byView.get(view)?.keys() ?? [])
  }

  /** The highest view at or above `from` with weight ≥ A (R9), or null. */
  highestAmplified(from: View): View | null {
    let highest: View | null = null
    for (const view of this.#byView.keys()) {
      if (view < from || (highest !== null && view <= highest)) continue
      if (this.weightOf(view) >= this.#electorate.amplification) highest = view
    }
    return highest
  }

  /** Timeouts of a view in order of sender when their weight is a quorum, else null. */
  quorumOf(view: View): Timeout[] | null {
    const timeouts = this.#byView.get(view)
    if (timeouts === undefined || this.weightOf(view) < this.#electorate.quorum) return null
    return [...timeouts.values()].sort((a, b) => a.voter - b.voter)
  }

  votersOf(view: View): ValidatorIndex[] {
    return [...(this.#byView.get(view)?.keys() ?? [])].sort((a, b) => a - b)
  }

  pruneBelow(view: View): void {
    for (const known of this.#byView.keys()) if (known < view) this.#byView.delete(known)
  }
}
