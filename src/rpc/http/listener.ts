/**
 * What all HTTP listeners of the node share: limits, errors in one form, opening and closing. Each concern (CA
 * endpoint, public API, metrics) is a listener of its own; their routes are in their own files.
 */
import type { Server as HttpServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { isIPv6 } from 'node:net'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Logger } from '../../types/logger.ts'
import type { ClientLimiter } from '../client-limiter.ts'
import { bindError } from './errors.ts'
import { type ErrorForm, problemForm, sendProblem } from './problem.ts'
import {
  addAllMethods,
  answerParserError,
  hasReadableBody,
  withinProtocol,
  withinRate,
  withOtherMethodsRefused,
} from './request-rules.ts'
import type { TlsMaterial } from './self-signed.ts'

/** Where to listen; port 0 takes any free port. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Told of every answered request; `route` is the pattern, never the path that a client chose; `other` for none. */
export type HttpObserver = (route: string, statusCode: number, seconds: number) => void

/** What every listener is given. */
export interface ListenerOptions {
  readonly listen: ListenAddress
  /** Null: plain HTTP. */
  readonly tls: TlsMaterial | null
  readonly limiter: ClientLimiter
  readonly logger: Logger
  readonly observe?: HttpObserver
  /** How long a request may take to arrive, from its first byte to its last; by default 30 s. */
  readonly arrivalMs?: number
  /** How long a TLS handshake may take; by default 10 s. */
  readonly handshakeMs?: number
}

/** From the first byte of a request to its last. */
const REQUEST_TIMEOUT_MS = 30_000
/** How often it is looked for requests that are late. */
const LATE_CHECK_MS = 1_000
/** Longer than the 90 s for which reqwest keeps an idle connection, so that the client is the one to close. */
const KEEP_ALIVE_TIMEOUT_MS = 120_000
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000
const CONNECTIONS_MAX = 4_096
/** A path parameter: a request id of 512 bytes, every byte percent-encoded. */
export const PARAMETER_CHARACTERS_MAX = 1_536
/** How long a close waits for requests under way. */
const CLOSE_GRACE_MS = 9_000

/** A listener: routes are added by the constructor's `routes`, then it is started once and closed once. */
export class HttpListener {
  readonly #app: FastifyInstance
  readonly #options: ListenerOptions
  readonly #concern: string

  /**
   * @param concern what this listener is for, in words for an operator
   * @param bodyBytesMax the largest request body
   * @param form how errors are written, also those that no route has a part in
   */
  constructor(
    concern: string,
    options: ListenerOptions,
    bodyBytesMax: number,
    routes: (app: FastifyInstance) => void,
    form: ErrorForm = problemForm,
  ) {
    this.#concern = concern
    this.#options = options
    this.#app = makeApp(options, bodyBytesMax, form)
    this.#app.register(async (scope) => withOtherMethodsRefused(scope, routes))
  }

  /** @throws HttpError `E_PORT_IN_USE` or `E_LISTEN`, naming the address */
  async start(): Promise<void> {
    const { host, port } = this.#options.listen
    try {
      await this.#app.listen({ host, port })
    } catch (cause) {
      throw bindError(cause, this.#concern, `${bracketed(host)}:${port}`)
    }
    this.#server.maxConnections = CONNECTIONS_MAX
    this.#options.logger.info({ concern: this.#concern, url: this.url }, 'listening')
  }

  /** Where it listens, with the port that it got: `https://[::1]:8080`. */
  get url(): string {
    const { address, port } = this.#app.server.address() as AddressInfo
    return `${this.#options.tls === null ? 'http' : 'https'}://${bracketed(address)}:${port}`
  }

  /** Stops listening, ends idle connections, and gives requests under way a bounded time to be answered. */
  async close(): Promise<void> {
    const force = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS)
    try {
      await this.#app.close()
    } finally {
      clearTimeout(force)
    }
  }

  get #server(): HttpServer {
    return this.#app.server
  }
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host
}

function makeApp(options: ListenerOptions, bodyBytesMax: number, form: ErrorForm): FastifyInstance {
  let lastId = 0
  const { tls, limiter, logger, observe, arrivalMs = REQUEST_TIMEOUT_MS } = options
  const { handshakeMs = TLS_HANDSHAKE_TIMEOUT_MS } = options
  const server = {
    connectionsCheckingInterval: Math.min(LATE_CHECK_MS, arrivalMs),
    requestTimeout: arrivalMs,
    // With a longer one for the head, Node looks at bodies no sooner than at heads.
    headersTimeout: arrivalMs,
    // Node would answer by itself, with nothing in it: withinProtocol says it in the form of the listener.
    requireHostHeader: false,
  }
  const common = {
    bodyLimit: bodyBytesMax,
    requestTimeout: arrivalMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    genReqId: () => `${process.pid}-${++lastId}`,
    clientErrorHandler: (error: Error, socket: Socket) => answerParserError(error, socket, form),
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      answerError(error, request, reply, logger),
  } as const
  const app: FastifyInstance =
    tls === null
      ? fastify({ ...common, http: server })
      : (fastify({
          ...common,
          https: { ...server, cert: tls.cert, key: tls.key, handshakeTimeout: handshakeMs },
        }) as unknown as FastifyInstance)
  app.decorate('errorForm', form)
  addAllMethods(app)
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))

  // Bodies are bytes, whatever the caller calls them: `curl -d` says form, others say nothing.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', (request, reply, done) => {
    if (!withinRate(limiter, request, reply) || !withinProtocol(request, reply)) return
    if (!hasReadableBody(request, reply)) return
    delete request.raw.headers['content-type']
    done()
  })
  if (observe !== undefined) {
    app.addHook('onResponse', (request, reply, done) => {
      observe(request.routeOptions.url ?? 'other', reply.statusCode, reply.elapsedTime / 1_000)
      done()
    })
  }
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, {
      title: 'Not found',
      status: 404,
      detail: 'there is no such route here',
      code: 'E_NO_ROUTE',
      fix: 'see docs/reference/http.md for the routes of each listener',
    }),
  )
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, logger))
  return app
}

/** The status that an error of the framework carries (a body too large, a bad length); 500 for a fault of ours. */
function statusOfError(error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const status = statusOfError(error)
  if (status === 500) {
    logger.error({ error, requestId: request.id }, 'a request failed by a fault of ours')
    sendProblem(request, reply, {
      title: 'Internal error',
      status: 500,
      detail: 'the node could not answer; its log has the reason',
      code: 'E_INTERNAL',
      fix: 'try again; if it stays, look for this request id in the log',
    })
    return
  }
  if (status === 413) {
    sendProblem(request, reply, {
      title: 'Content too large',
      status: 413,
      detail: `the body has more than ${request.server.initialConfig.bodyLimit} bytes`,
      code: 'E_BODY_TOO_LARGE',
      fix: 'send less in one request',
    })
    return
  }
  if (status === 414) {
    sendProblem(request, reply, {
      title: 'URI too long',
      status: 414,
      detail: `a part of the path has more than ${PARAMETER_CHARACTERS_MAX} characters`,
      code: 'E_HEAD_TOO_LARGE',
      fix: 'shorten the path',
    })
    return
  }
  sendProblem(request, reply, {
    title: 'Bad request',
    status,
    detail: error instanceof Error ? error.message : String(error),
    code: 'E_BAD_REQUEST',
    fix: 'correct the request',
  })
}
