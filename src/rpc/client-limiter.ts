/**
 * A token bucket per client (validation/client-key.ts says who is one), the same on every carrier. Loopback gets
 * more, because a CA on this machine is one client for all its customers. Bounded: the client not seen for longest
 * is forgotten.
 */
import { LRUCache } from 'lru-cache'
import { clientKey, isLoopback } from '../validation/client-key.ts'

/** Requests per second that last, and how many may come at once. */
export interface ClientRate {
  readonly perSecond: number
  readonly burst: number
}

export interface ClientLimits {
  readonly remote: ClientRate
  readonly loopback: ClientRate
  /** Clients remembered. */
  readonly clientsMax: number
}

/** Limits from one configured figure: so many per second and twice as many at once; on loopback ten times that. */
export function clientLimitsOf(ratePerSecond: number): ClientLimits {
  const rate = (factor: number): ClientRate => ({
    perSecond: ratePerSecond * factor,
    burst: 2 * ratePerSecond * factor,
  })
  return { remote: rate(1), loopback: rate(10), clientsMax: 4_096 }
}

/** Whether a client may go on; if not, which limit says so, in words, and after how long it may try again. */
export type Admission =
  | { readonly ok: true }
  | { readonly ok: false; readonly limit: string; readonly retryAfterMs: number }

/** A CA issues a few certificates a second; a load test comes from loopback. */
const DEFAULT_RATE_PER_SECOND = 2_000

const ADMITTED: Admission = { ok: true }

interface Bucket {
  tokens: number
  filledAtMs: number
}

export class ClientLimiter {
  readonly #limits: ClientLimits
  readonly #nowMs: () => number
  readonly #refused: () => void
  readonly #buckets: LRUCache<string, Bucket>

  /**
   * @param nowMs a monotonic clock, milliseconds
   * @param refused told of every refusal
   */
  constructor(
    nowMs: () => number,
    limits: ClientLimits = clientLimitsOf(DEFAULT_RATE_PER_SECOND),
    refused: () => void = () => {},
  ) {
    this.#limits = limits
    this.#nowMs = nowMs
    this.#refused = refused
    this.#buckets = new LRUCache({ max: limits.clientsMax })
  }

  /** Takes one token of the client's. False: too many requests. */
  admits(client: string): boolean {
    return this.take(client, 1).ok
  }

  /** Takes `count` tokens of the client's, all of them or none. */
  take(client: string, count: number): Admission {
    const rate = isLoopback(client) ? this.#limits.loopback : this.#limits.remote
    const bucket = this.#filled(clientKey(client), rate)
    if (bucket.tokens >= count) {
      bucket.tokens -= count
      return ADMITTED
    }
    this.#refused()
    const missing = Math.min(count, rate.burst) - bucket.tokens
    return {
      ok: false,
      limit: `${rate.perSecond} requests a second from one client, ${rate.burst} at once`,
      retryAfterMs: Math.max(1, Math.ceil((missing / rate.perSecond) * 1_000)),
    }
  }

  #filled(key: string, rate: ClientRate): Bucket {
    const nowMs = this.#nowMs()
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = { tokens: rate.burst, filledAtMs: nowMs }
      this.#buckets.set(key, bucket)
    }
    const earned = ((nowMs - bucket.filledAtMs) / 1_000) * rate.perSecond
    bucket.tokens = Math.min(rate.burst, bucket.tokens + earned)
    bucket.filledAtMs = nowMs
    return bucket
  }
}
