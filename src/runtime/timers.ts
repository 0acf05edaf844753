/** The replica's named timers: setting one again replaces it, and a replaced timer never fires. */
import type { TimerName } from '../consensus/effect.ts'
import type { View } from '../types/primitives.ts'
import type { TimerPort } from './ports.ts'

export class Timers implements TimerPort {
  readonly #running = new Map<TimerName, NodeJS.Timeout>()
  readonly #onExpired: (timer: TimerName, view: View) => void
  readonly #soon = new Set<NodeJS.Immediate>()

  constructor(onExpired: (timer: TimerName, view: View) => void) {
    this.#onExpired = onExpired
  }

  /** @param delayMs fractions are rounded up: a timer that fires early would only be set again */
  set(timer: TimerName, view: View, delayMs: number): void {
    this.cancel(timer)
    const handle = setTimeout(() => {
      this.#running.delete(timer)
      this.#onExpired(timer, view)
    }, Math.ceil(delayMs))
    this.#running.set(timer, handle)
  }

  cancel(timer: TimerName): void {
    clearTimeout(this.#running.get(timer))
    this.#running.delete(timer)
  }

  /** In the turn after next: the network sends at the end of the next one. */
  soon(run: () => void): void {
    this.#immediate(() => this.#immediate(run))
  }

  #immediate(run: () => void): void {
    const handle = setImmediate(() => {
      this.#soon.delete(handle)
      run()
    })
    this.#soon.add(handle)
  }

  stop(): void {
    for (const handle of this.#soon) clearImmediate(handle)
    this.#soon.clear()
    for (const timer of [...this.#running.keys()]) this.cancel(timer)
  }
}
