/** Asks other nodes for snapshots and hand-over proofs: one call per stream, each with a deadline. Checks nothing. */
import type { Libp2p } from '@libp2p/interface'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { Epoch, Height, Hex32 } from '../types/primitives.ts'
import { call } from './calls.ts'
import { normaliseError } from './guard.ts'
import type { NetworkMeter } from './meter.ts'
import {
  decodeSnapshotAnswer,
  encodeSnapshotRequest,
  type Offer,
  type SnapshotAnswer,
  type SnapshotRequest,
} from './snapshot-codec.ts'
import { SNAPSHOT_FETCH } from './topics.ts'

/** Why a request brought nothing. */
export type SnapshotFetchRefusal = 'no-peer' | 'not-found' | 'busy' | 'malformed' | 'failed'

/** Parts of a {@link SnapshotFetch}. */
export interface SnapshotFetchOptions {
  readonly host: Pick<Libp2p, 'getConnections'>
  readonly protocol: string
  readonly meter: NetworkMeter
}

/** The asking side. `peer` is a peer id that we are connected to. */
export class SnapshotFetch {
  readonly #options: SnapshotFetchOptions

  constructor(options: SnapshotFetchOptions) {
    this.#options = options
  }

  list(peer: string, aboveHeight: Height): Promise<Result<readonly Offer[], SnapshotFetchRefusal>> {
    return this.#ask(peer, { kind: 'list', aboveHeight }, (answer) =>
      answer.kind === 'list' ? answer.offers : undefined,
    )
  }

  manifest(peer: string, height: Height): Promise<Result<Uint8Array, SnapshotFetchRefusal>> {
    return this.#ask(peer, { kind: 'manifest', height }, bytesOf)
  }

  chunk(peer: string, sha256: Hex32): Promise<Result<Uint8Array, SnapshotFetchRefusal>> {
    return this.#ask(peer, { kind: 'chunk', sha256 }, bytesOf)
  }

  handOver(peer: string, fromEpoch: Epoch): Promise<Result<Uint8Array, SnapshotFetchRefusal>> {
    return this.#ask(peer, { kind: 'hand-over', fromEpoch }, bytesOf)
  }

  async #ask<T>(
    peer: string,
    request: SnapshotRequest,
    read: (answer: SnapshotAnswer) => T | undefined,
  ): Promise<Result<T, SnapshotFetchRefusal>> {
    const answer = await this.#call(peer, request)
    const value = answer.ok ? read(answer.value) : undefined
    if (answer.ok && value !== undefined) {
      this.#options.meter('snapshot-request', 'answered')
      return ok(value)
    }
    const refusal = !answer.ok
      ? answer
      : answer.value.kind === 'refused'
        ? refuse(answer.value.code, `${peer} refused: ${answer.value.code}`)
        : refuse('malformed' as const, `${peer} answered something else`)
    this.#options.meter('snapshot-request', refusal.code === 'not-found' ? 'refused' : 'failed')
    return refusal
  }

  async #call(
    peer: string,
    request: SnapshotRequest,
  ): Promise<Result<SnapshotAnswer, 'no-peer' | 'malformed' | 'failed'>> {
    const connections = this.#options.host
      .getConnections()
      .filter(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === peer)
    const connection =
      connections.find(({ remoteAddr }) => remoteAddr.toString().includes('/tcp/')) ?? connections[0]
    if (connection === undefined) return refuse('no-peer', `not connected to ${peer}`)
    try {
      const bytes = await call(connection, this.#options.protocol, encodeSnapshotRequest(request), {
        answerBytesMax: SNAPSHOT_FETCH.answerBytesMax,
        deadlineMs: SNAPSHOT_FETCH.deadlineMs[request.kind],
      })
      return decodeSnapshotAnswer(bytes)
    } catch (thrown) {
      return refuse('failed', normaliseError(thrown).message)
    }
  }
}

function bytesOf(answer: SnapshotAnswer): Uint8Array | undefined {
  return answer.kind === 'bytes' ? answer.bytes : undefined
}
