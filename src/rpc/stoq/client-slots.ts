/** How many of something each client has open, and all together: a client is who the rate is counted for. */
import { isLoopback, limitKey } from '../client-limiter.ts'

export interface SlotLimits {
  readonly remote: number
  /** A CA on this machine is one client for all its customers. */
  readonly loopback: number
  readonly all: number
}

export class ClientSlots {
  readonly #limits: SlotLimits
  readonly #taken = new Map<string, number>()
  #all = 0

  constructor(limits: SlotLimits) {
    this.#limits = limits
  }

  /** Taken by all. */
  get size(): number {
    return this.#all
  }

  /** @returns false: this client, or all, have as many as there may be */
  take(client: string): boolean {
    const key = limitKey(client)
    const taken = this.#taken.get(key) ?? 0
    const max = isLoopback(client) ? this.#limits.loopback : this.#limits.remote
    if (taken >= max || this.#all >= this.#limits.all) return false
    this.#taken.set(key, taken + 1)
    this.#all += 1
    return true
  }

  /** Once for each one taken. */
  giveBack(client: string): void {
    const key = limitKey(client)
    const taken = this.#taken.get(key) ?? 0
    this.#all -= 1
    if (taken <= 1) this.#taken.delete(key)
    else this.#taken.set(key, taken - 1)
  }
}
