/** HTTP servers on loopback that do what servers do on bad days, each as long as the test wants it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerBytes } from './scripted-carrier.ts'

/** What the server does with a request. */
export type Behaviour =
  | 'valid'
  | 'closes in the middle of its answer'
  | 'closes at once'
  | 'hangs'
  | 'is not ready'
  | 'says 503 with a page'
  | 'says something else in JSON'
  | 'says no JSON'
  | 'redirects'
  | 'never ends its answer'
  | 'has a verdict under 403'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly body: string
  readonly port: number | undefined
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const notReady = answerBytes({ kind: 'error', errorCode: 'CONSENSUS_NOT_INITIALIZED', message: 'no quorum' })

export class MisbehavingServer {
  behaviour: Behaviour
  /** Where a redirect leads. */
  target = ''
  readonly seen: SeenRequest[] = []
  readonly #server: Server

  private constructor(behaviour: Behaviour) {
    this.behaviour = behaviour
    this.#server = createServer((request, response) => {
      bodyOf(request).then((body) => {
        const { method = '', url = '', socket } = request
        this.seen.push({ method, url, body, port: socket.remotePort })
        this.#answer(response)
      })
    })
  }

  static async start(behaviour: Behaviour): Promise<MisbehavingServer> {
    const server = new MisbehavingServer(behaviour)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(response: ServerResponse): void {
    const valid = answerBytes({ kind: 'valid' })
    switch (this.behaviour) {
      case 'valid':
        response.writeHead(200).end(valid)
        return
      case 'closes in the middle of its answer':
        response.writeHead(200, { 'content-length': valid.length })
        response.write(valid.subarray(0, 100), () => response.destroy())
        return
      case 'closes at once':
        response.destroy()
        return
      case 'hangs':
        return
      case 'is not ready':
        response.writeHead(503).end(notReady)
        return
      case 'says 503 with a page':
        response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>Service Unavailable</h1>')
        return
      case 'says something else in JSON':
        response.writeHead(200).end('{"result":"Fine"}')
        return
      case 'says no JSON':
        response.writeHead(200).end('Hello')
        return
      case 'redirects':
        response.writeHead(307, { location: this.target }).end()
        return
      case 'never ends its answer': {
        response.writeHead(200)
        const more = (): void => {
          if (!response.destroyed) response.write(Buffer.alloc(256 * 1024, 0x20), more)
        }
        more()
        return
      }
      case 'has a verdict under 403':
        response.writeHead(403).end(valid)
        return
    }
  }
}
