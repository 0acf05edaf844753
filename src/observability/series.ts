/**
 * The series of one metric, by the values of their labels. The library finds a series by a text that it makes of all
 * labels with every count; here a count of consensus costs what it says: one look-up and one addition.
 */

/** Label names with all the values each may have. Never a peer, a hash or a height. */
export type LabelSets = Readonly<Record<string, readonly string[]>>

/** One value for each label. */
export type PlainLabels = Readonly<Record<string, string>>

/** Every combination of the labels' values. */
function combinations(labels: LabelSets): PlainLabels[] {
  return Object.entries(labels).reduce<PlainLabels[]>(
    (rows, [name, values]) => rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))),
    [{}],
  )
}

/** No value of a label has it. */
const SEPARATOR = '\n'

/** All series of a metric, each with its cell; every one exists from the start. */
export class Series<Cell> {
  readonly #names: readonly string[]
  readonly #makeCell: () => Cell
  readonly #cells = new Map<string, { readonly labels: PlainLabels; readonly cell: Cell }>()

  constructor(labels: LabelSets, makeCell: () => Cell) {
    this.#names = Object.keys(labels)
    this.#makeCell = makeCell
    for (const row of combinations(labels)) this.at(row)
  }

  /** The cell of the series with these labels. */
  at(labels: PlainLabels = {}): Cell {
    const key = this.#keyOf(labels)
    let series = this.#cells.get(key)
    if (series === undefined) {
      series = { labels, cell: this.#makeCell() }
      this.#cells.set(key, series)
    }
    return series.cell
  }

  /** In the order in which they came to be. */
  all(): Iterable<{ readonly labels: PlainLabels; readonly cell: Cell }> {
    return this.#cells.values()
  }

  #keyOf(labels: PlainLabels): string {
    const [first, second] = this.#names
    if (first === undefined) return ''
    if (second === undefined) return labels[first] ?? ''
    return this.#names.map((name) => labels[name]).join(SEPARATOR)
  }
}
