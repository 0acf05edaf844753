/**
 * Ends the connections of a peer whose gossip is rejected again and again. Its score only makes gossipsub deaf to it,
 * and that a second later; a peer that proves its misbehaviour so often is of no use for anything else either.
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

/** Who had how much rejected. It outlives connections: whoever comes back begins where it stopped. */
export class Rejections {
  readonly #options: RejectionsOptions
  readonly #left = new Map<string, TokenBucket>()

  constructor(options: RejectionsOptions) {
    this.#options = options
  }

  /** A message that this peer passed on is rejected. */
  rejected(peer: PeerId): void {
    const { host, isValidator, meter, logger, now } = this.#options
    const id = peer.toString()
    const left = this.#left.get(id) ?? new TokenBucket(REJECTIONS.perSecond, REJECTIONS.burst, now)
    // Those rejected lately are last.
    this.#left.delete(id)
    this.#left.set(id, left)
    for (const oldest of this.#left.keys()) {
      if (this.#left.size <= REJECTIONS.peersMax) break
      this.#left.delete(oldest)
    }
    if (left.take(1) || isValidator(id)) return
    const connections = host.getConnections(peer)
    if (connections.length === 0) return
    logger.warn({ peer: id }, 'what a peer sends is rejected again and again; its connection is ended')
    for (const connection of connections) {
      meter('connection-given-up', 'rejected')
      abortQuietly(connection, new Error('what it sends is rejected'))
    }
  }
}
