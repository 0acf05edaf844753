/** Bounds the inbound handshakes under way, in total and per address, so that strangers cannot use us up. */

import { ok, type Result, refuse } from '../types/errors.ts'

export class HandshakeLimiter {
  readonly #totalMax: number
  readonly #perAddressMax: number
  readonly #byAddress = new Map<string, number>()
  #total = 0

  constructor(limits: { handshakesInFlightMax: number; handshakesPerAddressMax: number }) {
    this.#totalMax = limits.handshakesInFlightMax
    this.#perAddressMax = limits.handshakesPerAddressMax
  }

  /**
   * Takes a place.
   *
   * @param address an IP address, or another key for what cannot be told apart
   * @returns the function that gives the place back; calling it again does nothing
   */
  enter(address: string): Result<() => void, 'too-many-handshakes'> {
    const here = this.#byAddress.get(address) ?? 0
    if (this.#total >= this.#totalMax) {
      return refuse('too-many-handshakes', `${this.#total} handshakes are under way`)
    }
    if (here >= this.#perAddressMax) {
      return refuse('too-many-handshakes', `${here} handshakes are under way from this address`)
    }
    this.#total += 1
    this.#byAddress.set(address, here + 1)
    let held = true
    return ok(() => {
      if (!held) return
      held = false
      this.#total -= 1
      const left = (this.#byAddress.get(address) ?? 1) - 1
      if (left === 0) this.#byAddress.delete(address)
      else this.#byAddress.set(address, left)
    })
  }
}
