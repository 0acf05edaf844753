/**
 * Round trips, one under way per connection: libp2p's ping specification allows whoever dials one stream, and a
 * second one is refused. Both who measures connections and Kademlia, which takes nobody into its table before a
 * ping was answered, ask here; who asks while a ping is under way gets its result.
 */

import { randomBytes } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import { type Ping, type PingComponents, ping } from '@libp2p/ping'
import { abortQuietly, normaliseError } from './guard.ts'
import { HOST_LIMITS } from './topics.ts'

/** What libp2p's specification sends there and back. */
const PING_BYTES = 32

/** The one that pings. */
export class Pinger {
  readonly #protocol: string
  readonly #underWay = new WeakMap<Connection, Promise<number>>()

  /** @param protocol libp2p's name of the ping protocol */
  constructor(protocol: string) {
    this.#protocol = protocol
  }

  /**
   * Milliseconds for 32 bytes there and back.
   *
   * @throws Error when the connection is closed, or nothing comes back in `HOST_LIMITS.pingTimeoutMs`
   */
  measure(connection: Connection): Promise<number> {
    const known = this.#underWay.get(connection)
    if (known !== undefined) return known
    const measured = this.#measure(connection)
    this.#underWay.set(connection, measured)
    return measured
  }

  /** libp2p's service for `createLibp2p`, which answers pings as ever and makes its own here. */
  service(): (components: PingComponents) => Ping {
    const inner = ping()
    return (components) => {
      const service = inner(components)
      service.ping = async (peer, options) => {
        const connection = await components.connectionManager.openConnection(peer, options)
        options?.signal?.throwIfAborted()
        return this.measure(connection)
      }
      return service
    }
  }

  async #measure(connection: Connection): Promise<number> {
    const signal = AbortSignal.timeout(HOST_LIMITS.pingTimeoutMs)
    let stream: Stream | undefined
    try {
      stream = await connection.newStream(this.#protocol, { signal, runOnLimitedConnection: true })
      return await roundTrip(stream, signal)
    } catch (thrown) {
      if (stream !== undefined) abortQuietly(stream, normaliseError(thrown))
      throw thrown
    } finally {
      // Until the other side has closed it, too, it counts as open, and the next one would be one too many.
      void closed(stream, signal).then(() => this.#underWay.delete(connection))
    }
  }
}

async function roundTrip(stream: Stream, signal: AbortSignal): Promise<number> {
  const startedMs = performance.now()
  await new Promise<void>((resolve, reject) => {
    let received = 0
    stream.addEventListener('message', ({ data }) => {
      received += data.byteLength
      if (received >= PING_BYTES) resolve()
    })
    stream.addEventListener('close', (event) =>
      reject(event.error ?? new Error('the ping stream was closed')),
    )
    signal.addEventListener('abort', () => reject(new Error('no answer to a ping in time')), { once: true })
    stream.send(randomBytes(PING_BYTES))
  })
  return performance.now() - startedMs
}

/** Closes it, by force if the other side has not by the deadline. Never rejects. */
async function closed(stream: Stream | undefined, signal: AbortSignal): Promise<void> {
  if (stream === undefined || stream.status !== 'open') return
  const gone = new Promise<void>((resolve) => {
    stream.addEventListener('close', () => resolve(), { once: true })
  })
  const late = (): void => abortQuietly(stream, new Error('a ping stream was not closed in time'))
  signal.addEventListener('abort', late, { once: true })
  stream.close({ signal }).catch(late)
  await gone
  signal.removeEventListener('abort', late)
}
