/**
 * Answers snapshot requests: one per stream, within a rate per connection and a bound on what all askers together
 * have not taken yet. Where snapshots come from is a port.
 */
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { ByteBudget } from '../types/byte-budget.ts'
import type { Logger } from '../types/logger.ts'
import type { Epoch, Height, Hex32 } from '../types/primitives.ts'
import { guardStreams, letInvariantsCrash, normaliseError } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import { readToEnd } from './read-to-end.ts'
import {
  decodeSnapshotRequest,
  encodeSnapshotAnswer,
  type Offer,
  type SnapshotAnswer,
  type SnapshotRequest,
} from './snapshot-codec.ts'
import { TokenBucket } from './token-bucket.ts'
import { PROTOCOL_LIMITS, SNAPSHOT_FETCH } from './topics.ts'

/** Where snapshots come from. Bytes are canonical. */
export interface SnapshotSource {
  /** The highest first. */
  offers(): readonly Offer[]
  manifest(height: Height): Uint8Array | null
  chunk(sha256: Hex32): Promise<Uint8Array | null>
  /** The first hand-over proof of this epoch or a later one. */
  handOver(fromEpoch: Epoch): Promise<Uint8Array | null>
}

/** Parts of a {@link SnapshotServer}. */
export interface SnapshotServerOptions {
  readonly host: Pick<Libp2p, 'handle' | 'unhandle'>
  readonly protocol: string
  readonly source: SnapshotSource
  readonly meter: NetworkMeter
  readonly logger: Logger
}

/** Requests that are being read, over all askers. */
const BUFFERED_BYTES_MAX = 1024 * 1024

/** The answering side. */
export class SnapshotServer {
  readonly #options: SnapshotServerOptions
  readonly #tokens = new WeakMap<Connection, TokenBucket>()
  readonly #budget = new ByteBudget(BUFFERED_BYTES_MAX)
  #outstandingBytes = 0

  constructor(options: SnapshotServerOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { host, protocol, meter, logger } = this.#options
    const { streamsInboundMax, streamsOutboundMax } = PROTOCOL_LIMITS.snapshots
    await host.handle(
      protocol,
      guardStreams({ protocol, meter, logger }, (stream, connection) => this.#serve(stream, connection)),
      { maxInboundStreams: streamsInboundMax, maxOutboundStreams: streamsOutboundMax },
    )
  }

  async stop(): Promise<void> {
    await this.#options.host.unhandle(this.#options.protocol)
  }

  async #serve(stream: Stream, connection: Connection): Promise<void> {
    const { frameBytesMax, firstByteDeadlineMs } = PROTOCOL_LIMITS.snapshots
    const request = await readToEnd(stream, {
      bytesMax: frameBytesMax,
      firstByteDeadlineMs,
      deadlineMs: firstByteDeadlineMs,
      budget: this.#budget,
    })
    const answer = encodeSnapshotAnswer(await this.#answer(request, connection))
    this.#outstandingBytes += answer.length
    try {
      stream.send(answer)
      await stream.close({ signal: AbortSignal.timeout(SNAPSHOT_FETCH.answerStalledMaxMs) })
    } finally {
      this.#outstandingBytes -= answer.length
    }
  }

  /** Never rejects. */
  async #answer(bytes: Uint8Array | 'too-long' | 'no-room', connection: Connection): Promise<SnapshotAnswer> {
    const { meter, logger } = this.#options
    const isFull = this.#outstandingBytes > SNAPSHOT_FETCH.answerBytesOutstandingMax
    if (bytes === 'no-room' || isFull || !this.#tokensOf(connection).take(1)) {
      meter('snapshot-served', 'rate')
      return { kind: 'refused', code: 'busy' }
    }
    const request = bytes === 'too-long' ? null : decodeSnapshotRequest(bytes)
    if (request === null || !request.ok) {
      meter('snapshot-served', 'malformed')
      return { kind: 'refused', code: 'malformed' }
    }
    try {
      const answer = await this.#read(request.value)
      meter('snapshot-served', answer.kind === 'refused' ? 'not-found' : 'answered')
      return answer
    } catch (thrown) {
      letInvariantsCrash(thrown)
      logger.error({ detail: normaliseError(thrown).message }, 'a snapshot request could not be answered')
      return { kind: 'refused', code: 'busy' }
    }
  }

  async #read(request: SnapshotRequest): Promise<SnapshotAnswer> {
    const { source } = this.#options
    switch (request.kind) {
      case 'list': {
        const offers = source.offers().filter(({ height }) => height > request.aboveHeight)
        return { kind: 'list', offers: offers.slice(0, SNAPSHOT_FETCH.offersMax) }
      }
      case 'manifest':
        return asAnswer(source.manifest(request.height))
      case 'chunk':
        return asAnswer(await source.chunk(request.sha256))
      case 'hand-over':
        return asAnswer(await source.handOver(request.fromEpoch))
    }
  }

  #tokensOf(connection: Connection): TokenBucket {
    let tokens = this.#tokens.get(connection)
    if (tokens === undefined) {
      const { messagesPerSecond, messagesBurst } = PROTOCOL_LIMITS.snapshots
      tokens = new TokenBucket(messagesPerSecond, messagesBurst)
      this.#tokens.set(connection, tokens)
    }
    return tokens
  }
}

function asAnswer(bytes: Uint8Array | null): SnapshotAnswer {
  return bytes === null ? { kind: 'refused', code: 'not-found' } : { kind: 'bytes', bytes }
}
