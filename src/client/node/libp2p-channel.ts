/**
 * Calls over libp2p: `/hypermesh/consensus/1.0.0` on a post-quantum session under a throwaway identity. A client only: it
 * listens on nothing, keeps nothing and joins no gossip. How long a connection is kept is kept-channel.ts.
 */

import { randomBytes } from 'node:crypto'
import type { Connection } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { fromHex } from '../../codec/hex.ts'
import { selectMlDsa65, selectMlKem768 } from '../../crypto/select.ts'
import { otherPeerAnswered } from '../../network/addresses.ts'
import { call } from '../../network/calls.ts'
import { networkKeyFromSeed } from '../../network/network-key.ts'
import { wireNames } from '../../network/topics.ts'
import { AuthenticatedPeers } from '../../session/authenticated-peers.ts'
import { postQuantumQuic } from '../../session/quic-transport.ts'
import { Sessions } from '../../session/sessions.ts'
import { postQuantumEncrypter } from '../../session/tcp-encrypter.ts'
import type { GenesisHash } from '../../types/primitives.ts'
import type { CallLimits } from '../carrier.ts'
import { causeText } from '../failover.ts'
import type { Dial, KeptConnection } from './kept-channel.ts'
import { type Networks, networkOf, OTHER_PEER } from './libp2p-carrier.ts'

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** A client's libp2p node under keys that nobody will see again. */
async function throwawayNode(genesisHash: GenesisHash): Promise<Libp2p> {
  const networkKey = await networkKeyFromSeed(randomBytes(32))
  const mlDsa = selectMlDsa65()
  const sessions = new Sessions({
    identity: {
      peerId: networkKey.peerId,
      keyPair: mlDsa.keyPairFromSeed(randomBytes(32)),
      genesisHash: fromHex(genesisHash),
    },
    // The multiaddr's peer id says who must answer; that he is of the network, the genesis hash.
    admit: () => true,
    peers: new AuthenticatedPeers(),
    mlDsa,
    mlKem: selectMlKem768(),
    logger: SILENT,
  })
  return createLibp2p({
    privateKey: networkKey.privateKey,
    addresses: { listen: [] },
    transports: [tcp(), postQuantumQuic(sessions)],
    connectionEncrypters: [postQuantumEncrypter(sessions)],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
  })
}

/** A connection under a node of its own, which ends with it. */
class Libp2pConnection implements KeptConnection {
  readonly #node: Libp2p
  readonly #connection: Connection
  readonly #protocol: string

  constructor(node: Libp2p, connection: Connection, protocol: string) {
    this.#node = node
    this.#connection = connection
    this.#protocol = protocol
  }

  get isOpen(): boolean {
    return this.#connection.status === 'open'
  }

  exchange(request: Uint8Array, { answerBytesMax, deadlineMs }: CallLimits): Promise<Uint8Array> {
    return call(this.#connection, this.#protocol, request, { answerBytesMax, deadlineMs })
  }

  async close(): Promise<void> {
    await this.#node.stop()
  }
}

function isOfAnotherPeer(address: Multiaddr, error: unknown): boolean {
  return error instanceof Error && otherPeerAnswered(address.toString(), error) !== undefined
}

/**
 * A way to open connections to one endpoint. Which of the networks it is of is remembered.
 * @param address ends in `/p2p/<peer id>`
 */
export function libp2pDial(address: Multiaddr, networks: Networks): Dial {
  let found: GenesisHash | null = null
  return async (deadlineMs) => {
    const signal = AbortSignal.timeout(deadlineMs)
    const candidates = found === null ? (await networks()).map(networkOf) : [found]
    let refused: unknown = new Error('no network is known to which it could belong')
    for (const genesis of candidates) {
      const node = await throwawayNode(genesis)
      try {
        const connection = await node.dial(address, { signal })
        found = genesis
        return new Libp2pConnection(node, connection, wireNames(genesis).validation)
      } catch (error) {
        await node.stop()
        refused = isOfAnotherPeer(address, error) ? new Error(OTHER_PEER, { cause: error }) : error
        // Of several networks only one is the node's; any other failure is the answer.
        if (!causeText(error).includes('wrong-genesis')) break
      }
    }
    throw refused
  }
}
