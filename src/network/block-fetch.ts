/**
 * Asks other nodes for blocks: a few streams per peer that are kept open, one request at a time on each, every
 * request with a deadline. What comes back is bytes that nobody has checked.
 */

import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { Logger } from '../types/logger.ts'
import type { BlockHash, Height } from '../types/primitives.ts'
import { type BlocksAnswer, type BlocksRequest, encodeBlocksRequest } from './block-fetch-codec.ts'
import { normaliseError } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import { RequestStream } from './request-stream.ts'
import { BLOCK_FETCH, RANGE_BLOCKS_MAX, RANGE_BYTES_MAX } from './topics.ts'

/** Why a fetch brought nothing. */
export type FetchRefusal = 'no-peer' | 'not-found' | 'pruned' | 'busy' | 'timeout' | 'malformed' | 'closed'

/** Something fetched, and the peer id that it came from, to blame or to ask again. */
export interface Fetched<T> {
  readonly from: string
  readonly value: T
}

/** Blocks in order with the encoded certificate that makes the last of them final. */
export interface BlockRange {
  readonly blocks: readonly Uint8Array[]
  readonly certificate: Uint8Array | null
}

/** How far a peer says it is; only the certificate proves anything. */
export interface PeerStatus {
  readonly finalHeight: Height
  /** From here on it says to keep every block. */
  readonly lowestHeight: Height
  readonly certificate: Uint8Array | null
}

/** Parts of a {@link BlockFetch}. */
export interface BlockFetchOptions {
  readonly host: Pick<Libp2p, 'getConnections'>
  readonly protocol: string
  readonly meter: NetworkMeter
  readonly logger: Logger
}

interface PeerStreams {
  readonly streams: Set<RequestStream>
  /** Being opened. */
  opening: number
  failures: number
  readonly waiting: Array<() => void>
}

/** The asking side. */
export class BlockFetch {
  readonly #options: BlockFetchOptions
  readonly #peers = new Map<string, PeerStreams>()
  #waiting = 0
  #stopped = false

  constructor(options: BlockFetchOptions) {
    this.#options = options
  }

  /** Peer ids that can be asked, the best first: fewest failures, then fewest requests under way. */
  peers(): string[] {
    const ids = new Set(this.#options.host.getConnections().map(({ remotePeer }) => remotePeer.toString()))
    for (const id of this.#peers.keys()) if (!ids.has(id)) this.#forget(id)
    const rank = (id: string): number => {
      const peer = this.#peers.get(id)
      return peer === undefined ? 0 : peer.failures * 1_000 + busyStreams(peer) + peer.waiting.length
    }
    return [...ids].sort((a, b) => rank(a) - rank(b))
  }

  /** One block by its hash, final or not. `first`: the peer to ask before the others. */
  async fetchByHash(hash: BlockHash, first?: string): Promise<Result<Fetched<Uint8Array>, FetchRefusal>> {
    return this.#ask({ kind: 'block', hash }, this.#candidates(first), (answer) =>
      answer.kind === 'block' ? answer.block : undefined,
    )
  }

  /** Final blocks from a height upwards. Several ranges may be asked for at once. `from`: the only peer to ask. */
  async fetchRange(
    fromHeight: Height,
    countMax: number,
    from?: string,
  ): Promise<Result<Fetched<BlockRange>, FetchRefusal>> {
    const request = {
      kind: 'range',
      fromHeight,
      countMax: Math.min(countMax, RANGE_BLOCKS_MAX),
      bytesMax: RANGE_BYTES_MAX,
    } as const
    return this.#ask(request, from === undefined ? this.#candidates() : [from], (answer) =>
      answer.kind === 'range' && answer.blocks.length <= request.countMax
        ? { blocks: answer.blocks, certificate: answer.certificate }
        : undefined,
    )
  }

  /** A peer's final height, with its certificate when that is above `knownHeight`. `from`: the only peer to ask. */
  async fetchStatus(knownHeight: Height, from?: string): Promise<Result<Fetched<PeerStatus>, FetchRefusal>> {
    return this.#ask(
      { kind: 'status', knownHeight },
      from === undefined ? this.#candidates() : [from],
      (answer) =>
        answer.kind === 'status'
          ? {
              finalHeight: answer.finalHeight,
              lowestHeight: answer.lowestHeight,
              certificate: answer.certificate,
            }
          : undefined,
    )
  }

  /** Closes every stream; requests under way are refused as closed. */
  stop(): void {
    this.#stopped = true
    for (const id of [...this.#peers.keys()]) this.#forget(id)
  }

  #candidates(first?: string): readonly string[] {
    const peers = this.peers()
    const ordered = first === undefined ? peers : [first, ...peers.filter((id) => id !== first)]
    return ordered.slice(0, BLOCK_FETCH.peersTriedMax)
  }

  async #ask<T>(
    request: BlocksRequest,
    candidates: readonly string[],
    read: (answer: BlocksAnswer) => T | undefined,
  ): Promise<Result<Fetched<T>, FetchRefusal>> {
    let last: Result<Fetched<T>, FetchRefusal> = refuse('no-peer', 'connected to nobody')
    for (const id of candidates) {
      last = await this.#askPeer(id, request, read)
      this.#options.meter('block-request', last.ok ? 'answered' : isRefusal(last.code) ? 'refused' : 'failed')
      if (last.ok) return last
    }
    return last
  }

  async #askPeer<T>(
    id: string,
    request: BlocksRequest,
    read: (answer: BlocksAnswer) => T | undefined,
  ): Promise<Result<Fetched<T>, FetchRefusal>> {
    const deadline = performance.now() + BLOCK_FETCH.deadlineMs[request.kind]
    const stream = await this.#acquire(id, deadline)
    if (!stream.ok) return stream
    const answer = await stream.value.ask(encodeBlocksRequest(request), deadline - performance.now())
    const peer = this.#peers.get(id)
    peer?.waiting.shift()?.()
    if (!answer.ok) {
      if (peer !== undefined) peer.failures += 1
      return answer
    }
    if (answer.value.kind === 'refused') {
      const { code } = answer.value
      return refuse(code, `${id} refused: ${code}`)
    }
    const value = read(answer.value)
    if (value === undefined) {
      if (peer !== undefined) peer.failures += 1
      return refuse('malformed', `${id} answered something else`)
    }
    if (peer !== undefined) peer.failures = 0
    return ok({ from: id, value })
  }

  /** An idle stream to the peer: one that is open, a new one, or the next that becomes free. */
  async #acquire(id: string, deadline: number): Promise<Result<RequestStream, FetchRefusal>> {
    for (;;) {
      if (this.#stopped) return refuse('closed', 'stopped')
      const left = deadline - performance.now()
      if (left <= 0) return refuse('timeout', `no free stream to ${id}`)
      const connection = this.#connectionTo(id)
      if (connection === undefined) return refuse('no-peer', `not connected to ${id}`)
      const peer = this.#peerOf(id)
      for (const stream of peer.streams) if (stream.claim()) return ok(stream)
      if (peer.streams.size + peer.opening < BLOCK_FETCH.streamsPerPeerMax) {
        return this.#open(id, peer, connection, left)
      }
      if (this.#waiting >= BLOCK_FETCH.requestsWaitingMax) return refuse('busy', 'too many requests wait')
      this.#waiting += 1
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(() => {
          peer.waiting.splice(peer.waiting.indexOf(wake), 1)
          resolve()
        }, left)
        peer.waiting.push(wake)
      })
      this.#waiting -= 1
    }
  }

  async #open(
    id: string,
    peer: PeerStreams,
    connection: Connection,
    leftMs: number,
  ): Promise<Result<RequestStream, FetchRefusal>> {
    peer.opening += 1
    let raw: Stream
    try {
      raw = await connection.newStream(this.#options.protocol, {
        signal: AbortSignal.timeout(Math.ceil(leftMs)),
      })
    } catch (thrown) {
      peer.failures += 1
      peer.waiting.shift()?.()
      return refuse('closed', normaliseError(thrown).message)
    } finally {
      peer.opening -= 1
    }
    const stream: RequestStream = new RequestStream(raw, (reason) => {
      peer.streams.delete(stream)
      if (reason !== undefined) this.#options.meter('stream-cut', reason)
      peer.waiting.shift()?.()
    })
    if (!stream.claim()) return refuse('closed', `the stream to ${id} broke`)
    peer.streams.add(stream)
    return ok(stream)
  }

  #connectionTo(id: string): Connection | undefined {
    const connections = this.#options.host
      .getConnections()
      .filter(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === id)
    return connections.find(({ remoteAddr }) => remoteAddr.toString().includes('/tcp/')) ?? connections[0]
  }

  #peerOf(id: string): PeerStreams {
    let peer = this.#peers.get(id)
    if (peer === undefined) {
      peer = { streams: new Set(), opening: 0, failures: 0, waiting: [] }
      this.#peers.set(id, peer)
    }
    return peer
  }

  #forget(id: string): void {
    const peer = this.#peers.get(id)
    this.#peers.delete(id)
    if (peer === undefined) return
    for (const stream of peer.streams) stream.close()
    for (const wake of peer.waiting.splice(0)) wake()
  }
}

/** The peer has not got it. */
function isRefusal(code: FetchRefusal): boolean {
  return code === 'not-found' || code === 'pruned'
}

function busyStreams(peer: PeerStreams): number {
  let busy = peer.opening
  for (const stream of peer.streams) if (stream.isBusy) busy += 1
  return busy
}
