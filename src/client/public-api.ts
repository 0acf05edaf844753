/**
 * Nodes' public API, any of several: one call goes to one after the other until a node takes it or refuses it for good.
 * Speaks JSON by `fetch`; knows no route. Verdicts are asked for elsewhere (hypermesh-client.ts).
 */
import { readJson, type Shape, struct, text } from '../rpc/json-shape.ts'
import { type Backoff, backoffMs, DEFAULT_BACKOFF } from './backoff.ts'
import { ClientError } from './client-error.ts'
import { type Clock, type Random, systemClock } from './clock.ts'
import { schemeOf } from './endpoint.ts'
import { readBounded } from './fetch-carrier.ts'

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
}

/** What a node answered for good. */
export type ApiReply<T> =
  | { readonly kind: 'done'; readonly value: T; readonly api: string }
  /** HTTP 404. */
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

const problem = struct<{ detail: string }>({ detail: text(DETAIL_BYTES_MAX) })

type Attempted<T> = ApiReply<T> | { readonly kind: 'failed'; readonly why: string }

export class PublicApi {
  readonly clock: Clock
  readonly #apis: readonly string[]
  readonly #fetch: typeof fetch
  readonly #attemptDeadlineMs: number
  readonly #random: Random
  readonly #backoff: Backoff

  /** @throws ClientError `E_NO_ENDPOINT`, `E_ENDPOINT` when an address is none of HTTP */
  constructor(options: PublicApiOptions) {
    this.#apis = [...new Set(options.apis)].slice(0, APIS_MAX).map(baseOf)
    if (this.#apis.length === 0) {
      throw new ClientError('E_NO_ENDPOINT', 'there is no node to ask', {
        fix: 'give the base URL of a node’s public API',
        exitCode: EXIT_USAGE,
      })
    }
    this.clock = options.clock ?? systemClock
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init))
    this.#attemptDeadlineMs = options.attemptDeadlineMs ?? ATTEMPT_DEADLINE_MS
    this.#random = options.random ?? Math.random
    this.#backoff = { ...DEFAULT_BACKOFF, ...options.backoff }
  }

  /**
   * Asks until a node answers, pass after pass.
   * @throws ClientError `E_REFUSED` when a node refuses for good, `E_NO_ANSWER` when time is up; the signal's reason
   */
  async call<T>(call: ApiCall, shape: Shape<T>): Promise<ApiReply<T>> {
    for (let round = 0; ; round++) {
      const whys: string[] = []
      for (const api of this.#apis) {
        const reply = await this.#attempt(api, call, shape)
        if (reply.kind !== 'failed') return reply
        whys.push(`${api}: ${reply.why}`)
        if (this.clock.nowMs() >= call.endMs) break
      }
      const waitMs = backoffMs(round, this.#backoff, this.#random)
      if (this.clock.nowMs() + waitMs >= call.endMs) {
        throw new ClientError('E_NO_ANSWER', `no node answers ${call.route}`, {
          why: whys.join('; '),
          fix: 'start a node there, or name another',
        })
      }
      await this.clock.wait(waitMs, call.signal)
    }
  }

  async #attempt<T>(api: string, call: ApiCall, shape: Shape<T>): Promise<Attempted<T>> {
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
      if (error instanceof ClientError) throw error
      signal.throwIfAborted()
      // "fetch failed" alone tells nobody anything.
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      return { kind: 'failed', why: cause instanceof Error ? cause.message : String(cause) }
    } finally {
      over.abort()
    }
  }
}

function baseOf(api: string): string {
  const scheme = schemeOf(api)
  if (scheme === 'http' || scheme === 'https') return api.replace(/\/+$/, '')
  throw new ClientError('E_ENDPOINT', `"${api.slice(0, 200)}" is no public API`, {
    fix: 'write http://127.0.0.1:9441: operations are served by HTTP only',
    exitCode: EXIT_USAGE,
  })
}

function readReply<T>(
  api: string,
  route: string,
  status: number,
  payload: Uint8Array,
  shape: Shape<T>,
): Attempted<T> {
  if (status >= 200 && status < 300) {
    const read = readJson(shape, payload)
    if (read.ok) return { kind: 'done', value: read.value, api }
    return { kind: 'failed', why: `something else than a node answers ${route}: ${read.detail}` }
  }
  const told = readJson(problem, payload)
  const why = `HTTP ${status}${told.ok ? `: ${told.value.detail}` : ''}`
  if (status === 404 && told.ok) return { kind: 'none', why: told.value.detail }
  if (!told.ok || status >= 500 || PASSING.has(status)) return { kind: 'failed', why }
  throw new ClientError('E_REFUSED', `${api} refuses ${route}`, {
    why: told.value.detail,
    fix: 'mend what was sent; sending it again changes nothing',
    exitCode: EXIT_DATA,
  })
}
