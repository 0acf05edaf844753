/**
 * Answers block requests: one after another on a stream, as fast as the asker takes the answers, within a
 * rate per connection and a bound on everything that is outstanding. Where blocks come from is a port.
 */

import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Logger } from '../types/logger.ts'
import type { BlockHash, Height } from '../types/primitives.ts'
import {
  type BlocksAnswer,
  type BlocksRequest,
  decodeBlocksRequest,
  encodeBlocksAnswer,
} from './block-fetch-codec.ts'
import { FrameStream } from './frame-stream.ts'
import { guardStreams, letInvariantsCrash, normaliseError } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import { TokenBucket } from './token-bucket.ts'
import { BLOCK_FETCH, PROTOCOL_LIMITS, RANGE_BYTES_MAX } from './topics.ts'

type Awaitable<T> = T | Promise<T>

/** Where blocks come from. Bytes are canonical; certificates are encoded pre-commit certificates. */
export interface BlockSource {
  /** A block that is final or on a live branch. */
  blockByHash(hash: BlockHash): Awaitable<Uint8Array | null>
  /**
   * Final blocks from `fromHeight` upwards, in order, at most `countMax` and about `bytesMax` (the first one
   * always), with the certificate that makes the last of them final.
   */
  range(
    fromHeight: Height,
    countMax: number,
    bytesMax: number,
  ): Awaitable<{ readonly blocks: readonly Uint8Array[]; readonly certificate: Uint8Array | null }>
  /** The highest final block's height and certificate; null at genesis. */
  finality(): Awaitable<{ readonly height: Height; readonly certificate: Uint8Array | null }>
  /** From here on every block is kept. */
  lowestHeight(): Height
}

/** Parts of a {@link BlockServer}. */
export interface BlockServerOptions {
  readonly host: Pick<Libp2p, 'handle' | 'unhandle'>
  readonly protocol: string
  readonly source: BlockSource
  readonly meter: NetworkMeter
  readonly logger: Logger
}

/** The answering side. */
export class BlockServer {
  readonly #options: BlockServerOptions
  readonly #tokens = new WeakMap<Connection, TokenBucket>()
  #outstandingBytes = 0

  constructor(options: BlockServerOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { host, protocol, meter, logger } = this.#options
    const { streamsInboundMax, streamsOutboundMax } = PROTOCOL_LIMITS.blocks
    await host.handle(
      protocol,
      guardStreams({ protocol, meter, logger }, (stream, connection) => this.#accept(stream, connection)),
      { maxInboundStreams: streamsInboundMax, maxOutboundStreams: streamsOutboundMax },
    )
  }

  async stop(): Promise<void> {
    await this.#options.host.unhandle(this.#options.protocol)
  }

  #tokensOf(connection: Connection): TokenBucket {
    let tokens = this.#tokens.get(connection)
    if (tokens === undefined) {
      const { messagesPerSecond, messagesBurst } = PROTOCOL_LIMITS.blocks
      tokens = new TokenBucket(messagesPerSecond, messagesBurst)
      this.#tokens.set(connection, tokens)
    }
    return tokens
  }

  #accept(stream: Stream, connection: Connection): void {
    const { meter } = this.#options
    const tokens = this.#tokensOf(connection)
    const waiting: Uint8Array[] = []
    let answering = false
    let untakenBytes = 0
    let stalled: NodeJS.Timeout | undefined

    const taken = (): void => {
      clearTimeout(stalled)
      this.#outstandingBytes -= untakenBytes
      untakenBytes = 0
    }
    const next = (): void => {
      const request = waiting[0]
      if (answering || untakenBytes > 0 || request === undefined || frames.isEnded) return
      waiting.shift()
      answering = true
      void this.#answer(request).then((answer) => {
        answering = false
        if (frames.isEnded) return
        if (!frames.send([answer])) {
          untakenBytes = answer.byteLength
          this.#outstandingBytes += untakenBytes
          stalled = setTimeout(
            () => frames.cut('slow', 'the answer is not taken'),
            BLOCK_FETCH.answerStalledMaxMs,
          )
          // An answer that failed to be sent has ended the stream before we counted it.
          if (frames.isEnded) taken()
        }
        next()
      })
    }
    const frames: FrameStream = new FrameStream(stream, PROTOCOL_LIMITS.blocks, {
      onFrame: (frame) => {
        if (frame.byteLength === 0) return
        if (!tokens.take(1) || waiting.length >= BLOCK_FETCH.requestsPipelinedMax) {
          meter('block-served', 'rate')
          frames.cut('rate', 'too many block requests')
          return
        }
        waiting.push(frame)
        next()
      },
      onDrain: () => {
        taken()
        next()
      },
      onEnd: (reason) => {
        taken()
        if (reason !== undefined) meter('stream-cut', reason)
      },
    })
  }

  /** Never rejects. */
  async #answer(bytes: Uint8Array): Promise<Uint8Array> {
    const { meter, logger } = this.#options
    const request = decodeBlocksRequest(bytes)
    if (!request.ok) {
      meter('block-served', 'malformed')
      return encodeBlocksAnswer({ kind: 'refused', code: 'malformed' })
    }
    if (this.#outstandingBytes > BLOCK_FETCH.answerBytesOutstandingMax) {
      meter('block-served', 'rate')
      return encodeBlocksAnswer({ kind: 'refused', code: 'busy' })
    }
    try {
      const answer = await this.#read(request.value)
      meter('block-served', answer.kind === 'refused' ? 'not-found' : 'answered')
      return encodeBlocksAnswer(answer)
    } catch (thrown) {
      letInvariantsCrash(thrown)
      logger.error({ detail: normaliseError(thrown).message }, 'a block request could not be answered')
      return encodeBlocksAnswer({ kind: 'refused', code: 'busy' })
    }
  }

  async #read(request: BlocksRequest): Promise<BlocksAnswer> {
    const { source } = this.#options
    switch (request.kind) {
      case 'block': {
        const block = await source.blockByHash(request.hash)
        return block === null ? { kind: 'refused', code: 'not-found' } : { kind: 'block', block }
      }
      case 'range': {
        if (request.fromHeight < source.lowestHeight()) return { kind: 'refused', code: 'pruned' }
        const bytesMax = Math.min(request.bytesMax, RANGE_BYTES_MAX)
        const { blocks, certificate } = await source.range(request.fromHeight, request.countMax, bytesMax)
        return blocks.length === 0
          ? { kind: 'refused', code: 'not-found' }
          : { kind: 'range', blocks, certificate }
      }
      case 'status': {
        const { height, certificate } = await source.finality()
        return {
          kind: 'status',
          finalHeight: height,
          lowestHeight: source.lowestHeight(),
          certificate: height > request.knownHeight ? certificate : null,
        }
      }
    }
  }
}
