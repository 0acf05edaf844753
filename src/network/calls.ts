/**
 * One call per stream: the caller writes, half-closes, and reads to the end (stoq.md's envelope on a libp2p
 * stream). Bounds, deadlines and rates are here; what the bytes say is the RPC layer's matter.
 */

import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { LRUCache } from 'lru-cache'
import { ByteBudget } from '../types/byte-budget.ts'
import type { Logger } from '../types/logger.ts'
import { abortQuietly, guardStreams, normaliseError, StreamCut } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import { readToEnd } from './read-to-end.ts'
import { TokenBucket } from './token-bucket.ts'
import type { ProtocolLimits } from './topics.ts'

/** Answers calls. Must not be told of the bounds: they are kept before it is asked. */
export interface CallHandler {
  /** @param client peer id of the caller. @param signal aborted when the caller is gone */
  answer(request: Uint8Array, client: string, signal: AbortSignal): Promise<Uint8Array>
  /** The answer to a request that was not read because it is too long or comes too often. */
  refuse(reason: 'too-long' | 'too-often'): Uint8Array
}

/** Parts of a {@link CallServer}. */
export interface CallServerOptions {
  readonly host: Pick<Libp2p, 'handle' | 'unhandle'>
  readonly protocol: string
  /** `frameBytesMax` bounds a request. */
  readonly limits: ProtocolLimits
  readonly handler: CallHandler
  /** How long a caller may take to send its request after the first byte. */
  readonly requestDeadlineMs: number
  readonly meter: NetworkMeter
  readonly logger: Logger
}

/** Requests that are being read, over all callers; one that does not fit is refused as too often. */
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024

/** Callers whose rate is remembered. */
const CLIENTS_MAX = 4_096

/** The answering side of a call protocol. */
export class CallServer {
  readonly #options: CallServerOptions
  readonly #tokens = new LRUCache<string, TokenBucket>({ max: CLIENTS_MAX })
  readonly #budget = new ByteBudget(BUFFERED_BYTES_MAX)

  constructor(options: CallServerOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { host, protocol, limits, meter, logger } = this.#options
    await host.handle(
      protocol,
      guardStreams({ protocol, meter, logger }, (stream, connection) => this.#serve(stream, connection)),
      { maxInboundStreams: limits.streamsInboundMax, maxOutboundStreams: limits.streamsOutboundMax },
    )
  }

  async stop(): Promise<void> {
    await this.#options.host.unhandle(this.#options.protocol)
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    const { limits, requestDeadlineMs } = this.#options
    const client = connection.remotePeer.toString()
    const request = await readToEnd(stream, {
      bytesMax: limits.frameBytesMax,
      firstByteDeadlineMs: limits.firstByteDeadlineMs,
      deadlineMs: requestDeadlineMs,
      budget: this.#budget,
    })
    const gone = new AbortController()
    const onClose = (): void => gone.abort()
    stream.addEventListener('close', onClose)
    const answer = await this.#answer(request, client, gone.signal)
    stream.removeEventListener('close', onClose)
    if (gone.signal.aborted) return
    stream.send(answer)
    await stream.close()
  }

  async #answer(
    request: Uint8Array | 'too-long' | 'no-room',
    client: string,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { handler } = this.#options
    if (request === 'too-long') return handler.refuse('too-long')
    if (request === 'no-room' || !this.#tokensOf(client).take(1)) return handler.refuse('too-often')
    return handler.answer(request, client, signal)
  }

  #tokensOf(client: string): TokenBucket {
    let tokens = this.#tokens.get(client)
    if (tokens === undefined) {
      const { messagesPerSecond, messagesBurst } = this.#options.limits
      tokens = new TokenBucket(messagesPerSecond, messagesBurst)
      this.#tokens.set(client, tokens)
    }
    return tokens
  }
}

/** Bounds of one call as the caller sees it. */
export interface CallOptions {
  readonly answerBytesMax: number
  readonly deadlineMs: number
}

/**
 * Makes one call over an open connection.
 *
 * @throws Error when the stream fails, the answer is too long or late
 */
export async function call(
  connection: Connection,
  protocol: string,
  request: Uint8Array,
  options: CallOptions,
): Promise<Uint8Array> {
  const stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(options.deadlineMs) })
  try {
    const answer = readToEnd(stream, {
      bytesMax: options.answerBytesMax,
      firstByteDeadlineMs: options.deadlineMs,
      deadlineMs: options.deadlineMs,
      budget: new ByteBudget(options.answerBytesMax),
    })
    // Should sending fail first, that is the failure to tell; this one must not go unheard.
    answer.catch(() => undefined)
    stream.send(request)
    await stream.close()
    const bytes = await answer
    if (typeof bytes === 'string')
      throw new StreamCut('oversize', `more than ${options.answerBytesMax} bytes`)
    return bytes
  } catch (thrown) {
    const error = normaliseError(thrown)
    abortQuietly(stream, error)
    throw error
  }
}
