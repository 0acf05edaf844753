/**
 * Typed handles over prom-client: a metric is declared with its labels' closed sets of values, and only those
 * values compile. Every series of a counter or gauge exists at zero from the start, so that a rate over it is
 * right from the first scrape. Knows no metric of ours; metrics.ts declares them.
 */

import { Counter, Gauge, type Metric, Registry } from 'prom-client'
import { HistogramCell } from './histogram.ts'
import { type LabelSets, type PlainLabels, Series } from './series.ts'

export type { LabelSets } from './series.ts'

/** One value for each label. */
export type LabelsOf<L extends LabelSets> = { readonly [Name in keyof L]: L[Name][number] }

/** The labels come last, and only where there are any. */
type LabelArguments<L extends LabelSets> = keyof L extends never ? [] : [labels: LabelsOf<L>]

export interface CounterHandle<L extends LabelSets> {
  /** Adds `amount` ≥ 0. */
  add(amount: number, ...labels: LabelArguments<L>): void
}

export interface GaugeHandle<L extends LabelSets> {
  set(value: number, ...labels: LabelArguments<L>): void
}

export interface HistogramHandle<L extends LabelSets> {
  observe(value: number, ...labels: LabelArguments<L>): void
}

/** Buckets in seconds: from what a hash costs to what an operator calls an outage. */
export const SECONDS_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** One process's metrics. Names get the prefix `hypermesh_` unless they are declared with another. */
export class MetricRegistry {
  readonly #registry = new Registry()

  counter<const L extends LabelSets>(name: string, help: string, labels: L): CounterHandle<L> {
    const series = new Series(labels, () => ({ value: 0 }))
    new Counter({
      ...this.#options(name, help, labels),
      collect: function (this: Counter) {
        this.reset()
        for (const { labels: row, cell } of series.all()) this.inc({ ...row }, cell.value)
      },
    })
    return {
      add: (amount, row?: PlainLabels) => {
        if (!Number.isFinite(amount) || amount < 0) throw new RangeError(`${name} cannot grow by ${amount}`)
        series.at(row).value += amount
      },
    }
  }

  gauge<const L extends LabelSets>(name: string, help: string, labels: L): GaugeHandle<L> {
    const series = new Series(labels, () => ({ value: 0 }))
    new Gauge({
      ...this.#options(name, help, labels),
      collect: function (this: Gauge) {
        for (const { labels: row, cell } of series.all()) this.set({ ...row }, cell.value)
      },
    })
    return {
      set: (value, row?: PlainLabels) => {
        series.at(row).value = value
      },
    }
  }

  /** A gauge without labels that is read when somebody looks. */
  measured(name: string, help: string, read: () => number): void {
    new Gauge({
      ...this.#options(name, help, {}),
      collect: function (this: Gauge) {
        this.set(read())
      },
    })
  }

  /** A counter whose total the system keeps, read when somebody looks. */
  measuredTotal(name: string, help: string, read: () => number): void {
    new Counter({
      ...this.#options(name, help, {}),
      collect: function (this: Counter) {
        this.reset()
        this.inc(read())
      },
    })
  }

  histogram<const L extends LabelSets>(
    name: string,
    help: string,
    labels: L,
    buckets: readonly number[] = SECONDS_BUCKETS,
  ): HistogramHandle<L> {
    const series = new Series(labels, () => new HistogramCell(buckets))
    const metric = {
      name,
      get: () =>
        Promise.resolve({
          name,
          help,
          type: 'histogram',
          aggregator: 'sum',
          values: [...series.all()].flatMap(({ labels: row, cell }) => cell.samples(name, row)),
        }),
    }
    // All that the registry asks of a metric.
    this.#registry.registerMetric(metric as unknown as Metric<string>)
    return {
      observe: (value, row?: PlainLabels) => {
        if (!Number.isFinite(value)) throw new RangeError(`${name} cannot take ${value}`)
        series.at(row).observe(value)
      },
    }
  }

  /** A series that is always 1 and says in its labels what runs here. */
  info(name: string, help: string, labels: PlainLabels): void {
    const sets = Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, [value]]))
    new Gauge(this.#options(name, help, sets)).set(labels, 1)
  }

  /** The text exposition format, version 0.0.4. */
  render(): Promise<string> {
    return this.#registry.metrics()
  }

  #options(name: string, help: string, labels: LabelSets) {
    return { name, help, labelNames: Object.keys(labels), registers: [this.#registry] }
  }
}
