/** Builds the network layer with its session layer, and joins it to consensus, transactions and calls. */

import { existsSync, readFileSync } from 'node:fs'
import { fromHex } from '../codec/hex.ts'
import { BUILD } from '../config/build-info.ts'
import { writeFileWhole } from '../config/data-directory.ts'
import type { Config } from '../config/schema.ts'
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import { selectMlDsa65, selectMlKem768 } from '../crypto/select.ts'
import type { AddressBookFile } from '../network/address-book.ts'
import type { BlockSource } from '../network/block-server.ts'
import type { GossipHandlers } from '../network/gossip.ts'
import { createNetwork, type Network } from '../network/network.ts'
import type { SnapshotSource } from '../network/snapshot-server.ts'
import type { ModuleLogger } from '../observability/logger.ts'
import type { Metrics } from '../observability/metrics.ts'
import { makeConsensusCalls } from '../rpc/libp2p/consensus-calls.ts'
import { AuthenticatedPeers } from '../session/authenticated-peers.ts'
import { Sessions } from '../session/sessions.ts'
import type { ValidationService } from '../validation/validation-service.ts'
import type { ConsensusPort } from './consensus-seat.ts'
import { networkMeter } from './network-metrics.ts'
import type { NodeFallback } from './node-fallback.ts'
import type { NodeStorage } from './node-storage.ts'
import type { StateSnapshots } from './state-snapshots.ts'
import type { SystemClock } from './system-clock.ts'
import { meteredLimiter } from './validation-metrics.ts'

export interface NetworkPorts {
  readonly service: ValidationService
  readonly consensus: Pick<ConsensusPort, 'announced' | 'unfinalBlock' | 'receive' | 'reachabilityChanged'>
  /** States that others may begin with; absent on a network that is mined, which certifies none. */
  readonly snapshots?: Pick<StateSnapshots, 'source'>
  /** Sealed blocks from gossip; absent on a network that never mines. */
  readonly onMined?: GossipHandlers['onMined']
  /** Mines while BFT has no quorum; its blocks are on gossip and for those who ask. */
  readonly fallback?: Pick<NodeFallback, 'announced' | 'sealedBytes'>
  /** In place of the final blocks and their certificates. */
  readonly blockSource?: BlockSource
  readonly onTransactions: GossipHandlers['onTransactions']
  readonly clock: SystemClock
}

const NO_SNAPSHOTS: SnapshotSource = {
  offers: () => [],
  manifest: () => null,
  chunk: async () => null,
  handOver: async () => null,
}

/** @throws NetworkError for addresses that are wrong in themselves */
export async function buildNetwork(
  { config, logger }: { readonly config: Config; readonly logger: ModuleLogger },
  { chain, directory, genesisState, id, identity, networkKey, genesis }: NodeStorage,
  metrics: Metrics,
  { service, consensus, snapshots, onTransactions, fallback, blockSource, clock, ...ports }: NetworkPorts,
): Promise<Network> {
  const onMined =
    fallback === undefined
      ? ports.onMined
      : (bytes: Uint8Array, from: string) => fallback.announced(bytes, from)
  const mlDsa = selectMlDsa65()
  const { genesisHash } = genesisState.rules
  const peers = new AuthenticatedPeers()
  const p2pLogger = logger.module('p2p')
  const sessions = new Sessions({
    identity: { peerId: networkKey.peerId, keyPair: identity.keyPair, genesisHash: fromHex(genesisHash) },
    // Every node of this network may connect; which of them are validators is asked where it matters.
    admit: () => true,
    peers,
    mlDsa,
    mlKem: selectMlKem768(),
    logger: p2pLogger,
    onHandshake: (result) => metrics.p2p.handshakes.add(1, { result }),
  })
  const limiter = meteredLimiter(config, clock, metrics)
  const { ratePerSecond } = config.ca
  p2pLogger.debug({ id, network: genesis.network }, 'network built')
  return createNetwork({
    networkKey,
    genesisHash,
    sessions,
    listen: config.p2p.listen,
    announce: config.p2p.announce,
    bootstrap: config.p2p.bootstrap,
    addressBook: addressBookAt(directory.addressBook),
    peersMax: config.p2p.maxPeers,
    privateAddresses: config.p2p.privateAddresses,
    mdns: config.p2p.mdns,
    userAgent: `hypermesh/${BUILD.version}`,
    identities: peers,
    signer: {
      publicKey: identity.keyPair.publicKey.raw,
      sign: (payload) => identity.keyPair.sign(payload, SIGNATURE_CONTEXTS['identity-certificate']),
    },
    verifyIdentity: (publicKey, payload, signature) =>
      mlDsa.publicKey(publicKey)?.verify(payload, signature, SIGNATURE_CONTEXTS['identity-certificate']) ??
      false,
    gossip: {
      onTransactions,
      onBlock: (bytes) => consensus.announced(bytes),
      ...(onMined === undefined ? {} : { onMined }),
    },
    blockSource: blockSource ?? {
      blockByHash: (hash) =>
        consensus.unfinalBlock(hash) ?? fallback?.sealedBytes(hash) ?? chain.blockByHash(hash),
      range: (fromHeight, countMax, bytesMax) => chain.range(fromHeight, countMax, bytesMax),
      finality: () => chain.finality(),
      lowestHeight: () => chain.lowestHeight,
    },
    snapshotSource: snapshots?.source ?? NO_SNAPSHOTS,
    calls: makeConsensusCalls({ service, limiter, logger: logger.module('rpc') }),
    // Above the limiter's own, which can say when to come back; this is for one that does not.
    callRate: { messagesPerSecond: 2 * ratePerSecond, messagesBurst: 4 * ratePerSecond },
    onConsensusMessage: (from, bytes) => consensus.receive(from, bytes),
    onReachabilityChange: (validator, isReachable) => consensus.reachabilityChanged(validator, isReachable),
    nowMs: () => clock.unixMs(),
    meter: networkMeter(metrics),
    logger: p2pLogger,
  })
}

function addressBookAt(path: string): AddressBookFile {
  return {
    read: () => (existsSync(path) ? readFileSync(path, 'utf8') : null),
    write: (text) => writeFileWhole(path, text),
  }
}
