/**
 * Typed handles over prom-client: a metric is declared with its labels' closed sets of values, and only those
 * values compile. Every series of a counter or gauge exists at zero from the start, so that a rate over it is
 * right from the first scrape. What is counted between two scrapes waits in plain numbers and is handed over in one go:
 * the library looks up every value by its labels' text, which costs several times what it counts. Knows no metric of
 * ours; metrics.ts declares them.
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

/** Observations of one series that wait at most, so that they are bounded where nobody scrapes. */
const WAITING_MAX = 256

/** The series of a metric: every combination of its labels' values, in an order that needs no look-up by text. */
class Rows {
  readonly all: readonly PlainLabels[]
  readonly #labels: readonly (readonly [name: string, values: readonly string[]])[]

  constructor(labels: LabelSets) {
    this.#labels = Object.entries(labels)
    this.all = this.#labels.reduce<PlainLabels[]>(
      (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
      [{}],
    )
  }

  /** Where in {@link all} the series of these labels is; null for a value that was not declared, as the types permit none. */
  at(labels: PlainLabels | undefined): number | null {
    let at = 0
    for (const [name, values] of this.#labels) {
      const value = values.indexOf(labels?.[name] ?? '')
      if (value < 0) return null
      at = at * values.length + value
    }
    return at
  }
}

/** Buckets in seconds: from what a hash costs to what an operator calls an outage. */
export const SECONDS_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** One process's metrics. Names get the prefix `hypermesh_` unless they are declared with another. */
export class MetricRegistry {
  readonly #registry = new Registry()

  counter<const L extends LabelSets>(name: string, help: string, labels: L): CounterHandle<L> {
    const rows = new Rows(labels)
    const pending = rows.all.map(() => 0)
    const counter = new Counter({
      ...this.#options(name, help, labels),
      collect: () => {
        for (const [i, row] of rows.all.entries()) {
          if (pending[i] !== 0) counter.inc(row, pending[i])
          pending[i] = 0
        }
      },
    })
    for (const row of rows.all) counter.inc(row, 0)
    return {
      add: (amount, labels?: PlainLabels) => {
        const at = rows.at(labels)
        // The library has the words for what is no amount, and room for a series that was not declared.
        if (at === null || !Number.isFinite(amount) || amount < 0) counter.inc(labels ?? {}, amount)
        else pending[at] = (pending[at] ?? 0) + amount
      },
    }
  }

  gauge<const L extends LabelSets>(name: string, help: string, labels: L): GaugeHandle<L> {
    const rows = new Rows(labels)
    const values = rows.all.map(() => 0)
    const gauge = new Gauge({
      ...this.#options(name, help, labels),
      collect: () => {
        for (const [i, row] of rows.all.entries()) gauge.set(row, values[i] ?? 0)
      },
    })
    return {
      set: (value, labels?: PlainLabels) => {
        const at = rows.at(labels)
        if (at === null || typeof value !== 'number') gauge.set(labels ?? {}, value)
        else values[at] = value
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
    const rows = new Rows(labels)
    const waiting = rows.all.map((): number[] => [])
    const handOver = (): void => {
      for (const [i, row] of rows.all.entries()) {
        for (const value of waiting[i]?.splice(0) ?? []) histogram.observe(row, value)
      }
    }
    const histogram = new Histogram({
      ...this.#options(name, help, labels),
      buckets: [...buckets],
      collect: handOver,
    })
    for (const row of rows.all) histogram.zero(row)
    return {
      observe: (value, labels?: PlainLabels) => {
        const at = rows.at(labels)
        const values = at === null || !Number.isFinite(value) ? undefined : waiting[at]
        if (values === undefined) histogram.observe(labels ?? {}, value)
        else if (values.push(value) === WAITING_MAX) handOver()
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
