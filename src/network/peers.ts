/** Who we are connected to, as the API shows it. It reads; connections are made and closed elsewhere. */

import type { IdentifyResult, Libp2p, PeerId } from '@libp2p/interface'
import type { Logger } from '../types/logger.ts'
import type { ValidatorId } from '../types/primitives.ts'
import { type TransportName, transportOf } from './addresses.ts'
import { guarded, normaliseError } from './guard.ts'
import type { ValidatorPeers } from './validator-peers.ts'

/** One connection. */
export interface PeerEntry {
  /** libp2p peer id, base58. */
  readonly peerId: string
  /** Hash of the ML-DSA key that its session proved. */
  readonly nodeId: ValidatorId | null
  /** The same, if that identity is in the current validator set. */
  readonly validatorId: ValidatorId | null
  readonly direction: 'inbound' | 'outbound'
  readonly transport: TransportName | null
  /** Round trip in milliseconds; null before the first measurement. */
  readonly rttMs: number | null
  /** Where the connection goes to. */
  readonly address: string
  /** Where the peer says it listens. */
  readonly addresses: readonly string[]
  /** What the peer says it runs. */
  readonly userAgent: string | null
  /** Unix time in milliseconds. */
  readonly sinceMs: number
}

/** Connections by kind. */
export interface ConnectionCounts {
  readonly inbound: number
  readonly outbound: number
  readonly validators: number
}

/** Parts of a {@link PeerTable}. */
export interface PeerTableOptions {
  readonly host: Pick<Libp2p, 'getConnections' | 'addEventListener' | 'removeEventListener' | 'peerStore'>
  readonly validatorPeers: ValidatorPeers
  readonly logger: Logger
}

interface Said {
  readonly addresses: readonly string[]
  readonly userAgent: string | null
}

/** Peer tag that makes libp2p's pruner spare validators. */
const VALIDATOR_TAG = { 'hypermesh-validator': { value: 100 } }

/** The table. */
export class PeerTable {
  readonly #options: PeerTableOptions
  readonly #said = new Map<string, Said>()
  readonly #onIdentify: (event: CustomEvent<IdentifyResult>) => void
  readonly #onDisconnect: (event: CustomEvent<PeerId>) => void
  readonly #onConnect: (event: CustomEvent<PeerId>) => void

  constructor(options: PeerTableOptions) {
    this.#options = options
    const { logger, host, validatorPeers } = options
    const onError = (error: Error): void =>
      logger.debug({ detail: error.message }, 'a peer event was not looked at')
    this.#onIdentify = guarded(({ detail }: CustomEvent<IdentifyResult>) => {
      this.#said.set(detail.peerId.toString(), {
        addresses: detail.listenAddrs.slice(0, 16).map(String),
        userAgent: detail.agentVersion?.slice(0, 128) ?? null,
      })
    }, onError)
    this.#onDisconnect = guarded((event: CustomEvent<PeerId>) => {
      this.#said.delete(event.detail.toString())
    }, onError)
    this.#onConnect = guarded((event: CustomEvent<PeerId>) => {
      if (validatorPeers.validatorOf(event.detail.toString()) === undefined) return
      host.peerStore
        .merge(event.detail, { tags: VALIDATOR_TAG })
        .catch((thrown: unknown) => onError(normaliseError(thrown)))
    }, onError)
  }

  start(): void {
    const { host } = this.#options
    host.addEventListener('peer:identify', this.#onIdentify)
    host.addEventListener('peer:disconnect', this.#onDisconnect)
    host.addEventListener('peer:connect', this.#onConnect)
  }

  stop(): void {
    const { host } = this.#options
    host.removeEventListener('peer:identify', this.#onIdentify)
    host.removeEventListener('peer:disconnect', this.#onDisconnect)
    host.removeEventListener('peer:connect', this.#onConnect)
  }

  /** Every open connection; a peer may have more than one. */
  list(): PeerEntry[] {
    const { host, validatorPeers } = this.#options
    return host
      .getConnections()
      .filter(({ status }) => status === 'open')
      .map((connection) => {
        const peerId = connection.remotePeer.toString()
        const said = this.#said.get(peerId)
        return {
          peerId,
          nodeId: validatorPeers.identityOf(connection) ?? null,
          validatorId: validatorPeers.validatorOf(connection) ?? null,
          direction: connection.direction,
          transport: transportOf(connection.remoteAddr) ?? null,
          rttMs: connection.rtt ?? null,
          address: connection.remoteAddr.toString(),
          addresses: said?.addresses ?? [],
          userAgent: said?.userAgent ?? null,
          sinceMs: connection.timeline.open,
        }
      })
  }

  /** The peer id of a connected validator, to ask it for something. */
  peerIdOf(id: ValidatorId): string | undefined {
    const { host, validatorPeers } = this.#options
    return host
      .getConnections()
      .find((connection) => validatorPeers.identityOf(connection) === id)
      ?.remotePeer.toString()
  }

  /** Distinct peers connected. */
  count(): number {
    return new Set(this.#options.host.getConnections().map(({ remotePeer }) => remotePeer.toString())).size
  }

  /** How many connections we have, and to how many validators. */
  counts(): ConnectionCounts {
    const list = this.list()
    return {
      inbound: list.filter(({ direction }) => direction === 'inbound').length,
      outbound: list.filter(({ direction }) => direction === 'outbound').length,
      validators: new Set(list.flatMap(({ validatorId }) => validatorId ?? [])).size,
    }
  }
}
