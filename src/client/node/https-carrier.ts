/**
 * HTTP and HTTPS by Node's own client, for what `fetch` cannot do: trust a node's self-signed certificate, a CA of one's
 * own, or nobody's. Connections are kept and used again.
 */

import { X509Certificate } from 'node:crypto'
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { type AgentOptions, Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { CallLimits, Carrier, CarrierFactory, CarrierReply, ClientMethod } from '../carrier.ts'
import { ClientError } from '../client-error.ts'
import { httpCall, httpReply, redirectReply } from '../http-call.ts'

/** Which certificate a node may show. Loopback is `any` unless something else is said: the node makes its own there. */
export type TlsTrust =
  /** The system's CAs. */
  | { readonly kind: 'system' }
  /** One of these CAs (PEM) in place of the system's; names are checked. */
  | { readonly kind: 'ca'; readonly ca: string }
  /** This very certificate (PEM) and no other, whatever name it has. */
  | { readonly kind: 'pinned'; readonly certificate: string }
  /** Whatever is shown: only where nobody else can answer. */
  | { readonly kind: 'any' }

/** Options of {@link httpsCarrier}. */
export interface HttpsOptions {
  readonly tls?: TlsTrust
  /** Further headers, as a proxy in front of the node may want them. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Connections to one endpoint. */
const SOCKETS_MAX = 32
/** Begins what is said of one. */
export const NOT_PINNED = 'the certificate shown is not the pinned one'
/** What Node's check says of a chain that does not end in what is trusted. */
const UNTRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_SIGNATURE_FAILURE)$/
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

/** @throws ClientError `E_TLS_TRUST` when the certificate to trust cannot be read */
export function httpsCarrier(options: HttpsOptions = {}): CarrierFactory {
  const { tls, headers = {} } = options
  const agentOptions = tls === undefined ? null : trustOptions(tls)
  return (endpoint) => {
    const url = new URL(endpoint)
    const isLoopback = LOOPBACK.test(url.hostname)
    const trust = agentOptions ?? (isLoopback ? { rejectUnauthorized: false } : {})
    return new HttpsCarrier(url, trust, headers, tls?.kind === 'pinned')
  }
}

function trustOptions(tls: TlsTrust): AgentOptions {
  switch (tls.kind) {
    case 'system':
      return { rejectUnauthorized: true }
    case 'ca':
      return { rejectUnauthorized: true, ca: tls.ca }
    case 'any':
      return { rejectUnauthorized: false }
    case 'pinned': {
      const { fingerprint256 } = readCertificate(tls.certificate)
      return {
        rejectUnauthorized: true,
        ca: tls.certificate,
        checkServerIdentity: (_host, shown) =>
          shown.fingerprint256 === fingerprint256
            ? undefined
            : new Error(`${NOT_PINNED}: ${shown.fingerprint256}`),
      }
    }
  }
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new ClientError('E_TLS_TRUST', 'the pinned certificate cannot be read', {
      why: 'it holds no certificate between lines of BEGIN CERTIFICATE and END CERTIFICATE',
      fix: "give it as PEM; a node's own lies in its data directory as tls/rpc.crt",
      exitCode: 65,
      cause,
    })
  }
}

class HttpsCarrier implements Carrier {
  readonly #url: URL
  readonly #agent: HttpAgent
  readonly #headers: Readonly<Record<string, string>>
  readonly #isPinned: boolean

  constructor(url: URL, tls: AgentOptions, headers: Readonly<Record<string, string>>, isPinned: boolean) {
    const pool = { keepAlive: true, maxSockets: SOCKETS_MAX }
    this.#url = url
    this.#agent = url.protocol === 'https:' ? new HttpsAgent({ ...pool, ...tls }) : new HttpAgent(pool)
    this.#headers = headers
    this.#isPinned = isPinned
  }

  async call(method: ClientMethod, payload: Uint8Array, limits: CallLimits): Promise<CarrierReply> {
    try {
      return await this.#send(method, payload, limits)
    } catch (error) {
      // The server had closed a kept connection just then: that says nothing about the server.
      if (!(error instanceof StaleConnection)) throw error
      return this.#send(method, payload, limits)
    }
  }

  async close(): Promise<void> {
    this.#agent.destroy()
  }

  /** Another certificate than the pinned one is found untrusted before it is compared. */
  #explained(error: Error): Error {
    const isUntrusted = 'code' in error && UNTRUSTED.test(String(error.code))
    return this.#isPinned && isUntrusted ? new Error(NOT_PINNED, { cause: error }) : error
  }

  #send(method: ClientMethod, payload: Uint8Array, limits: CallLimits): Promise<CarrierReply> {
    const call = httpCall(this.#url.href, method, payload)
    const send = this.#url.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const request = send(
        call.url,
        {
          method: call.method,
          agent: this.#agent,
          signal: limits.signal,
          headers: {
            ...this.#headers,
            ...(call.body === null
              ? {}
              : { 'content-type': 'application/json', 'content-length': call.body.length }),
          },
        },
        (response) => read(response, method, limits.answerBytesMax).then(resolve, reject),
      )
      request.on('error', (error) => {
        const isReset = 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        reject(request.reusedSocket && isReset ? new StaleConnection() : this.#explained(error))
      })
      request.end(call.body ?? undefined)
    })
  }
}

/** A connection that was kept turned out to be closed. */
class StaleConnection extends Error {}

async function read(
  response: IncomingMessage,
  method: ClientMethod,
  bytesMax: number,
): Promise<CarrierReply> {
  const status = response.statusCode ?? 0
  if (status >= 300 && status < 400) {
    response.destroy()
    return redirectReply()
  }
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bytesMax) {
      response.destroy()
      throw new Error(`the answer is longer than ${bytesMax} bytes`)
    }
    chunks.push(chunk)
  }
  return httpReply(method, status, response.headers['retry-after'] ?? null, Buffer.concat(chunks))
}
