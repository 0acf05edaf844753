/**
 * Requests that went into the network and have no verdict yet: who waits for which, found by key and by id, bounded
 * in number and in time. Knows nothing of answers, and never asks the network itself.
 */
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { Hex32, RequestKey } from '../types/primitives.ts'

/** One request under way. Times are of the monotonic clock, milliseconds. */
export interface InFlightRequest {
  readonly requestKey: RequestKey
  readonly requestIdHash: Hex32
  readonly startedAtMs: number
  /** When it was last given to the network. */
  submittedAtMs: number
  /** Called with the verdict, once, in order of arrival. */
  readonly waiters: Set<(verdict: StoredVerdict) => void>
}

/** The table of requests under way. */
export class InFlightRequests {
  readonly #requestsMax: number
  readonly #keepMs: number
  readonly #byKey = new Map<RequestKey, InFlightRequest>()
  readonly #byId = new Map<Hex32, InFlightRequest>()

  /**
   * @param requestsMax requests at once
   * @param keepMs how long a request that nobody waits for any more is remembered for a status call
   */
  constructor(requestsMax: number, keepMs: number) {
    this.#requestsMax = requestsMax
    this.#keepMs = keepMs
  }

  get size(): number {
    return this.#byKey.size
  }

  byKey(requestKey: RequestKey): InFlightRequest | undefined {
    return this.#byKey.get(requestKey)
  }

  /** The first request under way with this id. */
  byId(requestIdHash: Hex32): InFlightRequest | undefined {
    return this.#byId.get(requestIdHash)
  }

  /**
   * Adds a request that is not there yet.
   * @returns null when the table is full of requests that are waited for or recent
   */
  add(requestKey: RequestKey, requestIdHash: Hex32, nowMs: number): InFlightRequest | null {
    if (this.#byKey.size >= this.#requestsMax) this.#forget(nowMs)
    if (this.#byKey.size >= this.#requestsMax) return null
    const request: InFlightRequest = {
      requestKey,
      requestIdHash,
      startedAtMs: nowMs,
      submittedAtMs: nowMs,
      waiters: new Set(),
    }
    this.#byKey.set(requestKey, request)
    if (!this.#byId.has(requestIdHash)) this.#byId.set(requestIdHash, request)
    return request
  }

  /** Takes a request out and hands the verdict to everyone who waits. */
  resolve(verdict: StoredVerdict): InFlightRequest | undefined {
    const request = this.#byKey.get(verdict.record.requestKey)
    if (request === undefined) return undefined
    this.remove(request)
    for (const waiter of request.waiters) waiter(verdict)
    request.waiters.clear()
    return request
  }

  remove(request: InFlightRequest): void {
    this.#byKey.delete(request.requestKey)
    if (this.#byId.get(request.requestIdHash) === request) this.#byId.delete(request.requestIdHash)
  }

  /** Drops what nobody waits for and is older than `keepMs`. Maps keep the order of insertion: oldest first. */
  #forget(nowMs: number): void {
    for (const request of this.#byKey.values()) {
      if (nowMs - request.startedAtMs < this.#keepMs) return
      if (request.waiters.size === 0) this.remove(request)
    }
  }
}
