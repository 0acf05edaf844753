/**
 * Nodes' public API, any of several: one call goes to one after the other until a node takes it or refuses it for good.
 * Speaks JSON by `fetch`; of the routes it knows `/v1/status`, by which a node says what network it is on. Verdicts are
 * asked for elsewhere (hypermesh-client.ts).
 */
import { readJson, type Shape, struct, text } from '../rpc/json-shape.ts'
import { type Backoff, backoffMs, DEFAULT_BACKOFF } from './backoff.ts'
import { ClientError } from './client-error.ts'
import { type Clock, type Random, systemClock } from './clock.ts'
import { schemeOf } from './endpoint.ts'
import { readBounded } from './fetch-carrier.ts'
import { statusAnswer } from './operation-shapes.ts'
import { timeOption } from './option-checks.ts'

/** What asks nodes' public API is made of. Only `apis` is needed. */
export interface PublicApiOptions {
  /** Base URLs of nodes of one network, `http://127.0.0.1:9441`, in order of preference; 64 at most. */
  readonly apis: readonly string[]
  /** Default: the platform's. A program with TLS of its own hands its own in. */
  readonly fetch?: typeof fetch
  /** Of one attempt at one node. Default 5 s. */
  readonly attemptDeadlineMs?: number
  readonly clock?: Clock
  readonly random?: Random
  readonly backoff?: Partial<Backoff>
}

/** One route, and until when. */
export interface ApiCall {
  /** With its slash: `/v1/status`. */
  readonly route: string
  /** JSON to POST; a GET without it. */
  readonly body?: string
  /** On the clock of the options. */
  readonly endMs: number
  readonly signal: AbortSignal
  /** Genesis hash: no node of another network is believed. Without it every node is. */
  readonly network?: string
}

/** What a node answered for good. */
export type ApiReply<T> =
  | { readonly kind: 'done'; readonly value: T; readonly api: string }
  /** HTTP 404: every node says so, or time is up and one did. */
  | { readonly kind: 'none'; readonly why: string }

const APIS_MAX = 64
const ATTEMPT_DEADLINE_MS = 5_000
/** An operation with its participants, its losses of trust and 4 KiB of payload in hex is far below. */
const ANSWER_BYTES_MAX = 1024 * 1024
const DETAIL_BYTES_MAX = 4_096
const EXIT_USAGE = 64
const EXIT_DATA = 65
/** Too early, too slow, too often; and whatever is the node's own fault. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429])

/** Of a listener that has other routes: it says nothing about what was asked. */
const NO_ROUTE = 'E_NO_ROUTE'

const problem = struct<{ detail: string; code: string }>({
  detail: text(DETAIL_BYTES_MAX),
  code: text(DETAIL_BYTES_MAX),
})

/** How an address was no help: in passing, or for as long as what is there is something else. */
type Missed =
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'foreign'; readonly code: 'E_OTHER_NETWORK' | 'E_ANSWER'; readonly why: string }

type Attempted<T> = ApiReply<T> | Missed
/** For good, by whatever is there. */
interface Refused {
  readonly kind: 'refused'
  readonly why: string
}

type Unanswered = Exclude<Attempted<never>, { kind: 'done' }> & { readonly api: string }

export class PublicApi {
  readonly clock: Clock
  readonly #apis: readonly string[]
  readonly #fetch: typeof fetch
  readonly #attemptDeadlineMs: number
  readonly #random: Random
  readonly #backoff: Backoff
  /** Genesis hash of the network that an address was found to be on. */
  readonly #networks = new Map<string, string>()

  /** @throws ClientError `E_NO_ENDPOINT`, `E_ENDPOINT` when an address is none of HTTP, `E_OPTION` */
  constructor(options: PublicApiOptions) {
    const apis: unknown = options?.apis
    this.#apis = Array.isArray(apis) ? [...new Set(apis)].slice(0, APIS_MAX).map(baseOf) : []
    if (this.#apis.length === 0) {
      throw new ClientError('E_NO_ENDPOINT', 'there is no node to ask', {
        why: '"apis" is no list of addresses, or an empty one',
        fix: 'give the base URL of a node’s public API',
        exitCode: EXIT_USAGE,
      })
    }
    this.clock = options.clock ?? systemClock
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init))
    this.#attemptDeadlineMs = timeOption('attemptDeadlineMs', options.attemptDeadlineMs, ATTEMPT_DEADLINE_MS)
    this.#random = options.random ?? Math.random
    this.#backoff = { ...DEFAULT_BACKOFF, ...options.backoff }
  }

  /**
   * Asks until a node answers, pass after pass. What knows no such route, and with `network` a node of another network,
   * is passed over. A 404 may be of a node that is behind, so the rest of the pass is asked as well: it counts when every
   * address that is not passed over says so, or one did when time is up.
   * @throws ClientError `E_REFUSED` when a node refuses for good, `E_NO_ANSWER` when time is up; `E_OTHER_NETWORK`,
   *   `E_ANSWER` when every address is passed over; the signal's reason
   */
  async call<T>(call: ApiCall, shape: Shape<T>): Promise<ApiReply<T>> {
    for (let round = 0; ; round++) {
      const pass: Unanswered[] = []
      for (const api of this.#apis) {
        const reply = await this.#ask(api, call, shape)
        if (reply.kind === 'done') return reply
        pass.push({ api, ...reply })
        if (this.clock.nowMs() >= call.endMs) break
      }
      const waitMs = backoffMs(round, this.#backoff, this.#random)
      const isLate = this.clock.nowMs() + waitMs >= call.endMs
      const mayPass = pass.length < this.#apis.length || pass.some(({ kind }) => kind === 'failed')
      const none = pass.find((reply) => reply.kind === 'none')
      if (none !== undefined && (isLate || !mayPass)) return none
      if (!mayPass) throw allForeign(call, pass)
      if (isLate) {
        throw new ClientError('E_NO_ANSWER', `no node answers ${call.route}`, {
          why: whysOf(pass),
          fix: 'start a node there, or name another',
        })
      }
      await this.clock.wait(waitMs, call.signal)
    }
  }

  /** One address, which is asked for its network first; once, if it is the one that is meant. */
  async #ask<T>(api: string, call: ApiCall, shape: Shape<T>): Promise<Attempted<T>> {
    const { endMs, signal, network } = call
    if (network !== undefined && this.#networks.get(api) !== network) {
      const status = await this.#read(api, { route: '/v1/status', endMs, signal }, statusAnswer)
      if (status.kind === 'none' || status.kind === 'refused')
        return { kind: 'foreign', code: 'E_ANSWER', why: status.why }
      if (status.kind !== 'done') return status
      const { genesisHash } = status.value
      if (genesisHash !== network)
        return {
          kind: 'foreign',
          code: 'E_OTHER_NETWORK',
          why: `its genesis is ${genesisHash}, not ${network}`,
        }
      this.#networks.set(api, network)
    }
    const reply = await this.#read(api, call, shape)
    if (reply.kind !== 'refused') return reply
    throw new ClientError('E_REFUSED', `${api} refuses ${call.route}`, {
      why: reply.why,
      fix: 'mend what was sent; sending it again changes nothing',
      exitCode: EXIT_DATA,
    })
  }

  async #read<T>(api: string, call: ApiCall, shape: Shape<T>): Promise<Attempted<T> | Refused> {
    const { signal, endMs, route, body } = call
    signal.throwIfAborted()
    const over = new AbortController()
    const tooLate = new AbortController()
    const deadlineMs = Math.min(this.#attemptDeadlineMs, Math.max(1, endMs - this.clock.nowMs()))
    this.clock.wait(deadlineMs, over.signal).then(
      () => tooLate.abort(new Error(`no answer within ${Math.round(deadlineMs)} ms`)),
      () => undefined,
    )
    try {
      const response = await this.#fetch(`${api}${route}`, {
        redirect: 'error',
        credentials: 'omit',
        signal: AbortSignal.any([signal, tooLate.signal]),
        ...(body === undefined
          ? {}
          : { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
      })
      return readReply(api, route, response.status, await readBounded(response, ANSWER_BYTES_MAX), shape)
    } catch (error) {
      signal.throwIfAborted()
      // "fetch failed" alone tells nobody anything.
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      return { kind: 'failed', why: cause instanceof Error ? cause.message : String(cause) }
    } finally {
      over.abort()
    }
  }
}

function whysOf(pass: readonly Unanswered[]): string {
  return pass.map(({ api, why }) => `${api}: ${why}`).join('; ')
}

function allForeign({ route }: ApiCall, pass: readonly Unanswered[]): ClientError {
  if (pass.some((reply) => reply.kind === 'foreign' && reply.code === 'E_OTHER_NETWORK')) {
    return new ClientError('E_OTHER_NETWORK', 'no address is of a node of the network that is meant', {
      why: whysOf(pass),
      fix: 'name a node of the network that is meant',
      exitCode: EXIT_DATA,
    })
  }
  return new ClientError('E_ANSWER', `what answers ${route} is no node`, {
    why: whysOf(pass),
    fix: 'check that it is the public API of a node of this version',
  })
}

function baseOf(api: unknown): string {
  const scheme = typeof api === 'string' ? httpSchemeOf(api) : null
  if (typeof api === 'string' && scheme !== null) return api.replace(/\/+$/, '')
  throw new ClientError('E_ENDPOINT', `"${String(api).slice(0, 200)}" is no public API`, {
    why: 'operations are served by HTTP only',
    fix: 'write http:// or https:// and the address of a node’s API: http://127.0.0.1:9441',
    exitCode: EXIT_USAGE,
  })
}

function httpSchemeOf(api: string): 'http' | 'https' | null {
  try {
    const scheme = schemeOf(api)
    return scheme === 'http' || scheme === 'https' ? scheme : null
  } catch {
    // It has none of the forms; what it was to be written like is said above, for this client takes fewer.
    return null
  }
}

function readReply<T>(
  api: string,
  route: string,
  status: number,
  payload: Uint8Array,
  shape: Shape<T>,
): Attempted<T> | Refused {
  if (status >= 200 && status < 300) {
    const read = readJson(shape, payload)
    if (read.ok) return { kind: 'done', value: read.value, api }
    return { kind: 'failed', why: `something else than a node answers ${route}: ${read.detail}` }
  }
  const told = readJson(problem, payload)
  const why = `HTTP ${status}${told.ok ? `: ${told.value.detail}` : ''}`
  if (status === 404 && told.ok) {
    const { detail, code } = told.value
    return code === NO_ROUTE
      ? { kind: 'foreign', code: 'E_ANSWER', why: detail }
      : { kind: 'none', why: detail }
  }
  if (!told.ok || status >= 500 || PASSING.has(status)) return { kind: 'failed', why }
  return { kind: 'refused', why: told.value.detail }
}
