/**
 * A QUIC muxer whose every stream is sealed under keys of its own. Made before the handshake, which runs on
 * its first stream; streams that arrive before the session exists, or before libp2p listens, wait here.
 *
 * A stream starts with the opener's counter (u64, big-endian, in the clear): it names the stream's keys, and
 * the receiver accepts it once.
 */

import {
  type AbortOptions,
  type CreateStreamOptions,
  type Stream,
  type StreamMessageEvent,
  type StreamMuxer,
  type StreamMuxerEvents,
  type StreamMuxerStatus,
  TypedEventEmitter,
} from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { assert } from '../types/assert.ts'
import { ok, type Refusal, type Result, refuse } from '../types/errors.ts'
import { CounterWindow } from './counter-window.ts'
import { type SessionRole, streamSecrets } from './key-schedule.ts'
import { type FrameRefusalCode, SessionError, type SessionRefusalCode } from './refusal.ts'
import { SealedStream } from './sealed-stream.ts'

/** Protocol name that the connection shows as its multiplexer. */
export const POST_QUANTUM_QUIC = '/hypermesh/pq-quic/1'

const COUNTER_BYTES = 8

/** Streams that may wait for the session or for libp2p's listener; a well-behaved peer opens a handful. */
const WAITING_STREAMS_MAX = 64

/** Unread bytes of a waiting stream. */
const WAITING_BYTES_MAX = 256 * 1024

export interface SealedMuxerInit {
  /** The QUIC connection's own muxer; nobody else listens to it. */
  readonly inner: StreamMuxer
  readonly role: SessionRole
  readonly framesPerKeyMax: number
  /** How long an inbound stream may take to show its counter. */
  readonly counterDeadlineMs: number
  readonly onCut: (refusal: Refusal<FrameRefusalCode>) => void
}

export class SealedMuxer
  extends TypedEventEmitter<StreamMuxerEvents<SealedStream>>
  implements StreamMuxer<SealedStream>
{
  readonly protocol = POST_QUANTUM_QUIC
  streams: SealedStream[] = []
  readonly #init: SealedMuxerInit
  readonly #inner: StreamMuxer
  readonly #window = new CounterWindow()
  readonly #firstInbound = Promise.withResolvers<Stream>()
  #waiting: { readonly raw: Stream; readonly readBufferLength: number }[] = []
  #handshakeStreamSeen = false
  #secret: Uint8Array | undefined
  #listening = false
  #nextCounter = 0n

  constructor(init: SealedMuxerInit) {
    super()
    this.#init = init
    this.#inner = init.inner
    this.#inner.addEventListener('stream', ({ detail }) => this.#onRawStream(detail))
  }

  get status(): StreamMuxerStatus {
    return this.#inner.status
  }

  /** The first stream of the connection, for the handshake; the initiator opens it. */
  async handshakeStream(signal: AbortSignal): Promise<Result<Stream, SessionRefusalCode>> {
    if (this.#init.role === 'initiator') return this.#openFirst(signal)
    const late = Promise.withResolvers<undefined>()
    const onAbort = () => late.resolve(undefined)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    const stream = await Promise.race([this.#firstInbound.promise, late.promise])
    signal.removeEventListener('abort', onAbort)
    return stream === undefined ? refuse('too-slow', 'no handshake stream before the deadline') : ok(stream)
  }

  async #openFirst(signal: AbortSignal): Promise<Result<Stream, SessionRefusalCode>> {
    try {
      return ok(await this.#inner.createStream({ signal }))
    } catch (error) {
      return refuse('closed', error instanceof Error ? error.name : 'unknown')
    }
  }

  /** From here on streams are sealed under the session's secret (32 bytes), and waiting ones proceed. */
  unlock(secret: Uint8Array): void {
    this.#secret = secret
    this.#proceed()
  }

  async createStream(options?: CreateStreamOptions): Promise<SealedStream> {
    assert(this.#secret !== undefined, 'a stream before the session')
    const raw = await this.#inner.createStream(options)
    const counter = this.#nextCounter
    this.#nextCounter += 1n
    const prologue = Buffer.alloc(COUNTER_BYTES)
    prologue.writeBigUInt64BE(counter)
    return this.#seal(raw, this.#secret, this.#init.role, counter, { prologue })
  }

  async close(options?: AbortOptions): Promise<void> {
    // End frames first: the QUIC muxer below closes the streams without knowing of them.
    await Promise.allSettled(this.streams.map((stream) => stream.close(options)))
    await this.#inner.close(options)
  }

  abort(error: Error): void {
    this.#inner.abort(error)
  }

  override addEventListener(
    ...parameters: Parameters<TypedEventEmitter<StreamMuxerEvents<SealedStream>>['addEventListener']>
  ) {
    super.addEventListener(...parameters)
    if (parameters[0] !== 'stream' || this.#listening) return
    this.#listening = true
    // A listener is often added in a constructor, before its owner can take an event.
    queueMicrotask(() => this.#proceed())
  }

  #onRawStream(raw: Stream): void {
    if (this.#init.role === 'responder' && !this.#handshakeStreamSeen) {
      this.#handshakeStreamSeen = true
      this.#firstInbound.resolve(raw)
      return
    }
    if (this.#waiting.length >= WAITING_STREAMS_MAX) {
      this.#reject(raw, refuse('too-many-streams', `${this.#waiting.length} streams wait already`))
      return
    }
    this.#waiting.push({ raw, readBufferLength: raw.maxReadBufferLength })
    raw.maxReadBufferLength = WAITING_BYTES_MAX
    this.#proceed()
  }

  #proceed(): void {
    const secret = this.#secret
    if (secret === undefined || !this.#listening) return
    for (const { raw, readBufferLength } of this.#waiting.splice(0)) {
      raw.maxReadBufferLength = readBufferLength
      this.#readCounter(raw, secret)
    }
  }

  /** Libp2p hears of a stream once its keys are known, which is nearly always its first chunk. */
  #readCounter(raw: Stream, secret: Uint8Array): void {
    const received = new Uint8ArrayList()
    const done = () => {
      clearTimeout(timer)
      raw.removeEventListener('message', onMessage)
      raw.removeEventListener('close', done)
    }
    const onMessage = ({ data }: StreamMessageEvent) => {
      received.append(data)
      if (received.byteLength < COUNTER_BYTES) return
      done()
      const bytes = Buffer.from(received.subarray(0, COUNTER_BYTES))
      received.consume(COUNTER_BYTES)
      this.#accept(raw, secret, bytes.readBigUInt64BE(), received.subarray())
    }
    const timer = setTimeout(() => {
      done()
      this.#reject(raw, refuse('stream-counter', 'no stream counter before the deadline'))
    }, this.#init.counterDeadlineMs)
    raw.addEventListener('close', done)
    raw.addEventListener('message', onMessage)
  }

  #accept(raw: Stream, secret: Uint8Array, counter: bigint, leftover: Uint8Array): void {
    if (!this.#window.accept(Number(counter))) {
      this.#reject(raw, refuse('stream-counter', 'the stream counter was seen before or is too old'))
      return
    }
    const opener = this.#init.role === 'initiator' ? 'responder' : 'initiator'
    const detail = this.#seal(raw, secret, opener, counter, { leftover })
    if (detail.status === 'open') this.safeDispatchEvent('stream', { detail })
  }

  #seal(
    raw: Stream,
    secret: Uint8Array,
    opener: SessionRole,
    counter: bigint,
    start: { readonly prologue: Uint8Array } | { readonly leftover: Uint8Array },
  ): SealedStream {
    const sealed = new SealedStream({
      carrier: { scope: 'stream', raw },
      secrets: streamSecrets(secret, this.#init.role, opener, counter),
      framesPerKeyMax: this.#init.framesPerKeyMax,
      onCut: this.#init.onCut,
      ...start,
    })
    if (sealed.status !== 'open') return sealed
    this.streams.push(sealed)
    sealed.addEventListener('close', () => {
      const index = this.streams.indexOf(sealed)
      if (index !== -1) this.streams.splice(index, 1)
    })
    return sealed
  }

  #reject(raw: Stream, refusal: Refusal<FrameRefusalCode>): void {
    this.#init.onCut(refusal)
    raw.abort(new SessionError(refusal))
  }
}
