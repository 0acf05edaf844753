/**
 * Finds more peers when there are few: walks the Kademlia table towards random keys, and takes what multicast
 * DNS finds. A node that knows one bootstrap address gets to know the network this way. A walk costs everybody it
 * meets many streams, so a node that lacks nobody makes none. With nobody to walk to, or when a walk finds nobody,
 * it dials those of its address book.
 */

import { randomBytes } from 'node:crypto'
import type { Connection, Libp2p, PeerId, PeerInfo } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Logger } from '../types/logger.ts'
import type { KnownPeer } from './address-book.ts'
import { guarded, normaliseError } from './guard.ts'

/** Bounds of a {@link PeerFinder}. */
export const PEER_FINDING = {
  /** Enough; above it nothing is looked for. */
  peersWanted: 8,
  /** New peers dialled after one walk. */
  dialsPerWalk: 4,
  /** Waits between walks, doubled while nothing new is found. */
  firstMs: 3_000,
  lastMs: 300_000,
  /** With no peer at all. */
  aloneLastMs: 10_000,
  walkDeadlineMs: 10_000,
} as const

/** Parts of a {@link PeerFinder}. */
export interface PeerFinderOptions {
  readonly host: Pick<
    Libp2p,
    'peerRouting' | 'dial' | 'getConnections' | 'addEventListener' | 'removeEventListener' | 'peerId'
  >
  /** Asks a peer anew who it is, by which Kademlia hears of it anew. */
  readonly identify: (connection: Connection) => Promise<unknown>
  /** Peers of earlier, most recent first. */
  readonly known: () => readonly KnownPeer[]
  /** Whether every peer that this node has to be connected to is; a validator's are the others. */
  readonly lacksNobody: () => boolean
  readonly logger: Logger
}

/** The finder. */
export class PeerFinder {
  readonly #options: PeerFinderOptions
  readonly #onDiscovery: (event: CustomEvent<PeerInfo>) => void
  #waitMs: number = PEER_FINDING.firstMs
  #timer: NodeJS.Timeout | undefined
  #stop = new AbortController()

  constructor(options: PeerFinderOptions) {
    this.#options = options
    this.#onDiscovery = guarded(
      async (event: CustomEvent<PeerInfo>) => {
        if (this.#peers().size < PEER_FINDING.peersWanted) await this.#dial(event.detail.id)
      },
      (error) => options.logger.debug({ detail: error.message }, 'a discovered peer did not answer'),
    )
  }

  start(): void {
    this.#stop = new AbortController()
    this.#options.host.addEventListener('peer:discovery', this.#onDiscovery)
    this.#schedule()
  }

  stop(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
    this.#options.host.removeEventListener('peer:discovery', this.#onDiscovery)
  }

  #peers(): Set<string> {
    return new Set(this.#options.host.getConnections().map(({ remotePeer }) => remotePeer.toString()))
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      void this.#look().then((found) => {
        const lastMs = this.#peers().size === 0 ? PEER_FINDING.aloneLastMs : PEER_FINDING.lastMs
        this.#waitMs = found ? PEER_FINDING.firstMs : Math.min(2 * this.#waitMs, lastMs)
        if (!this.#stop.signal.aborted) this.#schedule()
      })
    }, this.#waitMs)
  }

  /** Never rejects. @returns whether a new peer was connected */
  async #look(): Promise<boolean> {
    if (this.#options.lacksNobody()) return false
    const met = this.#peers()
    if (met.size >= PEER_FINDING.peersWanted) return false
    const isAlone = met.size === 0
    met.add(this.#options.host.peerId.toString())
    if (!isAlone && (await this.#walk(met))) return true
    return this.#dialKnown(met)
  }

  /**
   * @param met who is not dialled; whom the walk meets is added
   * @returns whether a new peer was connected
   */
  async #walk(met: Set<string>): Promise<boolean> {
    const { host, logger } = this.#options
    let connected = 0
    try {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(PEER_FINDING.walkDeadlineMs)])
      for await (const { id } of host.peerRouting.getClosestPeers(randomBytes(32), { signal })) {
        if (met.has(id.toString())) continue
        met.add(id.toString())
        if (await this.#dial(id)) connected += 1
        if (connected >= PEER_FINDING.dialsPerWalk) break
      }
    } catch (thrown) {
      logger.debug({ detail: normaliseError(thrown).message }, 'a walk through the network ended early')
      // With nobody in its table it waits for somebody new. Whom it could not reach at first it has not in its table.
      if (connected === 0 && !this.#stop.signal.aborted) await this.#identifyPeers()
    }
    return connected > 0
  }

  /** A few at a time, until one answers. @returns whether one did */
  async #dialKnown(met: ReadonlySet<string>): Promise<boolean> {
    const known = this.#options.known().filter(({ peerId }) => !met.has(peerId.toString()))
    for (let i = 0; i < known.length && !this.#stop.signal.aborted; i += PEER_FINDING.dialsPerWalk) {
      const some = known.slice(i, i + PEER_FINDING.dialsPerWalk)
      const answered = await Promise.all(some.map(({ addresses }) => this.#dial([...addresses])))
      if (answered.includes(true)) return true
    }
    return false
  }

  async #identifyPeers(): Promise<void> {
    const { host, identify, logger } = this.#options
    for (const connection of host.getConnections()) {
      try {
        await identify(connection)
      } catch (thrown) {
        logger.debug({ detail: normaliseError(thrown).message }, 'a peer did not say again who it is')
      }
    }
  }

  async #dial(peer: PeerId | Multiaddr[]): Promise<boolean> {
    try {
      await this.#options.host.dial(peer, { signal: this.#stop.signal })
      return true
    } catch (thrown) {
      this.#options.logger.debug(
        { detail: normaliseError(thrown).message },
        'a discovered peer did not answer',
      )
      return false
    }
  }
}
