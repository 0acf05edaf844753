/**
 * Finds a network's nodes by SRV records. Keeps what it found for a bounded while, and when a lookup fails goes on with
 * what it knew, then with the configured list. Says of each endpoint where it comes from; asks no node.
 */
import { Resolver } from 'node:dns/promises'
import { ClientError } from '../client-error.ts'
import { type Clock, systemClock, untilAborted } from '../clock.ts'
import { configuredEndpoints, type EndpointChoice, type EndpointSource } from '../endpoint.ts'
import {
  endpointOf,
  HTTPS_SERVICE,
  isDnsName,
  multiaddrOf,
  RECORDS_MAX,
  type ReadRecord,
  type SrvRecord,
  type SrvService,
  STOQ_SERVICE,
} from './srv-records.ts'

/** Where to look, and for how long it holds. */
export interface SrvDiscoveryOptions {
  /** `example.org`: asks for `_hypermesh._tcp.example.org` and `_stoq._udp.hypermesh.example.org`. */
  readonly domain: string
  /** Other services, or another order; libp2p's is not among the default ones, for it needs the network's name. */
  readonly services?: readonly SrvService[]
  /** DNS servers in place of the system's: `127.0.0.1:5353`, `[::1]:5353`. */
  readonly servers?: readonly string[]
  /** Endpoints for when nothing is found. */
  readonly fallback?: readonly string[]
  /**
   * How long an answer is kept, 5 s to 1 h; default 60 s. Node's resolver does not hand out the TTL of SRV records,
   * so it is this that says when to ask again.
   */
  readonly keepMs?: number
  /** Of one lookup; default 3 s. */
  readonly lookupDeadlineMs?: number
  readonly clock?: Clock
}

/** How one lookup ended. */
export interface SrvLookup {
  /** `_hypermesh._tcp.example.org` */
  readonly name: string
  readonly outcome: 'found' | 'absent' | 'failed'
  /** Why it failed, or which records were passed over; empty when all is well. */
  readonly why: string
}

/** What is known now. */
export interface Discovery {
  readonly endpoints: readonly EndpointChoice[]
  readonly lookups: readonly SrvLookup[]
  /** `fallback`: no record was found, these are the configured ones. */
  readonly from: 'srv' | 'fallback'
}

const KEEP_MIN_MS = 5_000
const KEEP_MAX_MS = 3_600_000
const KEEP_MS = 60_000
/** An answer without records, or none, is asked for again after this. */
const KEEP_NOTHING_MS = 5_000
/** For so long records serve on after lookups began to fail. */
const STALE_MAX_MS = 3_600_000
const LOOKUP_DEADLINE_MS = 3_000
/** Services come in the order of their list: the records of one rank behind all of the one before. */
const PRIORITIES = 65_536

/** Codes of `node:dns` for "there is no such record". */
const ABSENT: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA'])

interface Found {
  readonly endpoints: readonly EndpointChoice[]
  readonly lookup: SrvLookup
}

interface Kept extends Found {
  readonly atMs: number
}

/** A source of endpoints for `HypermeshClient`. */
export class SrvDiscovery implements EndpointSource {
  readonly #options: SrvDiscoveryOptions
  readonly #services: readonly SrvService[]
  readonly #clock: Clock
  readonly #keepMs: number
  /** The last good answer of each service. */
  readonly #good = new Map<string, Kept>()
  #kept: { readonly discovery: Discovery; readonly untilMs: number } | null = null
  #asking: Promise<Discovery> | null = null

  /** @throws ClientError `E_DISCOVER` when the domain is no DNS name or a server is no address */
  constructor(options: SrvDiscoveryOptions) {
    const { domain, servers, services = [HTTPS_SERVICE, STOQ_SERVICE], keepMs = KEEP_MS } = options
    if (!isDnsName(domain)) {
      throw new ClientError('E_DISCOVER', `"${domain.slice(0, 253)}" is no domain`, {
        fix: 'write it like example.org',
        exitCode: 64,
      })
    }
    this.#options = options
    this.#services = services
    this.#clock = options.clock ?? systemClock
    this.#keepMs = Math.min(KEEP_MAX_MS, Math.max(KEEP_MIN_MS, keepMs))
    // A wrong address of a server is told now, not at the first call.
    if (servers !== undefined) resolverOf(servers, LOOKUP_DEADLINE_MS)
  }

  /** @throws ClientError `E_NO_ENDPOINT` when no record is found and nothing is configured */
  async current(signal: AbortSignal): Promise<readonly EndpointChoice[]> {
    const { endpoints, lookups } = await this.discover(signal)
    if (endpoints.length > 0) return endpoints
    const why = lookups.map(
      ({ name, outcome, why: reason }) => `${name}: ${reason === '' ? outcome : reason}`,
    )
    const { domain, servers } = this.#options
    if (lookups.every(({ outcome }) => outcome === 'failed')) {
      throw new ClientError('E_NO_ENDPOINT', `DNS does not say which nodes are published under ${domain}`, {
        why: why.join('; '),
        fix: `check the DNS server${servers === undefined ? ' of this machine' : ` ${servers.join(', ')}`}, or name a node`,
      })
    }
    throw new ClientError('E_NO_ENDPOINT', `no node is published under ${domain}`, {
      why: why.join('; '),
      fix: 'check the domain, or name a node',
    })
  }

  /** What is known now, asked anew when it is too old. @throws the signal's reason */
  async discover(signal: AbortSignal): Promise<Discovery> {
    if (this.#kept !== null && this.#clock.nowMs() < this.#kept.untilMs) return this.#kept.discovery
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null
    })
    return untilAborted(this.#asking, signal)
  }

  async #ask(): Promise<Discovery> {
    const found = await Promise.all(this.#services.map((service, rank) => this.#lookUp(service, rank)))
    const endpoints = found.flatMap((one) => one.endpoints)
    const lookups = found.map(({ lookup }) => lookup)
    const isWhole = lookups.every(({ outcome }) => outcome !== 'failed')
    const keepMs = isWhole && endpoints.length > 0 ? this.#keepMs : KEEP_NOTHING_MS
    const discovery: Discovery =
      endpoints.length > 0
        ? { endpoints, lookups, from: 'srv' }
        : {
            endpoints: configuredEndpoints(this.#options.fallback ?? [], 'as-given'),
            lookups,
            from: 'fallback',
          }
    this.#kept = { discovery, untilMs: this.#clock.nowMs() + keepMs }
    return discovery
  }

  async #lookUp(service: SrvService, rank: number): Promise<Found> {
    const { domain, servers, lookupDeadlineMs = LOOKUP_DEADLINE_MS } = this.#options
    const name = `${service.prefix}.${domain.replace(/\.$/, '')}`
    const resolver = resolverOf(servers, lookupDeadlineMs)
    const isOver = new AbortController()
    this.#clock.wait(lookupDeadlineMs, isOver.signal).then(
      () => resolver.cancel(),
      () => undefined,
    )
    try {
      const records = await resolver.resolveSrv(name)
      const found = readRecords(records, await readAll(records, service, resolver), rank, name)
      this.#good.set(name, { ...found, atMs: this.#clock.nowMs() })
      return found
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (ABSENT.has(code)) {
        this.#good.delete(name)
        return { endpoints: [], lookup: { name, outcome: 'absent', why: '' } }
      }
      const why = code === 'ECANCELLED' ? `no answer within ${lookupDeadlineMs} ms` : failureText(code, error)
      return { endpoints: this.#stale(name), lookup: { name, outcome: 'failed', why } }
    } finally {
      isOver.abort()
    }
  }

  /** What was known before lookups began to fail, marked as that. */
  #stale(name: string): EndpointChoice[] {
    const kept = this.#good.get(name)
    if (kept === undefined || this.#clock.nowMs() - kept.atMs > STALE_MAX_MS) return []
    return kept.endpoints.map((choice) =>
      choice.origin.kind === 'srv' ? { ...choice, origin: { ...choice.origin, isStale: true } } : choice,
    )
  }
}

/** What the codes of `node:dns` mean that are about the server, not about the name. */
function failureText(code: unknown, error: unknown): string {
  const { message } = error as Error
  switch (code) {
    case 'ECONNREFUSED':
    case 'ETIMEOUT':
      return `the DNS server does not answer (${message})`
    case 'ESERVFAIL':
    case 'EREFUSED':
      return `the DNS server could not or would not look it up (${message})`
    default:
      return message
  }
}

function resolverOf(servers: readonly string[] | undefined, timeoutMs: number): Resolver {
  // Two tries within the deadline: a datagram may be lost.
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / 2), tries: 2 })
  if (servers === undefined) return resolver
  try {
    resolver.setServers([...servers])
  } catch (cause) {
    throw new ClientError('E_DISCOVER', `"${servers.join(', ')}" is no DNS server`, {
      fix: 'write its address and port: 127.0.0.1:53 or [::1]:53',
      exitCode: 64,
      cause,
    })
  }
  return resolver
}

/** What each of the first records names, in their order. */
function readAll(
  records: readonly SrvRecord[],
  { scheme }: SrvService,
  resolver: Resolver,
): Promise<ReadRecord[]> {
  const looked = records.slice(0, RECORDS_MAX)
  if (scheme !== 'libp2p') return Promise.resolve(looked.map((record) => endpointOf(record, scheme)))
  return Promise.all(looked.map(async (record) => multiaddrOf(record, await addressesOf(record, resolver))))
}

/** IPv6 first, as TrustChain's networks are. Empty when the target has none, or its name is none. */
async function addressesOf({ name }: SrvRecord, resolver: Resolver): Promise<string[]> {
  if (!isDnsName(name)) return []
  const found = await Promise.allSettled([resolver.resolve6(name), resolver.resolve4(name)])
  return found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
}

function readRecords(
  records: readonly SrvRecord[],
  readings: readonly ReadRecord[],
  rank: number,
  name: string,
): Found {
  const endpoints: EndpointChoice[] = []
  const passedOver: string[] = []
  for (const [i, read] of readings.entries()) {
    if ('why' in read) {
      passedOver.push(read.why)
      continue
    }
    const { priority = 0, weight = 0 } = records[i] ?? {}
    const origin = { kind: 'srv', name, priority, weight, isStale: false } as const
    endpoints.push({ endpoint: read.endpoint, priority: rank * PRIORITIES + priority, weight, origin })
  }
  if (records.length > RECORDS_MAX) passedOver.push(`${records.length - RECORDS_MAX} records too many`)
  const outcome = endpoints.length > 0 ? 'found' : 'absent'
  return { endpoints, lookup: { name, outcome, why: passedOver.join('; ') } }
}
