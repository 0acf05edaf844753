/**
 * Who gets a connection: so many per IP address, so many peers in all, and slots above that for validators
 * only, so that no crowd can keep a validator out (field lessons, row 11); nobody who is banned. Handshakes are bounded
 * elsewhere.
 */

import type { Connection, ConnectionGater } from '@libp2p/interface'
import { ipOf, isLoopback, isPrivate } from './addresses.ts'
import type { NetworkMeter } from './meter.ts'

/** What the gater asks. */
export interface GaterOptions {
  readonly connections: () => readonly Connection[]
  readonly isValidator: (peerId: string) => boolean
  readonly isBanned: (peerId: string) => boolean
  /** Connections to peers that are no validators. */
  readonly peersMax: number
  readonly connectionsPerAddressMax: number
  /** Whether private and loopback addresses of peers are worth keeping. */
  readonly privateAddresses: boolean
  readonly meter: NetworkMeter
}

/** For `connectionGater` of `createLibp2p`. */
export function connectionGater(options: GaterOptions): ConnectionGater {
  const { connections, connectionsPerAddressMax, isBanned, isValidator, meter, peersMax } = options
  return {
    denyInboundConnection: (candidate) => {
      const ip = ipOf(candidate.remoteAddr)
      if (ip === undefined || isLoopback(candidate.remoteAddr)) return false
      const open = connections().filter((connection) => ipOf(connection.remoteAddr) === ip).length
      if (open < connectionsPerAddressMax) return false
      meter('connection-refused', 'address-full')
      return true
    },
    // The session is authenticated by now, so a validator is known as one.
    denyInboundUpgradedConnection: (peer) => {
      if (isBanned(peer.toString())) {
        meter('connection-refused', 'banned')
        return true
      }
      if (isValidator(peer.toString())) return false
      const others = connections().filter(({ remotePeer }) => !isValidator(remotePeer.toString())).length
      if (others < peersMax) return false
      meter('connection-refused', 'no-slot')
      return true
    },
    // The library's own gater refuses private addresses in browsers only; here the configuration decides.
    denyDialMultiaddr: () => false,
    denyDialPeer: (peer) => isBanned(peer.toString()),
    filterMultiaddrForPeer: (_peer, address) => options.privateAddresses || !isPrivate(address),
  }
}
