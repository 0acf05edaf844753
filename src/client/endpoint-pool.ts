/**
 * The endpoints that a client knows: their connections, how they have been doing, and the order in which to ask them.
 * What a failure is, is decided elsewhere; what it does to an endpoint's rank, here.
 */
import type { Carrier, Carriers } from './carrier.ts'
import { ClientError } from './client-error.ts'
import type { Clock, Random } from './clock.ts'
import { type EndpointChoice, type Scheme, schemeOf } from './endpoint.ts'
import { weightedOrder } from './weighted-order.ts'

/** More are not kept, whoever names them. */
export const ENDPOINTS_MAX = 64
/** Of an endpoint that always fails: it is still asked now and then, or it could never become well. */
const HEALTH_MIN = 0.05
/** After a failure an endpoint goes behind the others for so long, doubled with each further one. */
const SUSPECT_BASE_MS = 500
const SUSPECT_MAX_MS = 30_000
/** An endpoint may ask for more, and does not get it. */
const RETRY_AFTER_MAX_MS = 60_000

/** One endpoint and its record. */
export interface PooledEndpoint {
  readonly endpoint: string
  /** Opened at its first use. */
  readonly carrier: Carrier
  /** False once it has said so. */
  hasBatches: boolean
}

interface Entry extends PooledEndpoint {
  choice: EndpointChoice
  readonly priority: number
  readonly weight: number
  /** 1 for one that answers, less with each failure. */
  health: number
  failures: number
  suspectUntilMs: number
  /** Not to be asked before: it asked for that. */
  notBeforeMs: number
  callsUnderWay: number
  isGone: boolean
}

/** What a person or a metric wants to know of an endpoint. */
export interface EndpointState extends EndpointChoice {
  /** From 0.05 (fails) to 1 (answers). */
  readonly health: number
  /** In a row. */
  readonly failures: number
}

export class EndpointPool {
  readonly #carriers: Carriers
  readonly #clock: Clock
  readonly #random: Random
  readonly #entries = new Map<string, Entry>()

  constructor(carriers: Carriers, clock: Clock, random: Random) {
    this.#carriers = carriers
    this.#clock = clock
    this.#random = random
  }

  /**
   * Takes the list as it is now: what is new begins as healthy, what is gone is closed when nobody uses it any more.
   * @throws ClientError `E_ENDPOINT` for a configured one that is none or that this client cannot speak to,
   *   `E_NO_ENDPOINT` when nothing is left; what a carrier's factory throws for a configured one
   */
  update(choices: readonly EndpointChoice[]): void {
    const usable = new Map<string, { readonly entry: Entry; readonly choice: EndpointChoice }>()
    let refused: ClientError | null = null
    for (const choice of choices) {
      if (usable.size === ENDPOINTS_MAX) break
      const { endpoint } = choice
      try {
        const entry = usable.get(endpoint)?.entry ?? this.#entries.get(endpoint) ?? this.#entryOf(choice)
        usable.set(endpoint, { entry, choice })
      } catch (error) {
        // Whoever published a record does not know whom this client can ask; whoever configured it should.
        if (choice.origin.kind !== 'srv' || !(error instanceof ClientError)) throw error
        refused ??= error
      }
    }
    if (usable.size === 0) throw noEndpoint(refused)
    for (const entry of [...this.#entries.values()]) if (!usable.has(entry.endpoint)) this.#remove(entry)
    for (const [endpoint, { entry, choice }] of usable) {
      entry.choice = choice
      this.#entries.set(endpoint, entry)
    }
  }

  /**
   * Whom to ask, in this order: by priority, within one by chance weighted with health; those that failed lately after
   * all others, the one that failed longest ago first.
   * @returns empty when all have asked to be left alone; see {@link waitMs}
   */
  order(except: ReadonlySet<string>): PooledEndpoint[] {
    const now = this.#clock.nowMs()
    const all = [...this.#entries.values()].filter(
      (entry) => !except.has(entry.endpoint) && entry.notBeforeMs <= now,
    )
    const suspects = all.filter((entry) => entry.suspectUntilMs > now)
    const others = all.filter((entry) => entry.suspectUntilMs <= now)
    suspects.sort((a, b) => a.suspectUntilMs - b.suspectUntilMs)
    return [...weightedOrder(others, this.#random, weightOf), ...suspects]
  }

  /** How long until the first of those that asked to be left alone may be asked again. */
  waitMs(except: ReadonlySet<string>): number {
    const all = [...this.#entries.values()].filter(({ endpoint }) => !except.has(endpoint))
    if (all.length === 0) return 0
    return Math.max(0, Math.min(...all.map(({ notBeforeMs }) => notBeforeMs)) - this.#clock.nowMs())
  }

  /** Whether any endpoint remains at all. */
  hasOthers(except: ReadonlySet<string>): boolean {
    return [...this.#entries.keys()].some((endpoint) => !except.has(endpoint))
  }

  succeeded(endpoint: string): void {
    const entry = this.#entries.get(endpoint)
    if (entry === undefined) return
    entry.health = (entry.health + 1) / 2
    entry.failures = 0
    entry.suspectUntilMs = 0
  }

  failed(endpoint: string, retryAfterMs: number | null = null): void {
    const entry = this.#entries.get(endpoint)
    if (entry === undefined) return
    const now = this.#clock.nowMs()
    entry.health = Math.max(HEALTH_MIN, entry.health / 2)
    entry.suspectUntilMs = now + Math.min(SUSPECT_MAX_MS, SUSPECT_BASE_MS * 2 ** Math.min(entry.failures, 10))
    entry.failures++
    if (retryAfterMs !== null) entry.notBeforeMs = now + Math.min(RETRY_AFTER_MAX_MS, retryAfterMs)
  }

  /** Keeps an endpoint's connection open while it is called, even when the list changes meanwhile. */
  async use<T>(endpoint: PooledEndpoint, work: (carrier: Carrier) => Promise<T>): Promise<T> {
    const entry = endpoint as Entry
    entry.callsUnderWay++
    try {
      return await work(entry.carrier)
    } finally {
      entry.callsUnderWay--
      if (entry.isGone) this.#closeUnused(entry)
    }
  }

  /** All endpoints with their records. */
  states(): EndpointState[] {
    return [...this.#entries.values()].map(({ choice, health, failures }) => ({
      ...choice,
      health,
      failures,
    }))
  }

  /** Every endpoint, whatever its record. */
  all(): PooledEndpoint[] {
    return [...this.#entries.values()]
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    const entries = [...this.#entries.values()]
    this.#entries.clear()
    await Promise.all(entries.map(({ carrier }) => carrier.close()))
  }

  #entryOf(choice: EndpointChoice): Entry {
    const scheme = schemeOf(choice.endpoint)
    const make = this.#carriers[scheme]
    if (make === undefined) throw noCarrier(scheme, choice.endpoint)
    return {
      choice,
      endpoint: choice.endpoint,
      carrier: make(choice.endpoint),
      hasBatches: true,
      get priority() {
        return this.choice.priority
      },
      get weight() {
        return this.choice.weight
      },
      health: 1,
      failures: 0,
      suspectUntilMs: 0,
      notBeforeMs: 0,
      callsUnderWay: 0,
      isGone: false,
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.endpoint)
    entry.isGone = true
    this.#closeUnused(entry)
  }

  #closeUnused(entry: Entry): void {
    // Nobody waits for it, and a connection that does not close well is no longer of use to anybody.
    if (entry.callsUnderWay === 0) entry.carrier.close().catch(() => undefined)
  }
}

function weightOf({ weight, health }: Entry): number {
  return weight * health
}

function noCarrier(scheme: Scheme, endpoint: string): ClientError {
  return new ClientError('E_ENDPOINT', `this client has no carrier for ${scheme}, so not for ${endpoint}`, {
    fix:
      scheme === 'libp2p' || scheme === 'stoq'
        ? 'use hypermesh-node/client/node, which has one'
        : `give the client one under "carriers", by the name ${scheme}`,
    exitCode: 64,
  })
}

/** @param refused why the first of those that are named cannot be asked; null: none is named */
function noEndpoint(refused: ClientError | null): ClientError {
  return new ClientError('E_NO_ENDPOINT', 'there is no endpoint to ask', {
    why: refused === null ? 'the list is empty' : refused.message,
    fix: refused?.advice.fix ?? 'name a node: https://[::1]:8080',
    cause: refused,
  })
}
