/**
 * A libp2p node that gets through Noise or TLS as an honest peer does and then says whatever a test wants
 * where the handshake should be.
 */

import { quic } from '@chainsafe/libp2p-quic'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type {
  ConnectionEncrypter,
  MessageStream,
  StreamMuxerFactory,
  UpgraderOptions,
} from '@libp2p/interface'
import { type NoiseComponents, noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import { POST_QUANTUM_NOISE } from '../../../src/session/tcp-encrypter.ts'
import type { Carrier } from './session-node.ts'

/** Speaks on the stream where the handshake belongs; libp2p goes on with the connection when it is done. */
export type Speech = (stream: MessageStream, ourPeerId: string) => Promise<void>

/** A node whose outbound connections speak `speech` in place of the handshake. */
export async function misbehavingNode(carrier: Carrier, speech: Speech): Promise<Libp2p> {
  const privateKey = await generateKeyPair('Ed25519')
  const peerId = peerIdFromPrivateKey(privateKey).toString()
  return createLibp2p({
    privateKey,
    addresses: { listen: [] },
    transports: [carrier === 'tcp' ? tcp() : misbehavingQuic((stream) => speech(stream, peerId))],
    connectionEncrypters: [misbehavingEncrypter((stream) => speech(stream, peerId))],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionManager: { reconnectRetries: 0, connectionCloseTimeout: 100 },
  })
}

function misbehavingEncrypter(speech: (stream: MessageStream) => Promise<void>) {
  return (components: NoiseComponents): ConnectionEncrypter => {
    const inner = noise()(components)
    return {
      protocol: POST_QUANTUM_NOISE,
      secureInbound: (connection, options) => inner.secureInbound(connection, options),
      async secureOutbound(connection, options) {
        const secured = await inner.secureOutbound(connection, options)
        await speech(secured.connection)
        return secured
      },
    }
  }
}

function misbehavingQuic(speech: (stream: MessageStream) => Promise<void>): ReturnType<typeof quic> {
  return (components) => {
    const transport = quic()(components)
    const dial = transport.dial.bind(transport)
    transport.dial = (address, options) => {
      const { upgrader } = options
      const upgradeOutbound = async (
        connection: Parameters<typeof upgrader.upgradeOutbound>[0],
        o: UpgraderOptions,
      ) => {
        const muxer = o.muxerFactory?.createStreamMuxer(connection)
        if (muxer === undefined) throw new Error('QUIC brings its muxer')
        await speech(await muxer.createStream())
        const muxerFactory: StreamMuxerFactory = { protocol: 'quic', createStreamMuxer: () => muxer }
        return upgrader.upgradeOutbound(connection, { ...o, muxerFactory })
      }
      return dial(address, {
        ...options,
        upgrader: Object.assign(Object.create(upgrader), { upgradeOutbound }),
      })
    }
    return transport
  }
}
