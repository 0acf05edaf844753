/**
 * A histogram of the exposition format: how many values were at most each bound, their sum and their number. The
 * library's own keeps its buckets under texts, which it makes of a number with every value.
 */

import type { PlainLabels } from './series.ts'

/** The values of one series. */
export class HistogramCell {
  readonly #bounds: readonly number[]
  /** Values above the bound before and not above this one; those above all bounds are in the number alone. */
  readonly #counts: number[]
  #sum = 0
  #count = 0

  /** @param bounds increasing */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  observe(value: number): void {
    this.#sum += value
    this.#count += 1
    const at = this.#bounds.findIndex((bound) => value <= bound)
    if (at !== -1) this.#counts[at] = (this.#counts[at] ?? 0) + 1
  }

  /** Its lines in the exposition. @param name of the metric */
  samples(name: string, sharedLabels: PlainLabels): HistogramSample[] {
    let upTo = 0
    const buckets = this.#bounds.map((le, i) => {
      upTo += this.#counts[i] ?? 0
      return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: upTo }
    })
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { le: '+Inf' }, sharedLabels, value: this.#count },
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: this.#sum },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: this.#count },
    ]
  }
}

/** As the library's registry takes it. */
export interface HistogramSample {
  readonly metricName: string
  readonly labels: { readonly le?: number | string }
  readonly sharedLabels: PlainLabels
  readonly value: number
}
