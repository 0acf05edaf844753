/**
 * Measures every connection now and then, gives up one that is silent several times in a row, and closes
 * duplicates. libp2p's own monitor aborts on one lost ping, which a busy peer must not be punished for.
 */

import type { Connection, Libp2p } from '@libp2p/interface'
import type { Logger } from '../types/logger.ts'
import { abortQuietly, guarded, normaliseError } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import type { Pinger } from './pinger.ts'
import { HOST_LIMITS } from './topics.ts'

/** Parts of a {@link LinkMonitor}. */
export interface LinkMonitorOptions {
  readonly host: Pick<Libp2p, 'getConnections' | 'addEventListener' | 'removeEventListener'>
  readonly pinger: Pick<Pinger, 'measure'>
  readonly ownPeerId: string
  /** A connection that must not be closed as a duplicate. */
  readonly isInUse: (connectionId: string) => boolean
  readonly meter: NetworkMeter
  readonly logger: Logger
}

/** Connections measured in one round; with more, each is measured less often. */
const PER_ROUND_MAX = 32
/** A connection younger than this may still be about to carry something. */
const SETTLED_MS = 5_000

interface Health {
  failures: number
  measuredAtMs: number
}

/** The monitor. */
export class LinkMonitor {
  readonly #options: LinkMonitorOptions
  readonly #health = new WeakMap<Connection, Health>()
  readonly #onOpen: (event: CustomEvent<Connection>) => void
  #timer: NodeJS.Timeout | undefined

  constructor(options: LinkMonitorOptions) {
    this.#options = options
    this.#onOpen = guarded(
      (event: CustomEvent<Connection>) => this.#measure(event.detail),
      (error) => options.logger.debug({ detail: error.message }, 'a connection was not measured'),
    )
  }

  start(): void {
    this.#options.host.addEventListener('connection:open', this.#onOpen)
    this.#timer = setInterval(
      guarded(
        () => this.#round(),
        (error) => this.#options.logger.debug({ detail: error.message }, 'a round of measuring failed'),
      ),
      HOST_LIMITS.pingIntervalMs,
    )
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#options.host.removeEventListener('connection:open', this.#onOpen)
  }

  #round(): void {
    this.#closeDuplicates()
    const open = this.#options.host.getConnections().filter(({ status }) => status === 'open')
    const due = open.sort((a, b) => this.#healthOf(a).measuredAtMs - this.#healthOf(b).measuredAtMs)
    for (const connection of due.slice(0, PER_ROUND_MAX)) void this.#measure(connection)
  }

  #healthOf(connection: Connection): Health {
    let health = this.#health.get(connection)
    if (health === undefined) {
      health = { failures: 0, measuredAtMs: 0 }
      this.#health.set(connection, health)
    }
    return health
  }

  /** Never rejects. */
  async #measure(connection: Connection): Promise<void> {
    const health = this.#healthOf(connection)
    health.measuredAtMs = performance.now()
    try {
      connection.rtt = await this.#options.pinger.measure(connection)
      health.failures = 0
    } catch (thrown) {
      health.failures += 1
      if (health.failures < HOST_LIMITS.pingFailuresMax || connection.status !== 'open') return
      this.#options.meter('connection-given-up', 'silent')
      this.#options.logger.debug(
        { peer: connection.remotePeer.toString(), detail: normaliseError(thrown).message },
        'a silent connection is given up',
      )
      abortQuietly(connection, new Error('the peer does not answer'))
    }
  }

  /** When both sides dialled at once there are two; the side with the lower peer id closes all but one. */
  #closeDuplicates(): void {
    const { host, isInUse, meter, ownPeerId } = this.#options
    const byPeer = new Map<string, Connection[]>()
    for (const connection of host.getConnections()) {
      if (connection.status !== 'open') continue
      const id = connection.remotePeer.toString()
      byPeer.set(id, [...(byPeer.get(id) ?? []), connection])
    }
    for (const [id, connections] of byPeer) {
      if (connections.length < 2 || ownPeerId > id) continue
      const kept = connections.find(({ id: connectionId }) => isInUse(connectionId)) ?? oldest(connections)
      for (const connection of connections) {
        const age = Date.now() - connection.timeline.open
        if (connection === kept || age < SETTLED_MS || carriesRequests(connection)) continue
        meter('connection-given-up', 'duplicate')
        connection.close().catch((thrown: unknown) => abortQuietly(connection, normaliseError(thrown)))
      }
    }
  }
}

function oldest(connections: readonly Connection[]): Connection | undefined {
  return [...connections].sort((a, b) => a.timeline.open - b.timeline.open)[0]
}

/** Whether a protocol of ours, or gossip, has a stream on it. */
function carriesRequests(connection: Connection): boolean {
  return connection.streams.some(
    ({ protocol }) => protocol.startsWith('/hypermesh/') || protocol.startsWith('/meshsub/'),
  )
}
