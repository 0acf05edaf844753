/** The process's clocks. Everything that needs time is handed this; nothing else reads a clock. */
import { asMonotonicMs, asUnixMs, type MonotonicMs, type UnixMs } from '../types/primitives.ts'

export class SystemClock {
  monotonicMs(): MonotonicMs {
    return asMonotonicMs(performance.now())
  }

  unixMs(): UnixMs {
    return asUnixMs(Date.now())
  }

  /** Calls `run` once after `delayMs`; the returned function prevents it. */
  after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  }
}
