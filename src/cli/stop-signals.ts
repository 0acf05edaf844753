/** Stopping on request: the first signal asks politely, a second one does not. Used by commands that run on. */

import { constants } from 'node:os'

/** What asks a long-running command to end. */
export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/**
 * One Ctrl+C can arrive more than once: the terminal sends it to every process of the group, and npm and the
 * launcher pass on what they get. A person's second one comes later than this.
 */
const SAME_PRESS_MS = 300

/** Exit code of a process that a signal ended, as a shell would tell it. */
export function exitCodeOf(signal: StopSignal): number {
  return 128 + constants.signals[signal]
}

/**
 * Calls `first` once, and `second` for every signal that is not part of the same press.
 * @returns stops listening
 */
export function onStopSignals(
  signals: readonly StopSignal[],
  first: (signal: StopSignal) => void,
  second: (signal: StopSignal) => void,
): () => void {
  let firstAt: number | undefined
  const listen = (signal: StopSignal): void => {
    const now = performance.now()
    if (firstAt === undefined) {
      firstAt = now
      first(signal)
    } else if (now - firstAt >= SAME_PRESS_MS) {
      second(signal)
    }
  }
  for (const signal of signals) process.on(signal, listen)
  return () => {
    for (const signal of signals) process.removeListener(signal, listen)
  }
}
