/**
 * The session layer on TCP: a libp2p `ConnectionEncrypter` that runs Noise, then the post-quantum handshake
 * inside it, and hands libp2p the sealed connection. A peer that fails is refused before libp2p has a
 * connection to announce.
 */

import {
  type ConnectionEncrypter,
  type MessageStream,
  type SecureConnectionOptions,
  type SecuredConnection,
  type StreamMuxerFactory,
  serviceCapabilities,
} from '@libp2p/interface'
import { type NoiseComponents, type NoiseInit, noise } from '@libp2p/noise'
import { ok, type Result, refuse } from '../types/errors.ts'
import { addressKey } from './address-key.ts'
import { connectionSecrets, type SessionRole } from './key-schedule.ts'
import { leanStream } from './lean-stream.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { leanNoise } from './noise-packets.ts'
import type { SessionRefusalCode } from './refusal.ts'
import { SealedStream } from './sealed-stream.ts'
import type { Session, Sessions } from './sessions.ts'

/** Protocol id of Noise with the session layer inside. */
export const POST_QUANTUM_NOISE = '/hypermesh/pq-noise/1'

/**
 * For `connectionEncrypters` of `createLibp2p`.
 *
 * @param sessions shared with `postQuantumQuic`
 * @param noiseInit options of @libp2p/noise
 */
export function postQuantumEncrypter(
  sessions: Sessions,
  noiseInit?: NoiseInit,
): (components: NoiseComponents) => ConnectionEncrypter {
  return (components) => {
    sessions.assertPeerId(components.peerId.toString())
    return new PostQuantumEncrypter(sessions, noise({ crypto: noiseCrypto, ...noiseInit })(components))
  }
}

class PostQuantumEncrypter implements ConnectionEncrypter {
  readonly protocol = POST_QUANTUM_NOISE
  readonly [Symbol.toStringTag] = 'hypermesh-pq-noise'
  readonly [serviceCapabilities] = ['@libp2p/connection-encryption']
  readonly #sessions: Sessions
  readonly #noise: ConnectionEncrypter

  constructor(sessions: Sessions, noiseEncrypter: ConnectionEncrypter) {
    this.#sessions = sessions
    this.#noise = noiseEncrypter
  }

  secureOutbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return this.#secure('initiator', connection, options)
  }

  secureInbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return this.#secure('responder', connection, options)
  }

  async #secure(
    role: SessionRole,
    connection: MessageStream,
    options: SecureConnectionOptions = {},
  ): Promise<SecuredConnection> {
    const direction = role === 'initiator' ? 'outbound' : 'inbound'
    try {
      return await this.#sessions.upgrade(direction, addressKey(connection), options.signal, (signal) =>
        this.#attempt(role, connection, { ...options, signal }),
      )
    } catch (error) {
      // A read that timed out leaves the stream open; a refused connection must not stay.
      connection.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }

  async #attempt(
    role: SessionRole,
    connection: MessageStream,
    options: SecureConnectionOptions & { readonly signal: AbortSignal },
  ): Promise<Result<SecuredConnection, SessionRefusalCode>> {
    let secured: SecuredConnection
    try {
      secured =
        role === 'initiator'
          ? await this.#noise.secureOutbound(connection, options)
          : await this.#noise.secureInbound(connection, options)
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error))
      return name === 'UnexpectedPeerError'
        ? refuse('unexpected-peer', message)
        : refuse('noise-failed', `${name}: ${message}`)
    }
    leanNoise(secured.connection)
    leanStream(secured.connection)
    const remote = { peerId: secured.remotePeer.toString(), address: addressKey(connection) }
    const session = await this.#sessions.handshake(role, secured.connection, remote, options.signal)
    if (!session.ok) return session
    if (connection.status !== 'open') {
      session.value.release()
      return refuse('closed', 'the connection closed with the handshake')
    }
    connection.addEventListener('close', session.value.release, { once: true })
    return ok(this.#sealed(secured, session.value))
  }

  #sealed(secured: SecuredConnection, session: Session): SecuredConnection {
    const sealed = new SealedStream({
      carrier: { scope: 'connection', raw: secured.connection },
      secrets: connectionSecrets(session.secret, session.role),
      framesPerKeyMax: this.#sessions.limits.framesPerKeyMax,
      leftover: session.leftover,
      onCut: this.#sessions.onCut,
    })
    return {
      connection: sealed,
      remotePeer: secured.remotePeer,
      ...(secured.streamMuxer === undefined ? {} : { streamMuxer: endingWith(sealed, secured.streamMuxer) }),
    }
  }
}

/**
 * Ties a muxer to its sealed connection, which libp2p does not do: a connection that is cut must fail its
 * streams instead of ending them cleanly, and closing the muxer must send the end frame, because libp2p
 * closes the socket underneath without asking the encrypter.
 */
function endingWith(sealed: SealedStream, factory: StreamMuxerFactory): StreamMuxerFactory {
  return {
    protocol: factory.protocol,
    createStreamMuxer(connection) {
      // Before the muxer's own listener, which would end the streams without an error.
      sealed.addEventListener('close', ({ error }) => {
        if (error === undefined) return
        try {
          muxer.abort(error)
        } catch {
          // The muxer cannot say goodbye on a connection that is gone.
        }
      })
      const muxer = factory.createStreamMuxer(connection)
      const close = muxer.close.bind(muxer)
      muxer.close = async (options) => {
        await close(options)
        if (sealed.status !== 'open') return
        // A close that is overtaken by an abort can wait for a drain that never comes.
        const gone = new Promise((resolve) => sealed.addEventListener('close', resolve, { once: true }))
        await Promise.race([sealed.close(options).catch(() => {}), gone])
      }
      return muxer
    },
  }
}
