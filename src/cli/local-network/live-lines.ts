/** Lines that stay and one line that changes: rewritten in place on a terminal, printed now and then elsewhere. */

import { styleText } from 'node:util'

/** How often the changing line is worth a line of its own where it cannot be rewritten. */
const PLAIN_INTERVAL_MS = 10_000

interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export class LiveLines {
  readonly #output: Output
  #isLineOpen = false
  #lastPlainAt = Number.NEGATIVE_INFINITY

  constructor(output: Output = process.stdout) {
    this.#output = output
  }

  /** A line that stays. */
  say(line: string): void {
    this.clear()
    this.#output.write(`${line}\n`)
  }

  /** The line that changes. @param nowMs a clock that only goes forward */
  status(line: string, nowMs: number): void {
    if (this.#output.isTTY === true) {
      this.clear()
      this.#output.write(styleText('dim', line.slice(0, (this.#output.columns ?? 80) - 1)))
      this.#isLineOpen = true
    } else if (nowMs - this.#lastPlainAt >= PLAIN_INTERVAL_MS) {
      this.#output.write(`${line}\n`)
      this.#lastPlainAt = nowMs
    }
  }

  /** Takes the changing line away. */
  clear(): void {
    if (this.#isLineOpen) this.#output.write('\r\u001b[2K')
    this.#isLineOpen = false
  }
}
