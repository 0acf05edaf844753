/**
 * Typed handles over prom-client: a metric is declared with its labels' closed sets of values, and only those
 * values compile. Every series of a counter or gauge exists at zero from the start, so that a rate over it is
 * right from the first scrape. Knows no metric of ours; metrics.ts declares them.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Label names with all the values each may have. Never a peer, a hash or a height. */
export type LabelSets = Readonly<Record<string, readonly string[]>>

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

type PlainLabels = Record<string, string>

/** Every combination of the labels' values. */
function combinations(labels: LabelSets): PlainLabels[] {
  return Object.entries(labels).reduce<PlainLabels[]>(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  )
}

/** Buckets in seconds: from what a hash costs to what an operator calls an outage. */
export const SECONDS_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** One process's metrics. Names get the prefix `hypermesh_` unless they are declared with another. */
export class MetricRegistry {
  readonly #registry = new Registry()

  counter<const L extends LabelSets>(name: string, help: string, labels: L): CounterHandle<L> {
    const counter = new Counter(this.#options(name, help, labels))
    for (const row of combinations(labels)) counter.inc(row, 0)
    return { add: (amount, row?: PlainLabels) => counter.inc(row ?? {}, amount) }
  }

  gauge<const L extends LabelSets>(name: string, help: string, labels: L): GaugeHandle<L> {
    const gauge = new Gauge(this.#options(name, help, labels))
    for (const row of combinations(labels)) gauge.set(row, 0)
    return { set: (value, row?: PlainLabels) => gauge.set(row ?? {}, value) }
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
    const histogram = new Histogram({ ...this.#options(name, help, labels), buckets: [...buckets] })
    for (const row of combinations(labels)) histogram.zero(row)
    return { observe: (value, row?: PlainLabels) => histogram.observe(row ?? {}, value) }
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
