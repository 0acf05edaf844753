/** What a person sees on a terminal while a wallet reads or proves; elsewhere nothing. */
import { LiveLines } from '../local-network/live-lines.ts'

const BAR_CHARACTERS = 24
const TICK_MS = 100

/** `[######..................]  25 %  64 of 256`. */
export function barText(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(share * BAR_CHARACTERS)
  const bar = '#'.repeat(filled).padEnd(BAR_CHARACTERS, '.')
  return `[${bar}] ${String(Math.floor(100 * share)).padStart(3)} %  ${done} of ${total}`
}

/** One line on standard error that changes. */
export class Progress {
  readonly #lines: LiveLines | null
  #ticking: NodeJS.Timeout | null = null

  constructor(output: { readonly isTTY?: boolean; write(text: string): unknown } = process.stderr) {
    this.#lines = output.isTTY === true ? new LiveLines(output) : null
  }

  /** How much of something is done. */
  bar(what: string, done: number, total: number): void {
    this.#stopTicking()
    this.#lines?.status(`${what} ${barText(done, total)}`, performance.now())
  }

  /** Something goes on whose end nobody knows. */
  busy(what: string): void {
    this.#stopTicking()
    if (this.#lines === null) return
    const lines = this.#lines
    const startedAt = performance.now()
    const tick = () => {
      const now = performance.now()
      lines.status(`${what} ${((now - startedAt) / 1_000).toFixed(1)} s`, now)
    }
    tick()
    this.#ticking = setInterval(tick, TICK_MS)
    this.#ticking.unref()
  }

  #stopTicking(): void {
    if (this.#ticking !== null) clearInterval(this.#ticking)
    this.#ticking = null
  }

  /** The line goes away. */
  done(): void {
    this.#stopTicking()
    this.#lines?.clear()
  }
}
