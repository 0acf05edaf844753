/**
 * Carriers to multiaddrs. The address is read at once; libp2p and its cryptography (libp2p-channel.ts) are loaded at the
 * first call, so that a program that asks over HTTP needs neither their time nor their version of Node.
 */
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { isHex } from '../../codec/hex.ts'
import { parseAddress, peerIdOf } from '../../network/addresses.ts'
import type { GenesisHash } from '../../types/primitives.ts'
import type { CarrierFactory } from '../carrier.ts'
import { ClientError } from '../client-error.ts'
import { envelopeCarrier } from '../envelope-carrier.ts'
import { type Dial, KeptChannel } from './kept-channel.ts'

/**
 * Which networks an endpoint may belong to, by genesis hash (64 hex digits). Asked for at the first dial: a session can
 * only be opened by one who names the network.
 */
export type Networks = () => Promise<readonly string[]>

/** Said of an address where somebody else was met. */
export const OTHER_PEER = 'another peer answers there than the address names'

/** @throws ClientError `E_NETWORK` */
export function networkOf(text: string): GenesisHash {
  if (isHex(text, 32)) return text as GenesisHash
  throw new ClientError('E_NETWORK', `"${text.slice(0, 80)}" is no genesis hash`, {
    fix: 'give the 64 hex digits that "hypermesh status" shows',
    exitCode: 64,
  })
}

/**
 * Carriers to multiaddrs that end in `/p2p/<peer id>`.
 * @param networks tried in turn; the one that fits is remembered
 */
export function libp2pCarrier(networks: Networks): CarrierFactory {
  return (endpoint) => envelopeCarrier(new KeptChannel(lateDial(peerAddress(endpoint), networks)))
}

/**
 * Reads an address that says who must answer.
 * @throws ClientError `E_ENDPOINT` when it names no peer; NetworkError `E_ADDR_FORM` when it is no multiaddr
 */
export function peerAddress(endpoint: string): Multiaddr {
  const address = parseAddress(endpoint)
  if (namesPeer(endpoint, address)) return address
  throw new ClientError('E_ENDPOINT', `${endpoint} names no peer`, {
    fix: 'append /p2p/<peer id>, as "hypermesh status" shows it',
    exitCode: 64,
  })
}

/** @throws ClientError `E_ENDPOINT` when what it names is no peer id */
function namesPeer(endpoint: string, address: Multiaddr): boolean {
  const peerId = peerIdOf(address)
  if (peerId === undefined) return false
  try {
    peerIdFromString(peerId)
    return true
  } catch (cause) {
    throw new ClientError('E_ENDPOINT', `${endpoint} ends in what is no peer id`, {
      fix: 'append /p2p/<peer id>, as "hypermesh status" shows it',
      exitCode: 64,
      cause,
    })
  }
}

/** What dials is loaded when it is used. */
function lateDial(address: Multiaddr, networks: Networks): Dial {
  let loading: Promise<Dial> | null = null
  return async (deadlineMs) => {
    loading ??= loadDial(address, networks)
    return (await loading)(deadlineMs)
  }
}

async function loadDial(address: Multiaddr, networks: Networks): Promise<Dial> {
  try {
    const { libp2pDial } = await import('./libp2p-channel.ts')
    return libp2pDial(address, networks)
  } catch (cause) {
    throw new ClientError('E_RUNTIME', 'multiaddrs cannot be asked on this runtime', {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: "use Node 24.7 or newer, or ask the node's CA endpoint (https://…)",
      exitCode: 78,
      cause,
    })
  }
}
