/** So many at once under one name: the others wait in the order in which they came, and no name waits for another. */

interface Line {
  running: number
  readonly waiting: (() => void)[]
}

export class Turns {
  readonly #atOnceMax: number
  readonly #lines = new Map<string, Line>()

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax
  }

  /** @returns null when it is one's turn at once; else resolves when it is. Whoever has had it calls {@link give} */
  take(name: string): Promise<void> | null {
    const line = this.#lines.get(name) ?? { running: 0, waiting: [] }
    this.#lines.set(name, line)
    if (line.running < this.#atOnceMax) {
      line.running++
      return null
    }
    return new Promise((resolve) => {
      line.waiting.push(resolve)
    })
  }

  /** The turn goes to who waits longest. */
  give(name: string): void {
    const line = this.#lines.get(name)
    if (line === undefined) return
    const next = line.waiting.shift()
    if (next !== undefined) next()
    else if (--line.running === 0) this.#lines.delete(name)
  }
}
