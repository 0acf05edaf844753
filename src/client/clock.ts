/** The client's time and chance as ports, so that tests own both. */

/** Monotonic time. */
export interface Clock {
  nowMs(): number
  /** Resolves after `ms`, or rejects with the signal's reason when that comes first. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** From 0 (included) to 1 (excluded). */
export type Random = () => number

/** The clock of every JavaScript host. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = (): void => {
        clearTimeout(timer)
        reject(signal.reason)
      }
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal.addEventListener('abort', onAbort, { once: true })
    }),
}

/** `work`, or a rejection with the signal's reason: what does not listen to its signal holds nobody up. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
