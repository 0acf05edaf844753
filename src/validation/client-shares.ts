/** How many of something there may be at once, in all and of one client. Counts; what is counted is the caller's. */
import { clientKey, isLoopback } from './client-key.ts'

/** Bounds of one kind of thing. */
export interface ShareLimits {
  readonly allMax: number
  readonly perClientMax: number
  /** Of one on this machine, which speaks for everybody behind it. Absent: it may have all there is. */
  readonly loopbackMax?: number
}

/** Which bound is reached. */
export type ShareRefusal = 'client' | 'node'

export class ClientShares {
  readonly #limits: ShareLimits
  readonly #byClient = new Map<string, number>()
  #all = 0

  constructor(limits: ShareLimits) {
    this.#limits = limits
  }

  /** Why one more of this client's does not fit, or null. */
  refusal(client: string): ShareRefusal | null {
    const { allMax, perClientMax, loopbackMax = allMax } = this.#limits
    if (this.#all >= allMax) return 'node'
    const max = isLoopback(client) ? loopbackMax : perClientMax
    return (this.#byClient.get(clientKey(client)) ?? 0) >= max ? 'client' : null
  }

  /** Counts one more, which must fit. */
  add(client: string): void {
    const key = clientKey(client)
    this.#byClient.set(key, (this.#byClient.get(key) ?? 0) + 1)
    this.#all += 1
  }

  /** Counts one more if it fits. @returns which bound is reached when it does not, else null */
  take(client: string): ShareRefusal | null {
    const refusal = this.refusal(client)
    if (refusal === null) this.add(client)
    return refusal
  }

  /** Takes back one that was added. */
  remove(client: string): void {
    const key = clientKey(client)
    const left = (this.#byClient.get(key) ?? 1) - 1
    if (left <= 0) this.#byClient.delete(key)
    else this.#byClient.set(key, left)
    this.#all -= 1
  }

  get all(): number {
    return this.#all
  }
}
