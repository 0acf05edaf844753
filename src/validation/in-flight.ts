/**
 * Requests that went into the network and have no verdict yet: who waits for which, found by key and by id, bounded
 * in number (in all and for each client) and in time. Knows nothing of answers, and never asks the network itself.
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { Hex32, RequestKey } from '../types/primitives.ts'
import { ClientShares, type ShareLimits, type ShareRefusal } from './client-shares.ts'

/** One request under way. Times are of the monotonic clock, milliseconds. */
export interface InFlightRequest {
  readonly requestKey: RequestKey
  readonly requestIdHash: Hex32
  /** Who asked first; it counts as his. */
  readonly client: string
  readonly startedAtMs: number
  /** When it was last given to the network. */
  submittedAtMs: number
  /** Called with the verdict, once, in order of arrival. */
  readonly waiters: Set<(verdict: StoredVerdict) => void>
}

/** Why a request does not fit: one of the bounds, or what is under way waits too long already. */
export type InFlightRefusal = ShareRefusal | 'behind'

/**
 * When what was answered last had waited this long, the network gets more than it can judge, and whoever joins the
 * queue would wait longer than callers do: everybody's deadline would pass, and nobody be served.
 */
const BEHIND_MS = 2_000
/** A table that is this small is no queue: what takes long then is something else. */
const BEHIND_COUNT = 256

/** The table of requests under way. */
export class InFlightRequests {
  readonly #keepMs: number
  readonly #requests: ClientShares
  readonly #calls: ClientShares
  readonly #byKey = new Map<RequestKey, InFlightRequest>()
  readonly #byId = new Map<Hex32, InFlightRequest>()
  #lastAnswer = { atMs: 0, latencyMs: 0 }

  /**
   * @param limits requests at once, and calls that wait for them
   * @param keepMs how long a request that nobody waits for any more is remembered for a status call
   */
  constructor(limits: ShareLimits, keepMs: number) {
    this.#requests = new ClientShares(limits)
    this.#calls = new ClientShares(limits)
    this.#keepMs = keepMs
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Calls that wait for a verdict now. */
  get waiting(): number {
    return this.#calls.all
  }

  byKey(requestKey: RequestKey): InFlightRequest | undefined {
    return this.#byKey.get(requestKey)
  }

  /** The first request under way with this id. */
  byId(requestIdHash: Hex32): InFlightRequest | undefined {
    return this.#byId.get(requestIdHash)
  }

  /** Adds a request that is not there yet. Refuses while the table is full of what is waited for or recent. */
  add(
    requestKey: RequestKey,
    requestIdHash: Hex32,
    client: string,
    nowMs: number,
  ): Result<InFlightRequest, InFlightRefusal> {
    if (this.#isBehind(nowMs)) return refuse('behind', `${this.#byKey.size} requests are under way`)
    if (this.#requests.refusal(client) !== null) this.#forget(nowMs)
    const full = this.#requests.refusal(client)
    if (full !== null) return refuse(full, `${this.#byKey.size} requests are under way`)
    const request: InFlightRequest = {
      requestKey,
      requestIdHash,
      client,
      startedAtMs: nowMs,
      submittedAtMs: nowMs,
      waiters: new Set(),
    }
    this.#requests.add(client)
    this.#byKey.set(requestKey, request)
    if (!this.#byId.has(requestIdHash)) this.#byId.set(requestIdHash, request)
    return ok(request)
  }

  /**
   * Lets a call wait.
   * @param heard called with the verdict, at most once
   * @returns what ends the waiting, to be called once in every case; or which bound is reached
   */
  wait(
    request: InFlightRequest,
    client: string,
    heard: (verdict: StoredVerdict) => void,
  ): Result<() => void, ShareRefusal> {
    const full = this.#calls.refusal(client)
    if (full !== null) return refuse(full, `${this.#calls.all} calls wait`)
    this.#calls.add(client)
    request.waiters.add(heard)
    return ok(() => {
      request.waiters.delete(heard)
      this.#calls.remove(client)
    })
  }

  /** Takes a request out and hands the verdict to everyone who waits. */
  resolve(verdict: StoredVerdict, nowMs: number): InFlightRequest | undefined {
    const request = this.#byKey.get(verdict.record.requestKey)
    if (request === undefined) return undefined
    this.remove(request)
    this.#lastAnswer = { atMs: nowMs, latencyMs: nowMs - request.startedAtMs }
    for (const waiter of request.waiters) waiter(verdict)
    request.waiters.clear()
    return request
  }

  remove(request: InFlightRequest): void {
    if (!this.#byKey.delete(request.requestKey)) return
    this.#requests.remove(request.client)
    if (this.#byId.get(request.requestIdHash) === request) this.#byId.delete(request.requestIdHash)
  }

  /** A network that answers nothing at all is not behind: it may answer everything when it is whole again. */
  #isBehind(nowMs: number): boolean {
    const { atMs, latencyMs } = this.#lastAnswer
    return this.#byKey.size >= BEHIND_COUNT && latencyMs > BEHIND_MS && nowMs - atMs < BEHIND_MS
  }

  /** Drops what nobody waits for and is older than `keepMs`. Maps keep the order of insertion: oldest first. */
  #forget(nowMs: number): void {
    for (const request of this.#byKey.values()) {
      if (nowMs - request.startedAtMs < this.#keepMs) return
      if (request.waiters.size === 0) this.remove(request)
    }
  }
}
