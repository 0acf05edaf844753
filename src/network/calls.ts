/**
 * One call per stream: the caller writes, half-closes, and reads to the end (stoq.md's envelope on a libp2p
 * stream). Bounds, deadlines and rates are here; what the bytes say is the RPC layer's matter.
 */

import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { LRUCache } from 'lru-cache'
import { Uint8ArrayList } from 'uint8arraylist'
import type { Logger } from '../types/logger.ts'
import { abortQuietly, guardStreams, normaliseError, StreamCut } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import { TokenBucket } from './token-bucket.ts'
import type { ProtocolLimits } from './topics.ts'

/** Answers calls. Must not be told of the bounds: they are kept before it is asked. */
export interface CallHandler {
  /** @param client peer id of the caller */
  answer(request: Uint8Array, client: string): Promise<Uint8Array>
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

/** Callers whose rate is remembered. */
const CLIENTS_MAX = 4_096

/** The answering side of a call protocol. */
export class CallServer {
  readonly #options: CallServerOptions
  readonly #tokens = new LRUCache<string, TokenBucket>({ max: CLIENTS_MAX })

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
    const { handler, limits, requestDeadlineMs } = this.#options
    const client = connection.remotePeer.toString()
    const request = await readToEnd(stream, {
      bytesMax: limits.frameBytesMax,
      firstByteDeadlineMs: limits.firstByteDeadlineMs,
      deadlineMs: requestDeadlineMs,
    })
    const answer =
      request === 'too-long' || !this.#tokensOf(client).take(1)
        ? handler.refuse(request === 'too-long' ? 'too-long' : 'too-often')
        : await handler.answer(request, client)
    stream.send(answer)
    await stream.close()
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
    })
    // Should sending fail first, that is the failure to tell; this one must not go unheard.
    answer.catch(() => undefined)
    stream.send(request)
    await stream.close()
    const bytes = await answer
    if (bytes === 'too-long') throw new StreamCut('oversize', `more than ${options.answerBytesMax} bytes`)
    return bytes
  } catch (thrown) {
    const error = normaliseError(thrown)
    abortQuietly(stream, error)
    throw error
  }
}

interface ReadLimits {
  readonly bytesMax: number
  readonly firstByteDeadlineMs: number
  readonly deadlineMs: number
}

/**
 * Reads until the remote half-closes. What is too long is still read to its end, and thrown away: the other
 * side gets its answer instead of a reset.
 */
function readToEnd(stream: Stream, limits: ReadLimits): Promise<Uint8Array | 'too-long'> {
  return new Promise((resolve, reject) => {
    const list = new Uint8ArrayList()
    let received = 0
    const late = (what: string) => (): void => reject(new StreamCut('silent', what))
    let timer = setTimeout(late('no byte in time'), limits.firstByteDeadlineMs)
    const finish = (): void => {
      clearTimeout(timer)
      resolve(received > limits.bytesMax ? 'too-long' : list.subarray())
    }
    stream.addEventListener('message', ({ data }) => {
      if (received === 0) {
        clearTimeout(timer)
        timer = setTimeout(late('not finished in time'), limits.deadlineMs)
      }
      received += data.byteLength
      if (received <= limits.bytesMax) list.append(data)
      else if (list.byteLength > 0) list.consume(list.byteLength)
      // Ten times over is no honest mistake.
      if (received > 10 * limits.bytesMax) {
        clearTimeout(timer)
        reject(new StreamCut('oversize', `more than ${10 * limits.bytesMax} bytes`))
      }
    })
    // 'end' too: bytes and half-close may have come before we listened.
    stream.addEventListener('remoteCloseWrite', finish)
    stream.addEventListener('end', () => {
      if (stream.status !== 'aborted' && stream.status !== 'reset') finish()
    })
    stream.addEventListener('close', (event) => {
      clearTimeout(timer)
      reject(event.error ?? new StreamCut('reset', 'closed before its end'))
    })
    if (stream.readableEnded) finish()
  })
}
