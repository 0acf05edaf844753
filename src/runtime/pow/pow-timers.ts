/** The engine's named timers: setting one again replaces it, and a replaced timer never fires. */
import type { PowTimerName } from '../../consensus/pow/effect.ts'
import type { PowTimers } from './ports.ts'

export class RealPowTimers implements PowTimers {
  readonly #running = new Map<PowTimerName, NodeJS.Timeout>()
  readonly #onExpired: (timer: PowTimerName) => void

  constructor(onExpired: (timer: PowTimerName) => void) {
    this.#onExpired = onExpired
  }

  set(timer: PowTimerName, delayMs: number): void {
    this.cancel(timer)
    const handle = setTimeout(() => {
      this.#running.delete(timer)
      this.#onExpired(timer)
    }, delayMs)
    this.#running.set(timer, handle)
  }

  cancel(timer: PowTimerName): void {
    clearTimeout(this.#running.get(timer))
    this.#running.delete(timer)
  }
}
