/**
 * One persistent push stream per pair of validators. The one with the lower id opens it, over whichever
 * connection there is; only keys of the current validator set may. What a message says is not its matter.
 */

import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Logger } from '../types/logger.ts'
import type { ValidatorId } from '../types/primitives.ts'
import { CONSENSUS_CHANNEL, ConsensusLink, type LinkEvents } from './consensus-link.ts'
import { abortQuietly, guarded, guardStreams, normaliseError, StreamCut } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import { PROTOCOL_LIMITS } from './topics.ts'
import type { ValidatorPeers } from './validator-peers.ts'

/** What the channel needs of libp2p. */
export type ChannelHost = Pick<
  Libp2p,
  'handle' | 'unhandle' | 'addEventListener' | 'removeEventListener' | 'getConnections'
>

/** Parts and settings of a {@link ConsensusChannel}. */
export interface ConsensusChannelOptions {
  readonly host: ChannelHost
  /** Protocol id, see `wireNames`. */
  readonly protocol: string
  /** Who we are; null on a node that is no validator, which keeps no links. */
  readonly ownId: ValidatorId | null
  readonly peers: ValidatorPeers
  /** Called in the order of arrival per validator; the bytes belong to the receiver. */
  readonly onMessage: (from: ValidatorId, bytes: Uint8Array) => void
  readonly onReachabilityChange: (id: ValidatorId, isReachable: boolean) => void
  readonly meter: NetworkMeter
  readonly logger: Logger
}

/** How a message is sent. */
export interface SendOptions {
  /** It is not urgent: it may wait up to 15 ms for the next message, and is the first to go when a queue is full. */
  readonly lazy?: boolean
}

export interface BroadcastOptions extends SendOptions {
  /** Is written to before the others. Of somebody who is not talked to, or ourselves, nothing comes. */
  readonly first?: ValidatorId | undefined
}

interface Opening {
  waitMs: number
  timer: NodeJS.Timeout | undefined
  underWay: boolean
}

/** The channel. */
export class ConsensusChannel {
  readonly #options: ConsensusChannelOptions
  readonly #links = new Map<ValidatorId, ConsensusLink>()
  readonly #openings = new Map<ValidatorId, Opening>()
  #unflushed = new Set<ConsensusLink>()
  readonly #linkEvents: LinkEvents
  readonly #onConnectionOpen: (event: CustomEvent<Connection>) => void
  #validators: ReadonlySet<ValidatorId> = new Set()
  #keepAlive: NodeJS.Timeout | undefined
  #lazyTimer: NodeJS.Timeout | undefined
  #flushScheduled = false
  #tickedAtMs = 0
  #started = false

  constructor(options: ConsensusChannelOptions) {
    this.#options = options
    this.#linkEvents = {
      onMessage: options.onMessage,
      onReachable: (id, isReachable) => {
        options.logger.debug({ validator: id, isReachable }, 'a validator changed its reachability')
        const opening = this.#openings.get(id)
        if (isReachable && opening !== undefined) opening.waitMs = CONSENSUS_CHANNEL.reopenFirstMs
        options.onReachabilityChange(id, isReachable)
      },
      onDetached: (id) => this.#openSoon(id),
    }
    this.#onConnectionOpen = guarded(
      (event: CustomEvent<Connection>) => this.#onConnection(event.detail),
      (error) => options.logger.debug({ detail: error.message }, 'a new connection was not looked at'),
    )
  }

  /** Begins to accept and open streams. */
  async start(): Promise<void> {
    const { host, protocol, meter, logger } = this.#options
    const { streamsInboundMax, streamsOutboundMax } = PROTOCOL_LIMITS.consensusChannel
    this.#started = true
    await host.handle(
      protocol,
      guardStreams({ protocol, meter, logger }, (stream, connection) => this.#accept(stream, connection)),
      { maxInboundStreams: streamsInboundMax, maxOutboundStreams: streamsOutboundMax },
    )
    host.addEventListener('connection:open', this.#onConnectionOpen)
    this.#tickedAtMs = performance.now()
    this.#keepAlive = setInterval(() => this.#tick(), CONSENSUS_CHANNEL.keepAliveMs)
    for (const id of this.#links.keys()) this.#openSoon(id)
  }

  /** Closes every link. */
  async stop(): Promise<void> {
    this.#started = false
    clearInterval(this.#keepAlive)
    clearTimeout(this.#lazyTimer)
    this.#lazyTimer = undefined
    this.#options.host.removeEventListener('connection:open', this.#onConnectionOpen)
    for (const id of [...this.#links.keys()]) this.#removeLink(id)
    await this.#options.host.unhandle(this.#options.protocol)
  }

  /** Who may talk and is talked to from now on; links with others are closed. Our own id may be among them. */
  setValidators(ids: readonly ValidatorId[]): void {
    const { ownId } = this.#options
    this.#validators = new Set(ids)
    const wanted = ownId !== null && this.#validators.has(ownId) ? this.#validators : new Set<ValidatorId>()
    for (const id of [...this.#links.keys()]) if (!wanted.has(id)) this.#removeLink(id)
    for (const id of wanted) {
      if (id === ownId || this.#links.has(id)) continue
      this.#links.set(
        id,
        new ConsensusLink(id, this.#linkEvents, this.#options.meter, () => performance.now()),
      )
      this.#openSoon(id)
    }
  }

  /** Sends to every other validator; those that are away get it if they are back within seconds. */
  broadcast(bytes: Uint8Array, { first, ...options }: BroadcastOptions = {}): void {
    const before = first === undefined ? undefined : this.#links.get(first)
    if (before !== undefined) {
      // Another of them may have something waiting: who was to be written to before counts from here.
      this.#unflushed = new Set([before, ...this.#unflushed])
      this.#push(before, bytes, options)
    }
    for (const link of this.#links.values()) if (link !== before) this.#push(link, bytes, options)
  }

  /**
   * Sends to one validator.
   *
   * @returns whether the message was queued: false for a stranger, ourselves, or one beyond every bound
   */
  send(to: ValidatorId, bytes: Uint8Array, options: SendOptions = {}): boolean {
    const link = this.#links.get(to)
    return link !== undefined && this.#push(link, bytes, options)
  }

  /** The validators that are heard right now. */
  reachable(): Set<ValidatorId> {
    const ids = new Set<ValidatorId>()
    for (const link of this.#links.values()) if (link.isReachable) ids.add(link.id)
    return ids
  }

  /** Messages and bytes waiting, over all validators. */
  queued(): { readonly messages: number; readonly bytes: number } {
    let messages = 0
    let bytes = 0
    for (const link of this.#links.values()) {
      messages += link.queuedMessages
      bytes += link.queuedBytes
    }
    return { messages, bytes }
  }

  /** Whether a connection carries a link; such a one is not closed as a duplicate. */
  carries(connectionId: string): boolean {
    for (const link of this.#links.values()) if (link.connectionId === connectionId) return true
    return false
  }

  #push(link: ConsensusLink, bytes: Uint8Array, options: SendOptions): boolean {
    const lazy = options.lazy === true
    if (!link.push(bytes, lazy)) return false
    this.#unflushed.add(link)
    if (lazy) {
      this.#lazyTimer ??= setTimeout(() => {
        this.#lazyTimer = undefined
        this.#flush(() => true)
      }, CONSENSUS_CHANNEL.lazyMs)
    } else if (!this.#flushScheduled) {
      // At the end of this turn of the event loop, so that its messages leave in one write.
      this.#flushScheduled = true
      setImmediate(() => {
        this.#flushScheduled = false
        this.#flush((candidate) => candidate.hasUrgent)
      })
    }
    return true
  }

  #flush(isDue: (link: ConsensusLink) => boolean): void {
    for (const link of this.#unflushed) {
      if (!isDue(link)) continue
      this.#unflushed.delete(link)
      link.flush()
    }
  }

  #tick(): void {
    const now = performance.now()
    // A stalled process sees its timers before its sockets.
    const stalled = now - this.#tickedAtMs > 2 * CONSENSUS_CHANNEL.keepAliveMs
    this.#tickedAtMs = now
    for (const link of this.#links.values()) {
      if (stalled) link.forgiveSilence()
      link.tick()
    }
  }

  #accept(stream: Stream, connection: Connection): void {
    const { ownId, meter } = this.#options
    const id = this.#options.peers.identityOf(connection)
    const link = id === undefined ? undefined : this.#links.get(id)
    if (id === undefined || link === undefined || ownId === null) {
      meter('channel-drop', 'not-a-validator')
      throw new StreamCut('not-admitted', 'only validators may open the consensus channel')
    }
    if (id > ownId) throw new StreamCut('not-admitted', 'the validator with the lower id opens the channel')
    link.attach(stream, connection)
  }

  #onConnection(connection: Connection): void {
    const id = this.#options.peers.identityOf(connection)
    if (id === undefined || !this.#links.has(id)) return
    const opening = this.#openings.get(id)
    if (opening !== undefined) opening.waitMs = CONSENSUS_CHANNEL.reopenFirstMs
    this.#open(id, connection)
  }

  #openSoon(id: ValidatorId): void {
    const { ownId } = this.#options
    if (!this.#started || ownId === null || ownId > id || !this.#links.has(id)) return
    const opening = this.#opening(id)
    if (opening.timer !== undefined) return
    opening.timer = setTimeout(() => {
      opening.timer = undefined
      this.#open(id)
    }, opening.waitMs)
    opening.waitMs = Math.min(2 * opening.waitMs, CONSENSUS_CHANNEL.reopenLastMs)
  }

  /** Opens the stream when it is ours to open, there is a connection, and no stream yet. */
  #open(id: ValidatorId, candidate = this.#connectionOf(id)): void {
    const { ownId, protocol, logger } = this.#options
    const link = this.#links.get(id)
    if (!this.#started || link === undefined || ownId === null || ownId > id || link.isAttached) return
    const opening = this.#opening(id)
    // Without a connection there is nothing to do: a new one calls again.
    if (opening.underWay || candidate === undefined) return
    opening.underWay = true
    const { firstByteDeadlineMs, streamsOutboundMax } = PROTOCOL_LIMITS.consensusChannel
    const signal = AbortSignal.timeout(firstByteDeadlineMs)
    candidate.newStream(protocol, { signal, maxOutboundStreams: streamsOutboundMax }).then(
      (stream) => {
        opening.underWay = false
        if (this.#links.get(id) === link && this.#started) link.attach(stream, candidate)
        else abortQuietly(stream, new StreamCut('not-admitted', 'no longer a validator'))
      },
      (thrown: unknown) => {
        opening.underWay = false
        logger.debug({ validator: id, detail: normaliseError(thrown).message }, 'no consensus stream yet')
        this.#openSoon(id)
      },
    )
  }

  /** TCP first: it is the faster one for large messages (network.md). */
  #connectionOf(id: ValidatorId): Connection | undefined {
    const connections = this.#options.host
      .getConnections()
      .filter(
        (connection) => connection.status === 'open' && this.#options.peers.identityOf(connection) === id,
      )
    return connections.find(({ remoteAddr }) => remoteAddr.toString().includes('/tcp/')) ?? connections[0]
  }

  #opening(id: ValidatorId): Opening {
    let opening = this.#openings.get(id)
    if (opening === undefined) {
      opening = { waitMs: CONSENSUS_CHANNEL.reopenFirstMs, timer: undefined, underWay: false }
      this.#openings.set(id, opening)
    }
    return opening
  }

  #removeLink(id: ValidatorId): void {
    clearTimeout(this.#openings.get(id)?.timer)
    this.#openings.delete(id)
    const link = this.#links.get(id)
    this.#links.delete(id)
    if (link === undefined) return
    this.#unflushed.delete(link)
    link.close()
  }
}
