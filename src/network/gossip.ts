/**
 * Our publish/subscribe over gossipsub: one validator per topic, a verdict per message, bounds on what waits, and nothing
 * lost in silence while there is nobody to hear it. What messages mean is told by the handlers.
 */

import type { GossipSub, Message, TopicValidatorFn } from '@libp2p/gossipsub'
import { TopicValidatorResult } from '@libp2p/gossipsub'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Logger } from '../types/logger.ts'
import { TransactionBatcher } from './batcher.ts'
import type { GossipRoles } from './gossip-parameters.ts'
import { guarded, letInvariantsCrash, normaliseError } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import type { Rejections } from './rejections.ts'
import { TOPIC_LIMITS, TOPIC_NAMES, type TopicName, type WireNames } from './topics.ts'
import { asRelayed, decodeTransactionBatch, encodeTransactionBatch } from './transaction-batch.ts'

/** accept: pass it on. ignore: not useful now. reject: proven misbehaviour, costs the sender (rejections.ts). */
export type GossipVerdict = 'accept' | 'ignore' | 'reject'

/**
 * What became of a message of ours. `queued`: nobody listens yet, it is kept within bounds. `too-long`: above the
 * topic's bound, where it would cost us our standing with every peer; it was not sent.
 */
export type PublishOutcome = 'sent' | 'queued' | 'too-long'

/** Judges a message; `from` is the peer id that passed it on, not its author. The bytes must not be altered. */
export type GossipHandler<Payload> = (
  payload: Payload,
  from: string,
) => GossipVerdict | Promise<GossipVerdict>

/** The handlers, one per topic. */
export interface GossipHandlers {
  readonly onTransactions: GossipHandler<readonly Uint8Array[]>
  readonly onBlock: GossipHandler<Uint8Array>
  readonly onIdentity: GossipHandler<Uint8Array>
  /** Sealed blocks; absent on a network that never mines. */
  readonly onMined?: GossipHandler<Uint8Array>
}

/** The interface of ours that the rest of the node sees. */
export interface PubSub {
  start(): void
  stop(): void
  publishTransactions(transactions: readonly Uint8Array[]): void
  publishBlock(bytes: Uint8Array): PublishOutcome
  publishIdentity(bytes: Uint8Array): PublishOutcome
  publishMined(bytes: Uint8Array): PublishOutcome
  subscribers(topic: TopicName): number
  followBlocks(isFollowing: boolean): void
}

/** Parts of a {@link Gossip}. */
export interface GossipOptions {
  readonly libp2p: Pick<Libp2p, 'getConnections'> & { readonly services: { readonly pubsub: GossipSub } }
  readonly names: WireNames
  readonly handlers: GossipHandlers
  readonly roles: GossipRoles
  /** Told of every message that is rejected. */
  readonly rejections: Pick<Rejections, 'rejected'>
  readonly meter: NetworkMeter
  readonly logger: Logger
  /** How often streams to peers are looked after; 10 s. */
  readonly upkeepMs?: number
}

const VERDICTS: Readonly<Record<GossipVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/**
 * How long a validator waits before it passes on a batch of a node that is none: less than a view, and by chance,
 * so that mostly the first one's copy keeps the others from sending theirs.
 */
const RELAY_WAIT_MS = { least: 2, most: 20 }
/** Batches waiting to be passed on; more are left to IHAVE, which takes a second or two. */
const RELAYS_MAX = 256

/** How often queued messages are tried while somebody subscribes but no stream to them is open yet. */
const RETRY_MS = 50
/** How often streams to peers are looked after. */
const UPKEEP_MS = 10_000

/** {@link PubSub} over gossipsub. */
export class Gossip implements PubSub {
  readonly #options: GossipOptions
  readonly #pubsub: GossipSub
  readonly #batcher: TransactionBatcher
  readonly #rejections: GossipOptions['rejections']
  readonly #unsent = new Map<TopicName, Uint8Array[]>()
  readonly #inFlight = new Map<TopicName, number>()
  readonly #onSubscription: () => void
  readonly #deaf = new Set<string>()
  readonly #relays = new Set<NodeJS.Timeout>()
  #retry: NodeJS.Timeout | undefined
  #upkeep: NodeJS.Timeout | undefined
  #started = false
  #followsBlocks = true

  constructor(options: GossipOptions) {
    this.#options = options
    const { libp2p, logger, meter, rejections } = options
    this.#pubsub = libp2p.services.pubsub
    this.#rejections = rejections
    this.#batcher = new TransactionBatcher((batch) => {
      meter('gossip-published', 'transaction', batch.length)
      this.#publish('transactions', encodeTransactionBatch(batch))
    })
    this.#onSubscription = guarded(
      () => this.#flushUnsent(),
      (error) => logger.debug({ detail: error.message }, 'a subscription was not looked at'),
    )
  }

  /** Subscribes to every topic. The libp2p node must have been started. */
  start(): void {
    const { names, handlers } = this.#options
    this.#started = true
    const validator = <Payload>(
      topic: TopicName,
      read: (data: Uint8Array) => Payload | undefined,
      handler: GossipHandler<Payload>,
    ): void => {
      this.#pubsub.topicValidators.set(names.topics[topic], this.#validator(topic, read, handler))
      if (topic !== 'blocks' || this.#followsBlocks) this.#pubsub.subscribe(names.topics[topic])
    }
    validator('transactions', readBatch, async ({ transactions, relayable }, from) => {
      const verdict = await handlers.onTransactions(transactions, from)
      if (verdict === 'accept' && relayable !== null) this.#relay(relayable, from)
      return verdict
    })
    validator('blocks', (data) => data, handlers.onBlock)
    validator('identities', (data) => data, handlers.onIdentity)
    if (handlers.onMined !== undefined) validator('mined', (data) => data, handlers.onMined)
    this.#pubsub.addEventListener('subscription-change', this.#onSubscription)
    this.#upkeep = setInterval(() => this.#reviveStreams(), this.#options.upkeepMs ?? UPKEEP_MS)
  }

  /** Whether final blocks are listened to. A validator has them from consensus: it publishes and does not listen. */
  followBlocks(isFollowing: boolean): void {
    if (isFollowing === this.#followsBlocks) return
    this.#followsBlocks = isFollowing
    if (!this.#started) return
    const topic = this.#options.names.topics.blocks
    if (isFollowing) this.#pubsub.subscribe(topic)
    else this.#pubsub.unsubscribe(topic)
  }

  /** Unsubscribes; what waits is forgotten. */
  stop(): void {
    if (!this.#started) return
    this.#started = false
    clearTimeout(this.#retry)
    clearInterval(this.#upkeep)
    for (const timer of this.#relays) clearTimeout(timer)
    this.#relays.clear()
    this.#batcher.stop()
    this.#unsent.clear()
    this.#pubsub.removeEventListener('subscription-change', this.#onSubscription)
    for (const topic of TOPIC_NAMES) {
      this.#pubsub.topicValidators.delete(this.#options.names.topics[topic])
      this.#pubsub.unsubscribe(this.#options.names.topics[topic])
    }
  }

  /** Sends transactions to everybody, gathered into batches. Our own bounds on them are the mempool's. */
  publishTransactions(transactions: readonly Uint8Array[]): void {
    this.#batcher.add(transactions)
  }

  /** Sends the announcement of a finalized block. */
  publishBlock(bytes: Uint8Array): PublishOutcome {
    return this.#publish('blocks', bytes)
  }

  /** Sends an identity certificate. */
  publishIdentity(bytes: Uint8Array): PublishOutcome {
    return this.#publish('identities', bytes)
  }

  /** Sends a sealed block. */
  publishMined(bytes: Uint8Array): PublishOutcome {
    return this.#publish('mined', bytes)
  }

  /** Peers that listen to a topic. */
  subscribers(topic: TopicName): number {
    return this.#pubsub.getSubscribers(this.#options.names.topics[topic]).length
  }

  #validator<Payload>(
    topic: TopicName,
    read: (data: Uint8Array) => Payload | undefined,
    handler: GossipHandler<Payload>,
  ): TopicValidatorFn {
    const { meter, logger } = this.#options
    const { messageBytesMax, validationsInFlightMax } = TOPIC_LIMITS[topic]
    return async (from: PeerId, message: Message) => {
      if (message.data.byteLength > messageBytesMax) {
        meter('gossip-drop', 'oversize')
        this.#rejections.rejected(from)
        return TopicValidatorResult.Reject
      }
      const payload = read(message.data)
      if (payload === undefined) {
        meter('gossip-drop', 'malformed')
        this.#rejections.rejected(from)
        return TopicValidatorResult.Reject
      }
      const inFlight = this.#inFlight.get(topic) ?? 0
      if (inFlight >= validationsInFlightMax) {
        meter('gossip-drop', 'busy')
        return TopicValidatorResult.Ignore
      }
      this.#inFlight.set(topic, inFlight + 1)
      try {
        const verdict = await handler(payload, from.toString())
        meter('gossip-received', verdict)
        if (verdict === 'reject') this.#rejections.rejected(from)
        return VERDICTS[verdict]
      } catch (thrown) {
        letInvariantsCrash(thrown)
        meter('gossip-drop', 'handler-failed')
        logger.error({ topic, detail: normaliseError(thrown).message }, 'a gossip handler failed')
        return TopicValidatorResult.Ignore
      } finally {
        this.#inFlight.set(topic, (this.#inFlight.get(topic) ?? 1) - 1)
      }
    }
  }

  #publish(topic: TopicName, bytes: Uint8Array): PublishOutcome {
    if (bytes.byteLength > TOPIC_LIMITS[topic].messageBytesMax) {
      this.#options.meter('gossip-drop', 'oversize')
      return 'too-long'
    }
    const waiting = this.#unsent.get(topic)
    if ((waiting === undefined || waiting.length === 0) && this.#hasListener(topic)) {
      this.#send(topic, bytes)
      return 'sent'
    }
    const queue = waiting ?? []
    queue.push(bytes)
    if (queue.length > TOPIC_LIMITS[topic].unsentMessagesMax) {
      queue.shift()
      this.#options.meter('gossip-drop', 'unsent-full')
    }
    this.#unsent.set(topic, queue)
    this.#flushUnsent()
    return 'queued'
  }

  /** Validators have no mesh with each other: what a node that is none told one of them, it tells the rest. */
  #relay(bytes: Uint8Array, from: string): void {
    const { roles } = this.#options
    if (!roles.areWeValidator() || roles.isValidator(from) || this.#relays.size >= RELAYS_MAX) return
    const { least, most } = RELAY_WAIT_MS
    const timer = setTimeout(
      () => {
        this.#relays.delete(timer)
        this.#publish('transactions', asRelayed(bytes))
      },
      least + Math.random() * (most - least),
    )
    this.#relays.add(timer)
  }

  #send(topic: TopicName, bytes: Uint8Array): void {
    this.#options.meter('gossip-published', 'message')
    this.#pubsub.publish(this.#options.names.topics[topic], bytes).catch((thrown: unknown) => {
      this.#options.logger.debug(
        { topic, detail: normaliseError(thrown).message },
        'a message was not published',
      )
    })
  }

  #flushUnsent(): void {
    let listenersWithoutStream = false
    for (const [topic, queue] of this.#unsent) {
      if (queue.length === 0) continue
      if (this.#hasListener(topic)) {
        for (const bytes of queue.splice(0)) this.#send(topic, bytes)
      } else if (this.subscribers(topic) > 0) {
        listenersWithoutStream = true
      }
    }
    clearTimeout(this.#retry)
    this.#retry = listenersWithoutStream ? setTimeout(this.#onSubscription, RETRY_MS) : undefined
  }

  /** Whether a subscriber has a stream from us: gossipsub counts a message as published without one, too. */
  #hasListener(topic: TopicName): boolean {
    return this.#pubsub
      .getSubscribers(this.#options.names.topics[topic])
      .some((peer) => this.#hasStreamTo(peer))
  }

  #hasStreamTo(peer: PeerId): boolean {
    return this.#options.libp2p
      .getConnections(peer)
      .some(({ streams }) =>
        streams.some(
          ({ direction, protocol, status }) =>
            direction === 'outbound' && status === 'open' && protocol.startsWith('/meshsub/'),
        ),
      )
  }

  /** Gossipsub never reopens a stream that broke below a living connection: a new connection does. */
  #reviveStreams(): void {
    for (const peer of this.#pubsub.getPeers()) {
      const id = peer.toString()
      if (this.#hasStreamTo(peer)) {
        this.#deaf.delete(id)
      } else if (!this.#deaf.has(id)) {
        this.#deaf.add(id)
      } else {
        this.#deaf.delete(id)
        this.#options.logger.warn({ peer: id }, 'gossip to a peer broke and its connection is renewed')
        for (const connection of this.#options.libp2p.getConnections(peer)) {
          connection.close().catch((thrown: unknown) => connection.abort(normaliseError(thrown)))
        }
      }
    }
  }
}

interface ReadBatch {
  readonly transactions: readonly Uint8Array[]
  /** The message itself, when it comes from where it entered the network. */
  readonly relayable: Uint8Array | null
}

function readBatch(data: Uint8Array): ReadBatch | undefined {
  const batch = decodeTransactionBatch(data)
  if (!batch.ok) return undefined
  return { transactions: batch.value.transactions, relayable: batch.value.sender === 'entry' ? data : null }
}
