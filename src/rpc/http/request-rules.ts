/**
 * What every listener asks of a request before its route sees it: not too many, a body that can be read, a method
 * that the path has, and that it arrives in time. Refusals only; the routes know none of this.
 */
import { METHODS, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { ClientLimiter } from '../client-limiter.ts'
import { type ErrorForm, type Problem, sendProblem } from './problem.ts'

/** Whole seconds, at least one, as `Retry-After` has them. */
export function retryAfterSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1_000)))
}

/** Answers 429 with `Retry-After`, naming the limit. @returns whether the request may go on */
export function withinRate(
  limiter: ClientLimiter,
  request: FastifyRequest,
  reply: FastifyReply,
  count = 1,
): boolean {
  const admission = limiter.take(request.ip, count)
  if (admission.ok) return true
  const seconds = retryAfterSeconds(admission.retryAfterMs)
  reply.header('retry-after', seconds)
  sendProblem(request, reply, {
    title: 'Too many requests',
    status: 429,
    detail: `the limit is ${admission.limit} (ca.rate); try again in ${seconds} s`,
    code: 'E_RATE_LIMITED',
    fix: 'send fewer at once',
  })
  return false
}

/**
 * Answers what HTTP/1.1 itself has refused: 400 without a host (RFC 9112, section 3.2), 417 for an expectation that
 * nobody knows (RFC 9110, section 10.1.1). @returns whether the request may go on
 */
export function withinProtocol(request: FastifyRequest, reply: FastifyReply): boolean {
  const { host, expect } = request.headers
  if (host === undefined && request.raw.httpVersion === '1.1') {
    sendProblem(request, reply, {
      title: 'Bad request',
      status: 400,
      detail: 'a request of HTTP/1.1 names its host, and this one names none',
      code: 'E_BAD_REQUEST',
      fix: 'send the header Host: the name or address, and the port, that you connect to',
    })
    return false
  }
  if (typeof expect === 'string' && expect.toLowerCase() !== '100-continue') {
    sendProblem(request, reply, {
      title: 'Expectation failed',
      status: 417,
      detail: `nothing here answers the expectation ${JSON.stringify(expect.slice(0, 40))}`,
      code: 'E_EXPECTATION',
      fix: 'leave out the header Expect, or say 100-continue',
    })
    return false
  }
  return true
}

/** What `curl -d` and plain clients say of JSON, besides what JSON is called. */
const READABLE =
  /^(?:[^/]+\/(?:[^/]+\+)?json|application\/x-www-form-urlencoded|text\/plain|application\/octet-stream)$/

/**
 * Why a body cannot be read by what its headers say of it; null when it may be JSON. A type that is none
 * (`nonsense;;;`) says nothing.
 */
export function unreadableBody(headers: Readonly<Record<string, unknown>>): string | null {
  const coding = headers['content-encoding']
  if (typeof coding === 'string' && coding.trim().toLowerCase() !== 'identity') {
    return `a body in the coding ${JSON.stringify(coding.slice(0, 40))}`
  }
  const type = headers['content-type']
  if (typeof type !== 'string') return null
  const [name = '', ...parameters] = type.toLowerCase().split(';')
  const isType = /^[\w.+-]+\/[\w.+-]+$/.test(name.trim())
  if (isType && !READABLE.test(name.trim())) return `a body of the type ${name.trim().slice(0, 80)}`
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(parameter)?.[1])
    .find((value) => value !== undefined)
  if (charset === undefined || /^(?:utf-?8|us-ascii)$/.test(charset)) return null
  return `a body in the character set ${charset.slice(0, 40)}`
}

/** Answers 415 and says what would be read. @returns whether the request may go on */
export function hasReadableBody(request: FastifyRequest, reply: FastifyReply): boolean {
  if (request.method !== 'POST') return true
  const unreadable = unreadableBody(request.headers)
  if (unreadable === null) return true
  reply.header('accept', 'application/json').header('accept-encoding', 'identity')
  sendProblem(request, reply, {
    title: 'Unsupported media type',
    status: 415,
    detail: `${unreadable} cannot be read here`,
    code: 'E_MEDIA_TYPE',
    fix: 'send JSON in UTF-8 as application/json, not compressed',
  })
  return false
}

/**
 * Gives every path that `routes` adds an answer to all other methods: 405 with `Allow`.
 * @param app a scope of its own
 */
export function withOtherMethodsRefused(app: FastifyInstance, routes: (app: FastifyInstance) => void): void {
  const known = new Map<string, Set<string>>()
  let isClosed = false
  app.addHook('onRoute', ({ url, method }: RouteOptions) => {
    if (isClosed) return
    const methods = known.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    known.set(url, methods)
  })
  routes(app)
  isClosed = true
  for (const [url, methods] of known) {
    const allow = [...methods].sort().join(', ')
    app.route({
      url,
      method: app.supportedMethods.filter((method) => !methods.has(method)),
      exposeHeadRoute: false,
      handler: (request, reply) => {
        reply.header('allow', allow)
        return sendProblem(request, reply, {
          title: 'Method not allowed',
          status: 405,
          detail: `${request.method} is not for this path, which takes ${allow}`,
          code: 'E_METHOD',
          fix: 'see docs/reference/http.md for the method of each path',
        })
      },
    })
  }
}

/** Methods that the framework does not know by itself; CONNECT has no path. */
export function addAllMethods(app: FastifyInstance): void {
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !app.supportedMethods.includes(method))
      app.addHttpMethod(method, { hasBody: true })
  }
}

/** What the parser of the protocol has against a request: there is no route, and perhaps no request, to answer. */
function problemOfParser(code: unknown): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return {
      title: 'Request timeout',
      status: 408,
      detail: 'the request did not arrive in time',
      code: 'E_REQUEST_TIMEOUT',
      fix: 'send the whole request at once',
    }
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return {
      title: 'Request header fields too large',
      status: 431,
      detail: 'the head of the request is too long',
      code: 'E_HEAD_TOO_LARGE',
      fix: 'send fewer or shorter headers',
    }
  }
  return {
    title: 'Bad request',
    status: 400,
    detail: 'this is not HTTP/1.1',
    code: 'E_BAD_REQUEST',
    fix: 'check who sends this, and whether a proxy in between changes it',
  }
}

/** How long the answer to what never became a request may take to leave. */
const LAST_WORDS_MS = 5_000

/** Whether an error is about the protocol above TCP and TLS, so that whoever sent it can be answered. */
function isOfHttp(code: unknown): boolean {
  return typeof code === 'string' && (code.startsWith('HPE_') || code.startsWith('ERR_HTTP_'))
}

/**
 * Answers on the bare socket, for what never became a request, and closes it. Nothing can be said where TLS failed: what
 * is written before the end of a handshake never leaves, and the socket with it.
 */
export function answerParserError(error: Error, socket: Socket, form: ErrorForm): void {
  const code = 'code' in error ? error.code : undefined
  if (isOfHttp(code) && socket.writable) {
    // One that takes nothing in is not waited for.
    socket.setTimeout(LAST_WORDS_MS, () => socket.destroy())
    const problem = problemOfParser(code)
    const { contentType, body } = form(problem, null)
    socket.end(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\nContent-Type: ${contentType}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
    return
  }
  socket.destroy()
}
