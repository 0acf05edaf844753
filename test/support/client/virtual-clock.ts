/** A clock for the client that jumps from timer to timer, so that a call of half a minute takes no time at all. */
import { vi } from 'vitest'
import type { Clock } from '../../../src/client/clock.ts'

interface Timer {
  readonly atMs: number
  readonly fire: () => void
}

export class VirtualClock implements Clock {
  #now = 0
  readonly #timers = new Set<Timer>()

  nowMs(): number {
    return this.#now
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = { atMs: this.#now + ms, fire: resolve }
      const onAbort = (): void => {
        this.#timers.delete(timer)
        reject(signal.reason)
      }
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      this.#timers.add(timer)
    })
  }

  /** Moves time on, from one timer to the next, until the promise is settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = promise.finally(() => {
      isSettled = true
    })
    settled.catch(() => undefined)
    for (;;) {
      // A whole turn of the loop: every promise that can go on has gone on.
      await new Promise((resolve) => setImmediate(resolve))
      // The client loads some of its modules when they are first needed, and that takes no time of this clock.
      await vi.dynamicImportSettled()
      if (isSettled) return settled
      const [next] = [...this.#timers].sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) throw new Error('the call waits for something that is no timer')
      this.#timers.delete(next)
      this.#now = next.atMs
      next.fire()
    }
  }
}
