/**
 * Our end of the push stream with one validator: queue, writes, signs of life. It takes the stream that
 * somebody else opened or accepted and tells when the other side is heard or lost; it opens nothing itself.
 */

import type { Connection, Stream } from '@libp2p/interface'
import type { ValidatorId } from '../types/primitives.ts'
import { FrameStream } from './frame-stream.ts'
import { abortQuietly } from './guard.ts'
import type { NetworkMeter, StreamCutReason } from './meter.ts'
import { Outbox } from './outbox.ts'
import { TokenBucket } from './token-bucket.ts'
import { PROTOCOL_LIMITS } from './topics.ts'

const LIMITS = PROTOCOL_LIMITS.consensusChannel

/** Bounds and timings of the channel, per validator. */
export const CONSENSUS_CHANNEL = {
  /** The queue of what has still to be sent. */
  queueMessagesMax: 1_024,
  queueBytesMax: 2 * LIMITS.frameBytesMax,
  /** Messages for a validator that is away or does not read are dropped after this. */
  queueAgeMaxMs: 4_000,
  /** One write holds at most this, or one message. */
  writeBytesMax: 1024 * 1024,
  /** A sign of life is sent when nothing else was sent for so long; checked at this interval. */
  keepAliveMs: 2_000,
  /** Silence that means that the link is dead. Below 10 s with the interval added. */
  silenceMaxMs: 7_000,
  /** A remote that takes nothing for so long is cut; its queue is dropping by then. */
  blockedMaxMs: 10_000,
  /** How long a lazy message may wait for company. */
  lazyMs: 15,
  /** Waits between attempts to open a stream, doubled from the first to the last. */
  reopenFirstMs: 50,
  reopenLastMs: 2_000,
} as const

/** What a link tells the channel. */
export interface LinkEvents {
  onMessage(from: ValidatorId, bytes: Uint8Array): void
  onReachable(id: ValidatorId, isReachable: boolean): void
  /** The stream is gone. */
  onDetached(id: ValidatorId, reason: StreamCutReason | undefined): void
}

interface Attached {
  readonly frames: FrameStream
  readonly connection: Connection
}

/** The link with one validator. */
export class ConsensusLink {
  readonly id: ValidatorId
  readonly #events: LinkEvents
  readonly #meter: NetworkMeter
  readonly #now: () => number
  readonly #outbox: Outbox
  readonly #messageTokens: TokenBucket
  readonly #byteTokens: TokenBucket
  #attached: Attached | undefined
  #reachable = false
  #heardAtMs = 0
  #sentAtMs = 0
  #blockedSinceMs: number | undefined

  constructor(id: ValidatorId, events: LinkEvents, meter: NetworkMeter, now: () => number) {
    this.id = id
    this.#events = events
    this.#meter = meter
    this.#now = now
    this.#outbox = new Outbox(
      {
        messagesMax: CONSENSUS_CHANNEL.queueMessagesMax,
        bytesMax: CONSENSUS_CHANNEL.queueBytesMax,
        ageMaxMs: CONSENSUS_CHANNEL.queueAgeMaxMs,
      },
      (reason) => meter('channel-drop', reason),
    )
    this.#messageTokens = new TokenBucket(LIMITS.messagesPerSecond, LIMITS.messagesBurst, now)
    this.#byteTokens = new TokenBucket(LIMITS.bytesPerSecond, LIMITS.bytesBurst, now)
  }

  get isReachable(): boolean {
    return this.#reachable
  }

  get isAttached(): boolean {
    return this.#attached !== undefined
  }

  /** Identifier of the connection that carries the stream. */
  get connectionId(): string | undefined {
    return this.#attached?.connection.id
  }

  get queuedMessages(): number {
    return this.#outbox.messages
  }

  get queuedBytes(): number {
    return this.#outbox.bytes
  }

  get hasUrgent(): boolean {
    return this.#outbox.hasUrgent
  }

  /** Takes a stream into use; the newest wins, because the other side may have restarted unnoticed. */
  attach(stream: Stream, connection: Connection): void {
    this.#release()?.frames.cut('replaced', 'a newer stream took its place')
    const { frameBytesMax, firstByteDeadlineMs } = LIMITS
    const frames: FrameStream = new FrameStream(
      stream,
      { frameBytesMax, firstByteDeadlineMs },
      {
        onFrame: (frame) => this.#onFrame(frames, frame),
        onDrain: () => {
          this.#blockedSinceMs = undefined
          this.flush()
        },
        onEnd: (reason) => {
          if (this.#attached?.frames !== frames) return
          this.#release()
          if (reason !== undefined) this.#meter('stream-cut', reason)
          this.#setReachable(false)
          this.#events.onDetached(this.id, reason)
        },
      },
    )
    this.#attached = { frames, connection }
    this.#heardAtMs = this.#now()
    // The first byte tells the other side that it was accepted.
    frames.sendSignOfLife()
    this.#sentAtMs = this.#now()
    this.flush()
  }

  /** Queues a message. @returns false when it alone is over the queue's bound */
  push(bytes: Uint8Array, lazy: boolean): boolean {
    return this.#outbox.push(bytes, lazy, this.#now())
  }

  /** Writes what is queued as far as the stream has room. */
  flush(): void {
    const frames = this.#attached?.frames
    while (frames?.isWritable && this.#outbox.messages > 0) {
      const now = this.#now()
      const messages = this.#outbox.take(CONSENSUS_CHANNEL.writeBytesMax, now)
      if (messages.length === 0) return
      this.#meter('channel-sent', 'message', messages.length)
      this.#meter('channel-sent', 'write')
      this.#sentAtMs = now
      if (!frames.send(messages)) this.#blockedSinceMs ??= now
    }
  }

  /** Sends a sign of life when it is time, and cuts what is dead. Called every `keepAliveMs`. */
  tick(): void {
    const attached = this.#attached
    if (attached === undefined) return
    const now = this.#now()
    if (now - this.#heardAtMs > CONSENSUS_CHANNEL.silenceMaxMs) {
      attached.frames.cut('silent', 'the validator is silent')
      // Half open: a new dial must not find this connection and believe in it.
      abortQuietly(attached.connection, new Error('the validator is silent'))
    } else if (
      this.#blockedSinceMs !== undefined &&
      now - this.#blockedSinceMs > CONSENSUS_CHANNEL.blockedMaxMs
    ) {
      attached.frames.cut('slow', 'the validator takes nothing')
    } else if (attached.frames.isWritable && now - this.#sentAtMs >= CONSENSUS_CHANNEL.keepAliveMs - 50) {
      attached.frames.sendSignOfLife()
      this.#sentAtMs = now
    }
  }

  /** We were asleep ourselves: whatever silence there was is not the remote's. */
  forgiveSilence(): void {
    this.#heardAtMs = this.#now()
    if (this.#blockedSinceMs !== undefined) this.#blockedSinceMs = this.#heardAtMs
  }

  /** Ends the link for good. */
  close(): void {
    this.#outbox.clear()
    this.#release()?.frames.close()
    this.#setReachable(false)
  }

  #onFrame(frames: FrameStream, frame: Uint8Array): void {
    if (this.#attached?.frames !== frames) return
    this.#heardAtMs = this.#now()
    this.#setReachable(true)
    if (frame.byteLength === 0) return
    if (!this.#messageTokens.take(1) || !this.#byteTokens.take(frame.byteLength)) {
      this.#meter('channel-drop', 'rate')
      return
    }
    this.#meter('channel-received', 'message')
    this.#events.onMessage(this.id, frame)
  }

  #release(): Attached | undefined {
    const attached = this.#attached
    this.#attached = undefined
    this.#blockedSinceMs = undefined
    return attached
  }

  #setReachable(isReachable: boolean): void {
    if (this.#reachable === isReachable) return
    this.#reachable = isReachable
    this.#events.onReachable(this.id, isReachable)
  }
}
