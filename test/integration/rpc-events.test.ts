/** `/consensus/events` over real sockets: what is told, resuming, gaps, bounds, slow readers, the end. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { EventLog } from '../../src/rpc/http/event-log.ts'
import { EventStreams, type StreamCut } from '../../src/rpc/http/event-streams.ts'
import { CaEndpoint, callHttp, resultIn } from '../support/http-calls.ts'

interface Event {
  readonly id: string | null
  readonly event: string | null
  readonly data: string | null
}

/** One reader, by the rules of the HTML standard as far as they are used. */
class Reader {
  readonly events: Event[] = []
  comments = 0
  lastEventId = ''
  isEnded = false
  readonly #sent: ClientRequest
  #text = ''

  constructor(sent: ClientRequest, response: IncomingMessage) {
    this.#sent = sent
    response.on('data', (chunk: Buffer) => this.#take(chunk.toString()))
    response.on('close', () => {
      this.isEnded = true
    })
    response.on('error', () => {})
  }

  get names(): (string | null)[] {
    return this.events.map(({ event }) => event)
  }

  close(): void {
    this.#sent.destroy()
  }

  #take(chunk: string): void {
    this.#text += chunk
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const lines = this.#text.slice(0, end).split('\n')
      this.#text = this.#text.slice(end + 2)
      const field = (name: string): string | null =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null
      this.comments += lines.filter((line) => line.startsWith(':')).length
      const event = { id: field('id'), event: field('event'), data: field('data') }
      this.lastEventId = event.id ?? this.lastEventId
      if (event.data !== null) this.events.push(event)
    }
  }
}

const block = (height: number) => ({
  height,
  hash: 'ab'.repeat(32),
  view: height,
  proposer: 0,
  time: 1_760_000_000_000,
  transactions: 0,
})

let endpoint: CaEndpoint | null = null
let readers: Reader[] = []
let cuts: StreamCut[] = []

interface Bounds {
  readonly keptMax?: number
  readonly readersMax?: number
  readonly heartbeatMs?: number
}

async function started(bounds: Bounds = {}): Promise<{ log: EventLog; streams: EventStreams; url: string }> {
  const { keptMax = 100, ...rest } = bounds
  const log = new EventLog('a1b2c3d4', keptMax)
  cuts = []
  const streams = new EventStreams({ log, cut: (reason) => cuts.push(reason), ...rest })
  endpoint = new CaEndpoint({}, {}, streams)
  await endpoint.listener.start()
  return { log, streams, url: endpoint.listener.url }
}

afterEach(async () => {
  for (const reader of readers) reader.close()
  readers = []
  await endpoint?.close()
  expect(endpoint?.errors).toEqual([])
  endpoint = null
})

async function read(url: string, lastEventId?: string, query = ''): Promise<Reader> {
  const { hostname, port } = new URL(url)
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
  const sent = request({ hostname, port, path: `/consensus/events${query}`, headers })
  sent.end()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve)
    sent.on('error', reject)
  })
  expect(response.statusCode).toBe(200)
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
  const reader = new Reader(sent, response)
  readers.push(reader)
  await expect.poll(() => reader.comments).toBeGreaterThan(0)
  return reader
}

describe('a stream of events', () => {
  it('tells what is new, with numbers, and nothing that was before', async () => {
    const { log, url } = await started()
    log.publish('block', block(1))
    const reader = await read(url)
    log.publish('block', block(2))
    log.publish('readiness', { ready: false, notReadyBecause: ['connected to no peer'] })
    await expect.poll(() => reader.events).toHaveLength(2)
    expect(reader.events).toEqual([
      { id: 'a1b2c3d4-2', event: 'block', data: JSON.stringify(block(2)) },
      {
        id: 'a1b2c3d4-3',
        event: 'readiness',
        data: '{"ready":false,"notReadyBecause":["connected to no peer"]}',
      },
    ])
  })

  it('goes on where another ended', async () => {
    const { log, url } = await started()
    const first = await read(url)
    log.publish('block', block(1))
    await expect.poll(() => first.lastEventId).toBe('a1b2c3d4-1')
    first.close()
    for (const height of [2, 3]) log.publish('block', block(height))
    const second = await read(url, first.lastEventId)
    log.publish('block', block(4))
    await expect
      .poll(() => second.events.map(({ id }) => id))
      .toEqual(['a1b2c3d4-2', 'a1b2c3d4-3', 'a1b2c3d4-4'])
  })

  it('goes on without a gap although nothing happened before the connection was lost', async () => {
    const { log, url } = await started()
    log.publish('block', block(1))
    const first = await read(url)
    first.close()
    log.publish('block', block(2))
    const second = await read(url, first.lastEventId)
    await expect.poll(() => second.events.map(({ id }) => id)).toEqual(['a1b2c3d4-2'])
  })

  it.each([
    ['is too old', 'a1b2c3d4-2'],
    ['is of another run', 'ffffffff-11'],
    ['is still to come', 'a1b2c3d4-99'],
    ['is none', 'x'],
  ])('says that there is a gap when the last id %s', async (_, lastEventId) => {
    const { log, url } = await started({ keptMax: 4 })
    for (let height = 1; height <= 10; height++) log.publish('block', block(height))
    const reader = await read(url, lastEventId)
    await expect.poll(() => reader.names).toEqual(['gap', 'block', 'block', 'block', 'block'])
    expect(reader.events[0]).toEqual({
      id: 'a1b2c3d4-6',
      event: 'gap',
      data: JSON.stringify({ lastEventId }),
    })
    expect(reader.events[1]?.id).toBe('a1b2c3d4-7')
  })

  it('tells chosen topics only', async () => {
    const { log, url } = await started({ heartbeatMs: 20 })
    const reader = await read(url, undefined, '?topics=readiness,verdict')
    log.publish('block', block(1))
    log.publish('readiness', { ready: true, notReadyBecause: [] })
    log.publish('block', block(2))
    await expect.poll(() => reader.names).toEqual(['readiness'])
    // A heartbeat moves the id past what was of no interest.
    await expect.poll(() => reader.lastEventId).toBe('a1b2c3d4-3')
  })

  it.each(['?topics=', '?topics=blocks', '?topics=block,x'])('refuses %s', async (query) => {
    const { url } = await started()
    const reply = await callHttp(url, `/consensus/events${query}`)
    expect(reply.status).toBe(400)
    expect(resultIn(reply.body).result).toMatchObject({
      message: expect.stringContaining('topics are a list of verdict, block, readiness'),
    })
  })

  it('beats while nothing happens', async () => {
    const { url } = await started({ heartbeatMs: 20 })
    const reader = await read(url)
    await expect.poll(() => reader.comments).toBeGreaterThan(3)
    expect(reader.events).toEqual([])
  })

  it('is refused beyond the number of readers, and let in when one has left', async () => {
    const { streams, url } = await started({ readersMax: 2 })
    const [first] = [await read(url), await read(url)]
    const refused = await callHttp(url, '/consensus/events')
    expect([refused.status, refused.headers['retry-after'], cuts]).toEqual([503, '5', ['too-many']])
    expect(resultIn(refused.body).result).toMatchObject({ errorCode: 'NODE_BUSY' })
    first?.close()
    await expect.poll(() => streams.readers).toBe(1)
    await read(url)
  })

  it('is cut when nobody reads, without anything being put aside', async () => {
    const { log, streams, url } = await started({ keptMax: 1_000 })
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.pause()
    socket.write('GET /consensus/events HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => streams.readers).toBe(1)
    const view = { ready: false, notReadyBecause: ['x'.repeat(8_000)] }
    for (let i = 0; i < 20_000 && streams.readers > 0; i++) {
      log.publish('readiness', view)
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await expect.poll(() => streams.readers).toBe(0)
    expect(cuts).toEqual(['slow'])
    socket.destroy()
  })

  it('is cut when its reader stands still for a whole beat', async () => {
    const { log, streams, url } = await started({ keptMax: 100_000, heartbeatMs: 50 })
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.pause()
    socket.write('GET /consensus/events HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(() => streams.readers).toBe(1)
    const view = { ready: false, notReadyBecause: ['x'.repeat(8_000)] }
    // More than the buffers of both sockets hold, less than the log.
    for (let i = 0; i < 2_000; i++) log.publish('readiness', view)
    await expect.poll(() => cuts).toEqual(['slow'])
    await expect.poll(() => streams.readers).toBe(0)
    socket.destroy()
  })

  it('ends in good order when the listener closes', async () => {
    const { streams, url } = await started()
    const reader = await read(url)
    await endpoint?.close()
    await expect.poll(() => reader.isEnded).toBe(true)
    expect(streams.readers).toBe(0)
  })
})
