/**
 * Ends the connections of a peer whose gossip is rejected again and again, and gives it none for a while. Its score only
 * makes gossipsub deaf to it, and that a second later: every message is decrypted and decoded all the same. A peer that
 * proves its misbehaviour so often is of no use for anything else either.
 */

import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Logger } from '../types/logger.ts'
import { abortQuietly } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import { TokenBucket } from './token-bucket.ts'
import { REJECTIONS } from './topics.ts'

/** Parts of {@link Rejections}. */
export interface RejectionsOptions {
  readonly host: Pick<Libp2p, 'getConnections'>
  /** Nothing costs a validator its place. */
  readonly isValidator: (peerId: string) => boolean
  readonly meter: NetworkMeter
  readonly logger: Logger
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

/** What was rejected of one peer. */
interface PeerRecord {
  /** How many more may be. */
  readonly left: TokenBucket
  bannedUntil: number
}

/** Who had how much rejected. It outlives connections: whoever comes back begins where it stopped. */
export class Rejections {
  readonly #options: RejectionsOptions
  readonly #now: () => number
  readonly #records = new Map<string, PeerRecord>()

  constructor(options: RejectionsOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** Whether a peer gets no connection now. */
  isBanned(peerId: string): boolean {
    const { bannedUntil = 0 } = this.#records.get(peerId) ?? {}
    return this.#now() < bannedUntil && !this.#options.isValidator(peerId)
  }

  /** A message that this peer passed on is rejected. */
  rejected(peer: PeerId): void {
    const { host, isValidator, meter, logger } = this.#options
    const id = peer.toString()
    const record = this.#records.get(id) ?? {
      left: new TokenBucket(REJECTIONS.perSecond, REJECTIONS.burst, this.#now),
      bannedUntil: 0,
    }
    // Those rejected lately are last.
    this.#records.delete(id)
    this.#records.set(id, record)
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= REJECTIONS.peersMax) break
      this.#records.delete(oldest)
    }
    if (record.left.take(1) || isValidator(id)) return
    record.bannedUntil = this.#now() + REJECTIONS.bannedMs
    const connections = host.getConnections(peer)
    if (connections.length === 0) return
    logger.warn({ peer: id }, 'what a peer sends is rejected again and again; its connection is ended')
    for (const connection of connections) {
      meter('connection-given-up', 'rejected')
      abortQuietly(connection, new Error('what it sends is rejected'))
    }
  }
}
