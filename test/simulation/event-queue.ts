/** What is to happen, in order of simulated time; at equal times in order of scheduling. A binary heap. */
interface Occurrence {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class EventQueue {
  readonly #heap: Occurrence[] = []
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  /** Time of the next occurrence, or Infinity. */
  get nextAtMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  push(atMs: number, run: () => void): void {
    const entry = { atMs, order: this.#order++, run }
    const heap = this.#heap
    let i = heap.push(entry) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!isBefore(entry, heap[parent] as Occurrence)) break
      heap[i] = heap[parent] as Occurrence
      i = parent
    }
    heap[i] = entry
  }

  /** Takes the next occurrence out. The queue is not empty. */
  pop(): Occurrence {
    const heap = this.#heap
    const top = heap[0] as Occurrence
    const last = heap.pop() as Occurrence
    if (heap.length === 0) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Occurrence, heap[child] as Occurrence)) {
        child++
      }
      if (!isBefore(heap[child] as Occurrence, last)) break
      heap[i] = heap[child] as Occurrence
      i = child
    }
    heap[i] = last
    return top
  }
}

function isBefore(a: Occurrence, b: Occurrence): boolean {
  return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs
}
