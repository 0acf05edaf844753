/** Waiting for a condition, not for a time. The end-to-end tests and the torture run use nothing else. */

const POLL_MS = 20

/**
 * Asks again and again until the answer is neither false, null nor undefined. A condition that throws does not hold
 * yet; what it threw last is told when time is up.
 * @param deadlineMs for a hang, not for a result
 * @param what the sentence that fails: `never: …`
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  deadlineMs: number,
  what: string | (() => string),
): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + deadlineMs
  for (;;) {
    let failure: unknown
    try {
      const held = await condition()
      if (held !== false && held !== null && held !== undefined) {
        return held as Exclude<T, false | null | undefined>
      }
    } catch (error) {
      failure = error
    }
    if (performance.now() > end) {
      const text = typeof what === 'string' ? what : what()
      throw new Error(`never within ${deadlineMs} ms: ${text}`, { cause: failure })
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
