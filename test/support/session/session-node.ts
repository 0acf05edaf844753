/** Real libp2p nodes on loopback with the session layer, for the session integration tests. */

import { randomBytes } from 'node:crypto'
import { quic } from '@chainsafe/libp2p-quic'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { ConnectionEncrypter, Libp2p, PrivateKey } from '@libp2p/interface'
import { type NoiseComponents, noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { MlDsaKeyPair } from '../../../src/crypto/ml-dsa.ts'
import { selectMlDsa65, selectMlKem768 } from '../../../src/crypto/select.ts'
import { AuthenticatedPeers } from '../../../src/session/authenticated-peers.ts'
import { refusePlainNoise } from '../../../src/session/plain-noise.ts'
import { postQuantumQuic } from '../../../src/session/quic-transport.ts'
import type { AdmissionPolicy, SessionLimits } from '../../../src/session/session-options.ts'
import { Sessions } from '../../../src/session/sessions.ts'
import { postQuantumEncrypter } from '../../../src/session/tcp-encrypter.ts'
import { RecordingLogger } from './recording-logger.ts'

export type Carrier = 'tcp' | 'quic'

export const GENESIS = Buffer.alloc(32, 7)

const LISTEN: Record<Carrier, string> = {
  tcp: '/ip4/127.0.0.1/tcp/0',
  quic: '/ip4/127.0.0.1/udp/0/quic-v1',
}

export interface SessionNode {
  readonly libp2p: Libp2p
  readonly peers: AuthenticatedPeers
  readonly logger: RecordingLogger
  readonly keyPair: MlDsaKeyPair
  /** Peer ids for which libp2p announced a connection. */
  readonly announced: string[]
}

export interface SessionNodeOptions {
  readonly carrier?: Carrier
  readonly genesisHash?: Uint8Array
  readonly admit?: AdmissionPolicy
  readonly limits?: Partial<SessionLimits>
  readonly privateKey?: PrivateKey
  /** Replaces the encrypter, for a node that misbehaves on TCP. */
  readonly encrypter?: (sessions: Sessions) => (components: NoiseComponents) => ConnectionEncrypter
}

function announcementsOf(libp2p: Libp2p): string[] {
  const announced: string[] = []
  libp2p.addEventListener('connection:open', ({ detail }) => announced.push(detail.remotePeer.toString()))
  return announced
}

/** A node with the session layer. */
export async function sessionNode(options: SessionNodeOptions = {}): Promise<SessionNode> {
  const carrier = options.carrier ?? 'tcp'
  const privateKey = options.privateKey ?? (await generateKeyPair('Ed25519'))
  const mlDsa = selectMlDsa65()
  const keyPair = mlDsa.keyPairFromSeed(randomBytes(32))
  const peers = new AuthenticatedPeers()
  const logger = new RecordingLogger()
  const sessions = new Sessions({
    identity: {
      peerId: peerIdFromPrivateKey(privateKey).toString(),
      keyPair,
      genesisHash: options.genesisHash ?? GENESIS,
    },
    admit: options.admit ?? (() => true),
    peers,
    mlDsa,
    mlKem: selectMlKem768(),
    logger,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  })
  const encrypter = options.encrypter ?? postQuantumEncrypter
  const libp2p = await createLibp2p({
    privateKey,
    addresses: { listen: [LISTEN[carrier]] },
    transports: [carrier === 'tcp' ? tcp() : postQuantumQuic(sessions)],
    connectionEncrypters: [encrypter(sessions), refusePlainNoise(sessions)],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionManager: {
      reconnectRetries: 0,
      inboundConnectionThreshold: 1_000,
      connectionCloseTimeout: 100,
    },
  })
  return { libp2p, peers, logger, keyPair, announced: announcementsOf(libp2p) }
}

/** A plain libp2p node: Noise on TCP or TLS on QUIC, and nothing inside. */
export async function plainNode(
  carrier: Carrier,
  encrypter: (components: NoiseComponents) => ConnectionEncrypter = noise(),
): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen: [LISTEN[carrier]] },
    transports: [carrier === 'tcp' ? tcp() : quic()],
    connectionEncrypters: [encrypter],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
    connectionManager: { reconnectRetries: 0, connectionCloseTimeout: 100 },
  })
}
