/**
 * What a wallet needs of a node's public API, over a ledger in memory: the same answers through a socket or as a `fetch`. A
 * transaction waits until it is asked for the first time after it came, and is in the ledger then.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeTransaction } from '../../../src/codec/transaction.ts'
import type { ShieldedTransaction } from '../../../src/types/shielded.ts'
import type { HashedTransaction } from '../../../src/types/transaction.ts'
import type { FakeLedger } from './fake-ledger.ts'

interface Answer {
  readonly status: number
  readonly body: object
}

const problem = (status: number, code: string, detail: string): Answer => ({
  status,
  body: { title: 'no', status, code, detail, fix: 'no' },
})

export class FakeShieldedNode {
  readonly ledger: FakeLedger
  /** Routes that were asked, in order. */
  readonly asked: string[] = []
  /** Transactions that came, however often. */
  readonly received: HashedTransaction<ShieldedTransaction>[] = []
  /** Answers in place of the ledger when it says something. */
  override: ((route: string) => Answer | null) | null = null
  /** Forgets what waits instead of putting it into the ledger, so many times. */
  losses = 0
  readonly #waiting = new Map<string, HashedTransaction<ShieldedTransaction>>()
  readonly #final = new Map<string, number>()
  #server: Server | null = null

  constructor(ledger: FakeLedger) {
    this.ledger = ledger
  }

  async answer(route: string, body: string | null): Promise<Answer> {
    this.asked.push(route)
    const instead = this.override?.(route) ?? null
    if (instead !== null) return instead
    const url = new URL(route, 'http://node')
    const { ledger } = this
    if (url.pathname === '/v1/status') {
      const { genesisHash, height } = ledger
      return { status: 200, body: { network: 'test', genesisHash, final: { height }, mined: null } }
    }
    if (url.pathname === '/v1/shielded') {
      const { entries, genesisNotes, height, root, pool } = ledger
      const notes = genesisNotes + 2 * entries.length
      const figures = { height, notes, entries: entries.length, root, genesisNotes }
      return { status: 200, body: { ...figures, pool: `${pool}`, issued: '0' } }
    }
    if (url.pathname === '/v1/shielded/entries') {
      const [from, limit] = ['from', 'limit'].map((name) => Number(url.searchParams.get(name)))
      return { status: 200, body: await ledger.page(from ?? 0, limit ?? 0) }
    }
    if (url.pathname.startsWith('/v1/accounts/')) return { status: 200, body: { sequence: 4 } }
    if (url.pathname === '/v1/transactions' && body !== null) return this.#submit(body)
    if (url.pathname.startsWith('/v1/transactions/')) {
      return { status: 200, body: this.#state(url.pathname.slice('/v1/transactions/'.length)) }
    }
    return problem(404, 'E_NO_ROUTE', `no ${route}`)
  }

  #submit(body: string): Answer {
    const { transaction } = JSON.parse(body) as { transaction: string }
    const decoded = decodeTransaction(new Uint8Array(Buffer.from(transaction, 'base64')))
    if (!decoded.ok || decoded.value.transaction.kind !== 'shielded') {
      return problem(400, 'E_TRANSACTION_REFUSED', 'malformed: no shielded transaction')
    }
    const hashed = decoded.value as HashedTransaction<ShieldedTransaction>
    this.received.push(hashed)
    const key = hashed.requestKey
    if (this.#final.has(key)) return { status: 200, body: this.#state(key) }
    try {
      this.ledger.check(hashed.transaction)
    } catch (error) {
      const code = (error as Error).message
      return problem(409, 'E_TRANSACTION_REFUSED', `${code}: so it is`)
    }
    this.#waiting.set(key, hashed)
    return { status: 202, body: { key, state: 'pending', height: null } }
  }

  #state(key: string): object {
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) {
      this.#waiting.delete(key)
      if (this.losses > 0) {
        this.losses--
        return { key, state: 'unknown', height: null }
      }
      this.ledger.submit(waiting.transaction)
      this.#final.set(key, this.ledger.height)
    }
    const height = this.#final.get(key) ?? null
    return { key, state: height === null ? 'unknown' : 'final', height }
  }

  /** In place of the platform's. */
  readonly fetch: typeof fetch = async (input, init) => {
    const { pathname, search } = new URL(String(input))
    const { status, body } = await this.answer(
      pathname + search,
      init?.body === undefined ? null : String(init.body),
    )
    return new Response(JSON.stringify(body), { status })
  }

  /** @returns its base URL */
  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', async () => {
        const body = request.method === 'POST' ? Buffer.concat(parts).toString('utf8') : null
        const answer = await this.answer(request.url ?? '', body)
        response.statusCode = answer.status
        response.setHeader('connection', 'close').end(JSON.stringify(answer.body))
      })
    }).listen(0, '127.0.0.1')
    this.#server = server
    await new Promise((done) => server.once('listening', done))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server?.close()
  }
}
