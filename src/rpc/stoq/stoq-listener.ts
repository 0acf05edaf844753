/**
 * STOQ's own carrier: a QUIC listener that answers bincode envelopes, one client-initiated stream per call. Limits,
 * keep-alive and draining are here; what a call means is in call-handler.ts.
 */
import { isIPv6 } from 'node:net'
import { ByteBudget } from '../../types/byte-budget.ts'
import { ClientShares, type ShareRefusal } from '../../validation/client-shares.ts'
import { type CallHandlerOptions, failure, handleEnvelope } from '../call-handler.ts'
import { ENVELOPE_BYTES_MAX } from '../envelope.ts'
import type { ListenAddress } from '../http/listener.ts'
import type { TlsMaterial } from '../http/self-signed.ts'
import { listenQuic, type QuicConnection, type QuicListener, type QuicStream } from './quic.ts'
import { type ReadRequest, readRequest } from './read-request.ts'

/** What became of a call. */
export type StoqCallResult = 'answered' | 'too-long' | 'no-room' | 'late' | 'gone' | 'stopping'

/** Told what happens; a call's time is from its first byte to its answer. */
export interface StoqObserver {
  connection(result: 'accepted' | 'refused', open: number): void
  closed(open: number): void
  call(result: StoqCallResult, seconds: number): void
}

/** Bounds that tests set otherwise. */
export interface StoqLimits {
  /** From a request's first byte to its end. */
  readonly requestDeadlineMs: number
  readonly keepAliveMs: number
  /** How long a close waits for calls under way. */
  readonly closeGraceMs: number
  readonly connectionsPerRemote: number
  readonly connectionsPerLoopback: number
}

export interface StoqListenerOptions extends Omit<CallHandlerOptions, 'carrier'> {
  readonly listen: ListenAddress
  /** Proves nothing to anybody; made for this run. */
  readonly tls: TlsMaterial
  readonly observe: StoqObserver
  readonly limits?: Partial<StoqLimits>
}

const LIMITS: StoqLimits = {
  // As over HTTP.
  requestDeadlineMs: 30_000,
  // The client gives an idle connection up after 120 s and never connects again (spec/stoq.md 1.4, 1.6).
  keepAliveMs: 25_000,
  closeGraceMs: 9_000,
  connectionsPerRemote: 64,
  connectionsPerLoopback: 1_024,
}
/** A client that is gone without a word is forgotten after four pings without an answer. */
const IDLE_TIMEOUT_MS = 120_000
const CONNECTIONS_MAX = 4_096
/** As the Rust server has it. */
const STREAMS_PER_CONNECTION_MAX = 1_000
/** Streams of one client, over all its connections, and of all. */
const CALLS = { perClientMax: 2_000, loopbackMax: 10_000, allMax: 16_384 }
/** Requests that are being read, of all. */
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024
/** Between the answer to an unfinished request and cutting it; cutting takes back an answer that was not read yet. */
const CUT_AFTER_MS = 2_000
/** Between the last answer and the end of the connection: what has not left by then is lost. */
const LINGER_MS = 200
/** How refusals for lack of room begin (as on every carrier) and end: a call is over within seconds. */
const BUSY = 'Handler error: NODE_BUSY'
const TOO_MANY = 'Handler error: TOO_MANY_REQUESTS'
const AGAIN = 'try again in 1 s'

const CONNECTION_REFUSALS: Readonly<Record<ShareRefusal | 'stopping', string>> = {
  client: 'too many connections from this client',
  node: 'too many connections',
  stopping: 'closing',
}

/** Why a call is not served: what the observer is told it was, and what its caller is told. */
type Refusal = Exclude<ReadRequest, Uint8Array> | 'stopping' | 'client-share' | 'node-share'

export class StoqListener {
  readonly #options: StoqListenerOptions
  readonly #limits: StoqLimits
  readonly #budget = new ByteBudget(BUFFERED_BYTES_MAX)
  readonly #connections = new Set<QuicConnection>()
  readonly #connectionShares: ClientShares
  readonly #calls = new ClientShares(CALLS)
  readonly #idle = new Set<() => void>()
  #listener: QuicListener | null = null
  #isClosing = false

  /** Not started yet. */
  constructor(options: StoqListenerOptions) {
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
    this.#connectionShares = new ClientShares({
      perClientMax: this.#limits.connectionsPerRemote,
      loopbackMax: this.#limits.connectionsPerLoopback,
      allMax: CONNECTIONS_MAX,
    })
  }

  /** @throws StoqError `E_STOQ_UNAVAILABLE`, `E_PORT_IN_USE`, `E_LISTEN`, `E_STOQ_HOST` */
  async start(): Promise<void> {
    const { listen, tls, logger } = this.#options
    this.#listener = await listenQuic({
      ...listen,
      tls,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      streamsMax: STREAMS_PER_CONNECTION_MAX,
      connectionsMax: CONNECTIONS_MAX,
      connection: (connection) => this.#accept(connection),
      failed: (error) =>
        logger.error({ error }, 'the STOQ endpoint failed; a restart of the node opens it anew'),
    })
    logger.info({ concern: 'STOQ endpoint', url: this.url }, 'listening')
  }

  /** Where it listens, with the port that it got: `stoq://[::1]:9292`. */
  get url(): string {
    const { host, port } = this.#options.listen
    return `stoq://${isIPv6(host) ? `[${host}]` : host}:${this.#listener?.port ?? port}`
  }

  /** Takes no more calls, gives those under way a bounded time, and ends every connection with code 0. */
  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#calls.all > 0) {
      await within(this.#limits.closeGraceMs, new Promise<void>((resolve) => this.#idle.add(resolve)))
    }
    if (this.#connections.size > 0) {
      await within(LINGER_MS)
      for (const connection of this.#connections) connection.close(0, 'closing')
      await within(LINGER_MS)
    }
    await this.#listener?.close()
    this.#listener = null
  }

  #accept(connection: QuicConnection): { stream: (stream: QuicStream) => void; closed: () => void } {
    const { observe } = this.#options
    const client = connection.remoteAddress
    const refusal = this.#isClosing ? 'stopping' : this.#connectionShares.take(client)
    if (refusal !== null) {
      observe.connection('refused', this.#connections.size)
      connection.close(0, CONNECTION_REFUSALS[refusal])
      return { stream: (stream) => stream.close(), closed: () => {} }
    }
    this.#connections.add(connection)
    observe.connection('accepted', this.#connections.size)
    // Each connection at its own time: a ping waits for the QUIC thread.
    const keepAlive = setInterval(() => connection.ping(), this.#limits.keepAliveMs)
    keepAlive.unref()
    return {
      stream: (stream) => void this.#serve(stream, client),
      closed: () => {
        clearInterval(keepAlive)
        this.#connectionShares.remove(client)
        this.#connections.delete(connection)
        observe.closed(this.#connections.size)
      },
    }
  }

  async #serve(stream: QuicStream, client: string): Promise<void> {
    const startedMs = performance.now()
    // Who goes away is not waited for.
    const gone = new AbortController()
    stream.once('close', () => gone.abort())
    const share = this.#isClosing ? 'stopping' : this.#calls.take(client)
    const read = share === null ? await this.#read(stream) : refusalOf(share)
    const answer =
      read instanceof Uint8Array
        ? await handleEnvelope(read, { ...this.#options, carrier: 'stoq' }, client, gone.signal)
        : this.#refusal(read)
    const isGone = stream.destroyed
    if (!isGone) {
      stream.end(answer)
      // Who is answered and still writes is not listened to any longer.
      if (!stream.readableEnded) setTimeout(() => stream.close(), CUT_AFTER_MS).unref()
    }
    const result = isGone ? 'gone' : read instanceof Uint8Array ? 'answered' : resultOf(read)
    this.#options.observe.call(result, (performance.now() - startedMs) / 1_000)
    if (share !== null) return
    this.#calls.remove(client)
    if (this.#calls.all === 0) for (const resolve of this.#idle) resolve()
  }

  #read(stream: QuicStream): Promise<ReadRequest> {
    return readRequest(stream, {
      bytesMax: ENVELOPE_BYTES_MAX,
      deadlineMs: this.#limits.requestDeadlineMs,
      budget: this.#budget,
    })
  }

  #refusal(reason: Refusal): Uint8Array {
    switch (reason) {
      case 'too-long':
        return failure('', `Invalid request format: more than ${ENVELOPE_BYTES_MAX} bytes`)
      case 'late':
        return failure(
          '',
          `Invalid request format: not finished within ${this.#limits.requestDeadlineMs / 1_000} s`,
        )
      case 'no-room':
        return failure('', `${BUSY}: ${BUFFERED_BYTES_MAX} bytes of requests are being read; ${AGAIN}`)
      case 'client-share':
        return failure(
          '',
          `${TOO_MANY}: the limit is ${CALLS.perClientMax} STOQ calls at once from one client, ${CALLS.loopbackMax} on this machine; ${AGAIN}`,
        )
      case 'node-share':
        return failure('', `${BUSY}: ${CALLS.allMax} STOQ calls are under way; ${AGAIN}`)
      case 'stopping':
        return failure('', 'Handler error: the node is stopping, try again')
      case 'gone':
        return new Uint8Array()
    }
  }
}

function refusalOf(share: ShareRefusal | 'stopping'): Refusal {
  return share === 'stopping' ? share : `${share}-share`
}

function resultOf(refusal: Refusal): StoqCallResult {
  return refusal === 'client-share' || refusal === 'node-share' ? 'no-room' : refusal
}

/** Waits for it, or for so long. */
async function within(ms: number, done: Promise<void> = new Promise(() => {})): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([done, promise])
  clearTimeout(timer)
}
