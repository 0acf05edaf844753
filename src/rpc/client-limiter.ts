/**
 * A token bucket per client: an IPv4 address, an IPv6 /64, or any other name. Loopback gets more, because a CA on
 * this machine is one client for all its customers. Bounded: the client not seen for longest is forgotten.
 */
import { BlockList, isIPv4 } from 'node:net'
import { LRUCache } from 'lru-cache'

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

/** A CA issues a few certificates a second; a load test comes from loopback. */
const DEFAULT_RATE_PER_SECOND = 2_000

interface Bucket {
  tokens: number
  filledAtMs: number
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

export class ClientLimiter {
  readonly #limits: ClientLimits
  readonly #nowMs: () => number
  readonly #buckets: LRUCache<string, Bucket>

  /** @param nowMs a monotonic clock, milliseconds */
  constructor(nowMs: () => number, limits: ClientLimits = clientLimitsOf(DEFAULT_RATE_PER_SECOND)) {
    this.#limits = limits
    this.#nowMs = nowMs
    this.#buckets = new LRUCache({ max: limits.clientsMax })
  }

  /** Takes one token of the client's. False: too many requests. */
  admits(client: string): boolean {
    const rate = isLoopback(client) ? this.#limits.loopback : this.#limits.remote
    const key = limitKey(client)
    const nowMs = this.#nowMs()
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = { tokens: rate.burst, filledAtMs: nowMs }
      this.#buckets.set(key, bucket)
    }
    const earned = ((nowMs - bucket.filledAtMs) / 1_000) * rate.perSecond
    bucket.tokens = Math.min(rate.burst, bucket.tokens + earned)
    bucket.filledAtMs = nowMs
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }
}

/** An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is that IPv4 address. */
function unmapped(client: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(client)?.[1]
  return mapped !== undefined && isIPv4(mapped) ? mapped : client
}

/** Whether it is this machine. */
export function isLoopback(client: string): boolean {
  const address = unmapped(client)
  if (isIPv4(address)) return LOOPBACK.check(address, 'ipv4')
  return address === '::1'
}

/** What is counted together: an IPv6 host has its whole /64 to choose addresses from. */
export function limitKey(client: string): string {
  const address = unmapped(client)
  if (!address.includes(':') || address === '::1') return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  const groups = [...front, ...Array.from({ length: missing }, () => '0'), ...back]
  return `${groups.slice(0, 4).join(':')}::/64`
}
