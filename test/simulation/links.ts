/** The links between simulated processes: cut, one way or both, slow, lossy. Times and chances only; no messages. */
import type { Random } from './random.ts'

export interface LinkFaults {
  /** Probability that a message is lost, and that it arrives twice. */
  readonly drop: number
  readonly duplicate: number
  /** Extra delay up to this. */
  readonly delayMaxMs: number
  /** What a slow link adds. */
  readonly slowMs: number
}

/** The network's least delay, and how much more it takes when it is well. */
const DELAY_MIN_MS = 8
const DELAY_SPREAD_MS = 8

export class Links {
  readonly #random: Random
  readonly #faults: LinkFaults
  /** `from>to` by name of process. */
  readonly #cut = new Set<string>()
  readonly #slow = new Set<string>()

  constructor(random: Random, faults: LinkFaults) {
    this.#random = random
    this.#faults = faults
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`)
  }

  /** What `from` says does not reach `to`. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`)
  }

  mend(from: string, to: string): void {
    this.#cut.delete(`${from}>${to}`)
  }

  slow(from: string, to: string): void {
    this.#slow.add(`${from}>${to}`)
  }

  heal(): void {
    this.#cut.clear()
    this.#slow.clear()
  }

  /** Delays of the copies that arrive; none when the message is lost. */
  delays(from: string, to: string, isHealed: boolean, mayRepeat: boolean): number[] {
    const { drop, duplicate, delayMaxMs, slowMs } = this.#faults
    if (this.isCut(from, to)) return []
    const copies = mayRepeat && !isHealed && this.#random.chance(duplicate) ? 2 : 1
    const delays: number[] = []
    for (let i = 0; i < copies; i++) {
      if (!isHealed && this.#random.chance(drop)) continue
      const spreadMs = isHealed ? DELAY_SPREAD_MS : Math.max(DELAY_SPREAD_MS, delayMaxMs)
      const extraMs = this.#slow.has(`${from}>${to}`) ? slowMs : 0
      delays.push(DELAY_MIN_MS + this.#random.next() * spreadMs + extraMs)
    }
    return delays
  }
}
