/**
 * The libp2p node: transports, sessions, limits and the services that find peers. There is no way to build it
 * without the post-quantum session layer. What is said over it is the matter of the other files.
 */

import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { type Identify, type IdentifyPush, identify, identifyPush } from '@libp2p/identify'
import type { Address, ComponentLogger, Libp2p, Logger as LibraryLogger } from '@libp2p/interface'
import { type KadDHT, kadDHT, passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import type { Ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { refusePlainNoise } from '../session/plain-noise.ts'
import { postQuantumQuic } from '../session/quic-transport.ts'
import type { Sessions } from '../session/sessions.ts'
import { postQuantumEncrypter } from '../session/tcp-encrypter.ts'
import type { Logger } from '../types/logger.ts'
import type { GenesisHash } from '../types/primitives.ts'
import { checkAddress, isLoopback, listenFailure, type TransportName, transportOf } from './addresses.ts'
import { connectionGater } from './gater.ts'
import { gossipParameters } from './gossip-parameters.ts'
import { normaliseError } from './guard.ts'
import { leanEncrypter } from './lean-encrypter.ts'
import { leanYamux } from './lean-yamux.ts'
import type { NetworkMeter } from './meter.ts'
import type { NetworkKey } from './network-key.ts'
import { Pinger } from './pinger.ts'
import { Rejections } from './rejections.ts'
import { HOST_LIMITS, type WireNames, wireNames } from './topics.ts'
import type { ValidatorPeers } from './validator-peers.ts'

/** What an operator chooses, and what the node is. */
export interface HostOptions {
  readonly networkKey: NetworkKey
  readonly genesisHash: GenesisHash
  /** The session layer, made for the same peer id. */
  readonly sessions: Sessions
  readonly validatorPeers: ValidatorPeers
  /** Multiaddrs; TCP and QUIC. Empty: dial only. */
  readonly listen: readonly string[]
  /** What others shall be told instead of what we listen on; for nodes behind NAT. */
  readonly announce?: readonly string[]
  /** Both unless one is switched off. */
  readonly transports?: readonly TransportName[]
  /** Connections to peers that are no validators; validators have slots above these. */
  readonly peersMax?: number
  /** Connections from one IP address; loopback is not counted. */
  readonly connectionsPerAddressMax?: number
  /** Keep and tell private addresses: true on networks that live on one machine or LAN. */
  readonly privateAddresses: boolean
  /** Look for peers by multicast DNS on the local network. */
  readonly mdns?: boolean
  /** Let libp2p write its own debug lines (environment DEBUG); they cost CPU even when nobody reads them. */
  readonly libraryLogs?: boolean
  /** Name and version that peers are told. */
  readonly userAgent: string
  readonly meter: NetworkMeter
  readonly logger: Logger
}

/** The services on our libp2p node. */
export type HostServices = {
  readonly identify: Identify
  readonly identifyPush: IdentifyPush
  readonly ping: Ping
  readonly dht: KadDHT
  readonly pubsub: GossipSub
}

/** A node that has been built and not started: handlers are registered first. */
export interface NetworkHost {
  readonly libp2p: Libp2p<HostServices>
  /** Told of gossip that is rejected; who is banned by it gets no connection. */
  readonly rejections: Rejections
  /** The one that measures round trips. */
  readonly pinger: Pinger
  readonly peerId: string
  readonly names: WireNames
  readonly transports: readonly TransportName[]
  /** @throws NetworkError when an address cannot be listened on */
  start(): Promise<void>
  stop(): Promise<void>
  /** Own addresses as others are told, each with our peer id at its end. */
  addresses(): readonly string[]
}

const BOTH: readonly TransportName[] = ['tcp', 'quic']

/**
 * Builds the libp2p node.
 *
 * @throws NetworkError E_ADDR_FORM, E_ADDR_TRANSPORT for addresses that are wrong in themselves
 */
export async function createHost(options: HostOptions): Promise<NetworkHost> {
  const transports = options.transports ?? BOTH
  const listen = options.listen.map((text) => checkAddress(text, transports))
  const announce = (options.announce ?? []).map((text) => checkAddress(text, BOTH))
  const names = wireNames(options.genesisHash)
  const { sessions, validatorPeers } = options
  const isValidator = (peerId: string): boolean => validatorPeers.validatorOf(peerId) !== undefined
  const peersMax = options.peersMax ?? 64
  const pinger = new Pinger(names.ping)

  const libp2p: Libp2p<HostServices> = await createLibp2p({
    start: false,
    privateKey: options.networkKey.privateKey,
    nodeInfo: { userAgent: options.userAgent },
    ...(options.libraryLogs === true ? {} : { logger: silentLogger }),
    addresses: { listen: listen.map(String), announce: announce.map(String) },
    transports: [
      ...(transports.includes('tcp') ? [tcp()] : []),
      ...(transports.includes('quic') ? [postQuantumQuic(sessions)] : []),
    ],
    connectionEncrypters: [leanEncrypter(postQuantumEncrypter(sessions)), refusePlainNoise(sessions)],
    streamMuxers: [leanYamux({ maxInboundStreams: 512, maxOutboundStreams: 512 })],
    connectionGater: connectionGater({
      connections: () => libp2p.getConnections(),
      isValidator,
      isBanned: (peerId) => rejections.isBanned(peerId),
      peersMax,
      connectionsPerAddressMax: options.connectionsPerAddressMax ?? HOST_LIMITS.connectionsPerAddressMax,
      privateAddresses: options.privateAddresses,
      meter: options.meter,
    }),
    connectionManager: {
      maxConnections: peersMax + HOST_LIMITS.validatorSlots,
      inboundConnectionThreshold: HOST_LIMITS.inboundPerSecondPerAddress,
      maxIncomingPendingConnections: HOST_LIMITS.inboundPendingMax,
      inboundUpgradeTimeout: HOST_LIMITS.upgradeTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: HOST_LIMITS.protocolNegotiationTimeoutMs,
      outboundStreamProtocolNegotiationTimeout: HOST_LIMITS.protocolNegotiationTimeoutMs,
      dialTimeout: HOST_LIMITS.dialTimeoutMs,
      addressDialTimeout: HOST_LIMITS.addressDialTimeoutMs,
      // Our dialer redials, with a backoff that fits validators.
      reconnectRetries: 0,
      addressSorter: tcpFirst,
    },
    // Ours measures as well, and does not give up a connection for one lost ping.
    connectionMonitor: { enabled: false },
    peerDiscovery: options.mdns === true ? [mdns()] : [],
    services: {
      identify: identify({ maxMessageSize: 16 * 1024 }),
      identifyPush: identifyPush({ maxMessageSize: 16 * 1024 }),
      ping: pinger.service(),
      dht: kadDHT({
        protocol: names.kademlia,
        clientMode: false,
        peerInfoMapper: options.privateAddresses ? passthroughMapper : removePrivateAddressesMapper,
        // A network of this size needs few: every query in flight is a stream that costs milliseconds.
        alpha: 3,
        disjointPaths: 2,
        initialQuerySelfInterval: 1_000,
        querySelfInterval: 300_000,
      }),
      pubsub: gossipsub(
        gossipParameters(names, { isValidator, areWeValidator: () => validatorPeers.areWeValidator }),
      ),
    },
  })

  const rejections = new Rejections({
    host: libp2p,
    isValidator,
    meter: options.meter,
    logger: options.logger,
  })

  return {
    libp2p,
    rejections,
    pinger,
    peerId: options.networkKey.peerId,
    names,
    transports,
    start: async () => {
      try {
        await libp2p.start()
      } catch (thrown) {
        await libp2p.stop()
        throw listenFailure(listen, normaliseError(thrown))
      }
    },
    stop: async () => libp2p.stop(),
    addresses: () => libp2p.getMultiaddrs().map(String),
  }
}

/** TCP carries large messages in a third of the time (network.md); loopback comes last, it may be another machine's. */
function tcpFirst(a: Address, b: Address): -1 | 0 | 1 {
  const rank = ({ multiaddr }: Address): number =>
    Number(transportOf(multiaddr) === 'quic') + 2 * Number(isLoopback(multiaddr))
  const difference = rank(a) - rank(b)
  return difference < 0 ? -1 : difference > 0 ? 1 : 0
}

const silent: LibraryLogger = Object.assign(() => undefined, {
  error: () => undefined,
  trace: () => undefined,
  enabled: false,
  newScope: (): LibraryLogger => silent,
})

const silentLogger: ComponentLogger = { forComponent: () => silent }
