/**
 * Calls over libp2p: `/hypermesh/consensus/1.0.0` on a post-quantum session under a throwaway identity. A client only: it
 * listens on nothing, keeps nothing and joins no gossip. One connection to an endpoint, dialled again when it is dead.
 */

import { randomBytes } from 'node:crypto'
import type { Connection } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { fromHex } from '../../codec/hex.ts'
import { selectMlDsa65, selectMlKem768 } from '../../crypto/select.ts'
import { call } from '../../network/calls.ts'
import { networkKeyFromSeed } from '../../network/network-key.ts'
import { wireNames } from '../../network/topics.ts'
import { AuthenticatedPeers } from '../../session/authenticated-peers.ts'
import { postQuantumQuic } from '../../session/quic-transport.ts'
import { Sessions } from '../../session/sessions.ts'
import { postQuantumEncrypter } from '../../session/tcp-encrypter.ts'
import type { GenesisHash } from '../../types/primitives.ts'
import type { CallLimits } from '../carrier.ts'
import { untilAborted } from '../clock.ts'
import type { EnvelopeChannel } from '../envelope-carrier.ts'
import { causeText } from '../failover.ts'
import { type Networks, networkOf } from './libp2p-carrier.ts'

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

/** Nobody waits for it, and what it says at its end is of no use to anybody. */
async function stopQuietly(node: Libp2p): Promise<void> {
  try {
    await node.stop()
  } catch {
    // Its sockets go with it all the same.
  }
}

/** A connection under a node of its own, and how many calls it carries. */
interface OpenConnection {
  readonly node: Libp2p
  readonly connection: Connection
  readonly protocol: string
  callsUnderWay: number
}

/** One endpoint. */
export class Libp2pChannel implements EnvelopeChannel {
  readonly #address: Multiaddr
  readonly #networks: Networks
  /** The one that the endpoint turned out to be of. */
  #network: GenesisHash | null = null
  /** Shared by calls that come while it is being dialled. */
  #open: Promise<OpenConnection> | null = null

  /** @param address ends in `/p2p/<peer id>` */
  constructor(address: Multiaddr, networks: Networks) {
    this.#address = address
    this.#networks = networks
  }

  async exchange(request: Uint8Array, limits: CallLimits): Promise<Uint8Array> {
    const kept = this.#open
    try {
      return await this.#exchange(request, limits)
    } catch (error) {
      // What was wrong may have been the old connection alone.
      if (kept === null || this.#open === kept || limits.signal.aborted) throw error
      return this.#exchange(request, limits)
    }
  }

  async close(): Promise<void> {
    const opened = await this.#open?.catch(() => null)
    this.#open = null
    await opened?.node.stop()
  }

  async #exchange(request: Uint8Array, limits: CallLimits): Promise<Uint8Array> {
    const opening = this.#connection(limits.deadlineMs)
    const opened = await untilAborted(opening, limits.signal)
    opened.callsUnderWay++
    try {
      const bounds = { answerBytesMax: limits.answerBytesMax, deadlineMs: limits.deadlineMs }
      return await untilAborted(call(opened.connection, opened.protocol, request, bounds), limits.signal)
    } catch (error) {
      // After a deadline it may be dead without anybody having been told; the next call finds out with a new one.
      const isSuspect = opened.connection.status !== 'open' || limits.signal.aborted
      if (isSuspect && this.#open === opening) this.#open = null
      throw error
    } finally {
      opened.callsUnderWay--
      if (this.#open !== opening && opened.callsUnderWay === 0) void stopQuietly(opened.node)
    }
  }

  /** The one that is kept, or is being dialled, or a new one. */
  #connection(deadlineMs: number): Promise<OpenConnection> {
    if (this.#open !== null) return this.#open
    // Not by the caller's signal: others may come to wait for the same connection.
    const opening = this.#dial(AbortSignal.timeout(deadlineMs)).catch((error: unknown) => {
      if (this.#open === opening) this.#open = null
      throw error
    })
    this.#open = opening
    return opening
  }

  async #dial(signal: AbortSignal): Promise<OpenConnection> {
    const networks = this.#network === null ? (await this.#networks()).map(networkOf) : [this.#network]
    let refused: unknown = new Error('no network is known to which it could belong')
    for (const genesis of networks) {
      const node = await throwawayNode(genesis)
      try {
        const connection = await node.dial(this.#address, { signal })
        this.#network = genesis
        return { node, connection, protocol: wireNames(genesis).validation, callsUnderWay: 0 }
      } catch (error) {
        await node.stop()
        refused = error
        // Of several networks only one is the node's; any other failure is the answer.
        if (!causeText(error).includes('wrong-genesis')) break
      }
    }
    throw refused
  }
}
