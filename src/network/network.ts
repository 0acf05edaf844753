/**
 * The network layer as one thing: builds its parts, joins them, starts and stops them in order, and tells them
 * who the validators are. What messages, blocks and calls mean comes in by ports.
 */

import { multiaddr } from '@multiformats/multiaddr'
import { validatorId } from '../codec/genesis.ts'
import type { ValidatorId } from '../types/primitives.ts'
import { AddressBook, type AddressBookFile } from './address-book.ts'
import { checkBootstrap, peerIdOf, transportOf } from './addresses.ts'
import { BlockFetch } from './block-fetch.ts'
import { BlockServer, type BlockSource } from './block-server.ts'
import { type CallHandler, CallServer } from './calls.ts'
import { ConsensusChannel } from './consensus-channel.ts'
import { type DialTarget, PeerDialer } from './dialer.ts'
import { Gossip, type GossipHandlers } from './gossip.ts'
import { createHost, type HostOptions, type NetworkHost } from './host.ts'
import type { IdentitySigner, IdentityVerifier, KnownIdentity } from './identity-certificate.ts'
import { IdentityDirectory } from './identity-directory.ts'
import { IdentityExchange } from './identity-exchange.ts'
import { LinkMonitor } from './link-monitor.ts'
import { PeerFinder } from './peer-finder.ts'
import { PeerTable } from './peers.ts'
import { SnapshotFetch } from './snapshot-fetch.ts'
import { SnapshotServer, type SnapshotSource } from './snapshot-server.ts'
import { PROTOCOL_LIMITS, type ProtocolLimits } from './topics.ts'
import { type PeerIdentities, ValidatorPeers } from './validator-peers.ts'

/** What the network layer is given. */
export interface NetworkOptions extends Omit<HostOptions, 'validatorPeers'> {
  /** Multiaddrs, each with /p2p/ and the peer id that is expected there. */
  readonly bootstrap: readonly string[]
  /** Where those who answered are kept beyond this run. */
  readonly addressBook: AddressBookFile
  /** `AuthenticatedPeers`, the same object that the sessions fill. */
  readonly identities: PeerIdentities
  /** Our ML-DSA identity, a validator's or not. */
  readonly signer: IdentitySigner
  readonly verifyIdentity: IdentityVerifier
  readonly gossip: Omit<GossipHandlers, 'onIdentity'>
  readonly blockSource: BlockSource
  readonly snapshotSource: SnapshotSource
  /** Answers TrustChain's calls; absent: the protocol is not offered. */
  readonly calls?: CallHandler
  /** What one peer's calls are held to; absent: as in topics.ts. */
  readonly callRate?: Pick<ProtocolLimits, 'messagesPerSecond' | 'messagesBurst'>
  readonly onConsensusMessage: (from: ValidatorId, bytes: Uint8Array) => void
  readonly onReachabilityChange: (id: ValidatorId, isReachable: boolean) => void
  /** Unix time in milliseconds. */
  readonly nowMs: () => number
}

/** The parts that other layers talk to. */
export interface Network {
  readonly host: NetworkHost
  readonly channel: ConsensusChannel
  readonly gossip: Gossip
  readonly blocks: BlockFetch
  readonly snapshots: SnapshotFetch
  readonly peers: PeerTable
  readonly directory: IdentityDirectory
  readonly dialer: PeerDialer
  /** Listens and dials. @throws NetworkError when an address cannot be listened on */
  start(): Promise<void>
  stop(): Promise<void>
  /** The current validator set; to be called before `start` and whenever it changes. */
  setValidators(ids: readonly ValidatorId[]): void
}

/** How long a caller may take to send its request. */
const CALL_REQUEST_DEADLINE_MS = 10_000

/**
 * Builds the network layer; nothing listens or dials before `start`.
 *
 * @throws NetworkError for addresses that are wrong in themselves
 */
export async function createNetwork(options: NetworkOptions): Promise<Network> {
  const { blockSource, calls, genesisHash, logger, meter, networkKey, nowMs, signer } = options
  const ownId = validatorId(signer.publicKey)
  const validatorPeers = new ValidatorPeers(options.identities, ownId)
  const transports = options.transports ?? ['tcp', 'quic']
  const bootstrap = bootstrapTargets(options.bootstrap, transports, networkKey.peerId)
  const host = await createHost({ ...options, validatorPeers })
  const { libp2p, names } = host

  const channel = new ConsensusChannel({
    host: libp2p,
    protocol: names.consensusChannel,
    ownId,
    peers: validatorPeers,
    onMessage: options.onConsensusMessage,
    onReachabilityChange: options.onReachabilityChange,
    meter,
    logger,
  })
  const dialer = new PeerDialer({ host: libp2p, meter, logger })
  const directory = new IdentityDirectory({
    genesisHash,
    verify: options.verifyIdentity,
    nowMs,
    onChange: () => dialValidators(),
  })
  const exchange = new IdentityExchange({
    host: libp2p,
    protocol: names.identities,
    genesisHash,
    peerId: host.peerId,
    networkKey: networkKey.privateKey,
    signer,
    directory,
    privateAddresses: options.privateAddresses,
    publish: (bytes) => gossip.publishIdentity(bytes),
    nowMs,
    meter,
    logger,
  })
  const handlers = { ...options.gossip, onIdentity: (bytes: Uint8Array) => exchange.onGossip(bytes) }
  const gossip = new Gossip({
    libp2p,
    names,
    handlers,
    roles: {
      isValidator: (peerId) => validatorPeers.validatorOf(peerId) !== undefined,
      areWeValidator: () => validatorPeers.areWeValidator,
    },
    rejections: host.rejections,
    meter,
    logger,
  })
  const shared = { host: libp2p, protocol: names.blocks, meter, logger }
  const server = new BlockServer({ ...shared, source: blockSource })
  const blocks = new BlockFetch(shared)
  const snapshotShared = { ...shared, protocol: names.snapshots }
  const snapshotServer = new SnapshotServer({ ...snapshotShared, source: options.snapshotSource })
  const snapshots = new SnapshotFetch(snapshotShared)
  const callServer =
    calls === undefined
      ? undefined
      : new CallServer({
          host: libp2p,
          protocol: names.validation,
          limits: { ...PROTOCOL_LIMITS.validation, ...options.callRate },
          handler: calls,
          requestDeadlineMs: CALL_REQUEST_DEADLINE_MS,
          meter,
          logger,
        })
  const peers = new PeerTable({ host: libp2p, validatorPeers, logger })
  const monitor = new LinkMonitor({
    host: libp2p,
    pinger: host.pinger,
    ownPeerId: host.peerId,
    isInUse: (connectionId) => channel.carries(connectionId),
    meter,
    logger,
  })
  const book = new AddressBook({ host: libp2p, file: options.addressBook, logger })
  const finder = new PeerFinder({
    host: libp2p,
    known: () => book.known(),
    identify: (connection) => libp2p.services.identify.identify(connection),
    lacksNobody: () =>
      validatorPeers.areWeValidator && channel.reachable().size >= validatorPeers.validators().size - 1,
    logger,
  })

  /** Only validators keep links with each other; the rest of the network has the mesh. */
  const dialValidators = (): void => {
    if (!validatorPeers.areWeValidator) return
    const others = directory.all().filter(({ id }) => id !== ownId)
    dialer.setTargets('validator', others.map(targetOf))
  }

  return {
    host,
    channel,
    gossip,
    blocks,
    snapshots,
    peers,
    directory,
    dialer,
    setValidators: (ids) => {
      validatorPeers.setValidators(ids)
      directory.setValidators(ids)
      exchange.setValidators(ids)
      channel.setValidators(ids)
      gossip.followBlocks(!ids.includes(ownId))
      if (!ids.includes(ownId)) dialer.setTargets('validator', [])
      else dialValidators()
    },
    start: async () => {
      // Handlers first, so that nobody is told that we do not speak a protocol.
      peers.start()
      book.start()
      monitor.start()
      await Promise.all([
        channel.start(),
        server.start(),
        snapshotServer.start(),
        exchange.start(),
        callServer?.start(),
      ])
      await host.start()
      gossip.start()
      dialer.setTargets('bootstrap', bootstrap)
      dialer.start()
      finder.start()
    },
    stop: async () => {
      finder.stop()
      dialer.stop()
      monitor.stop()
      gossip.stop()
      blocks.stop()
      await Promise.all([
        channel.stop(),
        server.stop(),
        snapshotServer.stop(),
        exchange.stop(),
        callServer?.stop(),
      ])
      peers.stop()
      book.stop()
      await host.stop()
    },
  }
}

function bootstrapTargets(
  addresses: readonly string[],
  transports: readonly ('tcp' | 'quic')[],
  ownPeerId: string,
): DialTarget[] {
  const byPeer = new Map<string, DialTarget>()
  for (const text of addresses) {
    const address = checkBootstrap(text, transports)
    // A name may stand for several peers; each attempt takes what it resolves to.
    const peerId = peerIdOf(address) ?? text
    if (peerId === ownPeerId) continue
    byPeer.set(peerId, { peerId, addresses: [...(byPeer.get(peerId)?.addresses ?? []), address] })
  }
  return [...byPeer.values()]
}

function targetOf({ statement }: KnownIdentity): DialTarget {
  const addresses = statement.addresses.flatMap((text) => {
    try {
      const address = multiaddr(text)
      return transportOf(address) === undefined ? [] : [address.encapsulate(`/p2p/${statement.peerId}`)]
    } catch {
      return []
    }
  })
  return { peerId: statement.peerId, addresses }
}
