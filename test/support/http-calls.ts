/** Calls to a listener over HTTP or HTTPS, with every part of the answer; and the CA endpoint over a fake network. */
import { request as plainRequest } from 'node:http'
import { type Agent, request as tlsRequest } from 'node:https'
import { connect } from 'node:net'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import { makeCaServer } from '../../src/rpc/http/ca-server.ts'
import type { EventStreams } from '../../src/rpc/http/event-streams.ts'
import type { HttpListener, ListenerOptions } from '../../src/rpc/http/listener.ts'
import { readJson } from '../../src/rpc/json-shape.ts'
import { validationAnswer } from '../../src/rpc/trustchain-json-response.ts'
import type { ValidationAnswer } from '../../src/validation/answer.ts'
import { ValidationService, type ValidationServiceOptions } from '../../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork } from './fake-network.ts'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface Call {
  readonly method?: string
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  /** Over HTTPS: the certificate to trust. */
  readonly ca?: string
  /** Over HTTPS: brings its own trust, and keeps its connections. */
  readonly agent?: Agent
}

export function callHttp(
  base: string,
  path: string,
  { method, body, headers = {}, ca, agent }: Call = {},
): Promise<Reply> {
  const { protocol, hostname, port } = new URL(base)
  const request = protocol === 'https:' ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: hostname.replace(/^\[|\]$/g, ''),
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers,
        ...(agent === undefined ? { ca } : { agent }),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Sends bytes as they are and reads until the other side closes. */
export function rawHttp(base: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

/** The one shape in which everything on the CA endpoint is answered. */
export function resultIn(body: string): ValidationAnswer {
  const answer = readJson(validationAnswer, Buffer.from(body))
  if (!answer.ok) throw new Error(`${answer.detail} in ${body}`)
  return answer.value
}

/** A CA endpoint on a free port, the network behind it in the hands of the test. */
export class CaEndpoint {
  readonly network = new FakeNetwork()
  readonly clock = new FakeClock()
  readonly errors: object[] = []
  readonly service: ValidationService
  readonly listener: HttpListener

  constructor(
    options: Partial<ListenerOptions> = {},
    serviceOptions: Partial<ValidationServiceOptions> = {},
    events?: EventStreams,
  ) {
    const { network, clock } = this
    this.service = new ValidationService({
      ...network,
      clock,
      nodeName: 'node-1',
      version: '1.2.3',
      ...serviceOptions,
    })
    const logger = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (fields: object) => void this.errors.push(fields),
    }
    this.listener = makeCaServer(
      this.service,
      {
        listen: { host: '127.0.0.1', port: 0 },
        tls: null,
        limiter: new ClientLimiter(() => performance.now()),
        logger,
        ...options,
      },
      events,
    )
  }

  call(path: string, call: Call = {}): Promise<Reply> {
    return callHttp(this.listener.url, path, call)
  }

  async close(): Promise<void> {
    await this.listener.close()
    this.service.close()
  }
}
