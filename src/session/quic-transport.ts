/**
 * The session layer on QUIC: wraps @chainsafe/libp2p-quic and stands between it and libp2p's upgrader. The
 * handshake runs on the connection's first stream; the real upgrader gets a connection, with a muxer that
 * seals every stream, only when it has succeeded.
 */

import { type QuicComponents, type QuicOptions, quic } from '@chainsafe/libp2p-quic'
import {
  type Connection,
  type CreateListenerOptions,
  type DialTransportOptions,
  isStartable,
  type Listener,
  type MultiaddrConnection,
  type MultiaddrFilter,
  type Startable,
  serviceCapabilities,
  type Transport,
  transportSymbol,
  type Upgrader,
  type UpgraderOptions,
  type UpgraderWithoutEncryptionOptions,
} from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { assert } from '../types/assert.ts'
import { ok, refuse } from '../types/errors.ts'
import { addressKey } from './address-key.ts'
import type { SessionRole } from './key-schedule.ts'
import { SealedMuxer } from './sealed-muxer.ts'
import type { Sessions } from './sessions.ts'

/**
 * For `transports` of `createLibp2p`, in place of `quic()`.
 *
 * @param sessions shared with `postQuantumEncrypter`
 * @param quicOptions options of @chainsafe/libp2p-quic
 */
export function postQuantumQuic(
  sessions: Sessions,
  quicOptions?: Partial<QuicOptions>,
): (components: QuicComponents) => Transport {
  return (components) => {
    sessions.assertPeerId(peerIdFromPrivateKey(components.privateKey).toString())
    return new PostQuantumQuicTransport(sessions, quic(quicOptions)(components))
  }
}

class PostQuantumQuicTransport implements Transport, Startable {
  readonly [Symbol.toStringTag] = 'hypermesh-pq-quic'
  readonly [transportSymbol] = true
  readonly [serviceCapabilities] = ['@libp2p/transport']
  readonly listenFilter: MultiaddrFilter
  readonly dialFilter: MultiaddrFilter
  readonly #sessions: Sessions
  readonly #inner: Transport

  constructor(sessions: Sessions, inner: Transport) {
    this.#sessions = sessions
    this.#inner = inner
    this.listenFilter = inner.listenFilter
    this.dialFilter = inner.dialFilter
  }

  async start(): Promise<void> {
    if (isStartable(this.#inner)) await this.#inner.start()
  }

  async stop(): Promise<void> {
    if (isStartable(this.#inner)) await this.#inner.stop()
  }

  dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const upgrader = new SealingUpgrader(this.#sessions, options.upgrader)
    return this.#inner.dial(address, { ...options, upgrader })
  }

  createListener(options: CreateListenerOptions): Listener {
    const upgrader = new SealingUpgrader(this.#sessions, options.upgrader)
    return this.#inner.createListener({ ...options, upgrader })
  }
}

/** The upgrader that QUIC sees: handshake first, then the real one. */
class SealingUpgrader implements Upgrader {
  readonly #sessions: Sessions
  readonly #upgrader: Upgrader

  constructor(sessions: Sessions, upgrader: Upgrader) {
    this.#sessions = sessions
    this.#upgrader = upgrader
  }

  async upgradeOutbound(connection: MultiaddrConnection, options: UpgraderOptions): Promise<Connection> {
    return this.#upgrader.upgradeOutbound(connection, await this.#sealed('initiator', connection, options))
  }

  async upgradeInbound(connection: MultiaddrConnection, options: UpgraderOptions): Promise<void> {
    return this.#upgrader.upgradeInbound(connection, await this.#sealed('responder', connection, options))
  }

  createInboundAbortSignal: Upgrader['createInboundAbortSignal'] = (signal) =>
    this.#upgrader.createInboundAbortSignal(signal)

  getStreamMuxers: Upgrader['getStreamMuxers'] = () => this.#upgrader.getStreamMuxers()

  getConnectionEncrypters: Upgrader['getConnectionEncrypters'] = () =>
    this.#upgrader.getConnectionEncrypters()

  /** The upgrade options with a muxer that is authenticated, keyed and unlocked. */
  async #sealed(
    role: SessionRole,
    connection: MultiaddrConnection,
    options: UpgraderOptions,
  ): Promise<UpgraderWithoutEncryptionOptions> {
    assert(
      provesPeer(options) && options.muxerFactory !== undefined,
      'QUIC upgrades with TLS and its own muxer',
    )
    const { muxerFactory, remotePeer } = options
    const direction = role === 'initiator' ? 'outbound' : 'inbound'
    const remote = { peerId: remotePeer.toString(), address: addressKey(connection) }
    const muxer = await this.#sessions.upgrade(direction, remote.address, options.signal, async (signal) => {
      const sealedMuxer = new SealedMuxer({
        inner: muxerFactory.createStreamMuxer(connection),
        role,
        framesPerKeyMax: this.#sessions.limits.framesPerKeyMax,
        counterDeadlineMs: this.#sessions.limits.handshakeDeadlineMs,
        onCut: this.#sessions.onCut,
      })
      const stream = await sealedMuxer.handshakeStream(signal)
      if (!stream.ok) return stream
      const session = await this.#sessions.handshake(role, stream.value, remote, signal)
      if (!session.ok) return session
      if (connection.status !== 'open') {
        session.value.release()
        return refuse('closed', 'the connection closed with the handshake')
      }
      connection.addEventListener('close', session.value.release, { once: true })
      // Its work is done; the other side closes its half too, and nothing waits for either.
      stream.value.close({ signal }).catch(() => {})
      sealedMuxer.unlock(session.value.secret)
      return ok(sealedMuxer)
    })
    return { ...options, muxerFactory: { protocol: muxer.protocol, createStreamMuxer: () => muxer } }
  }
}

function provesPeer(options: UpgraderOptions): options is UpgraderWithoutEncryptionOptions {
  return 'remotePeer' in options && 'skipEncryption' in options
}
