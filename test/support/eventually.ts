/** Waiting until an assertion holds, for as long as a loaded machine may need; vitest's own second is too short. */

import { vi } from 'vitest'

/**
 * @param holds throws as long as the condition does not hold; what it threw last is the failure
 * @returns what `holds` gave when it threw no more
 */
export function eventually<T>(holds: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(holds, { timeout: 20_000, interval: 10 })
}
