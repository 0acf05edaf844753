/**
 * The services under which a network publishes its nodes (RFC 2782), and what of an SRV answer is usable. Texts and
 * numbers only; the lookup is in srv-discovery.ts.
 */
import { peerIdOfLabel } from '../../network/peer-label.ts'
import type { Scheme } from '../endpoint.ts'

/** One service of a domain. */
export interface SrvService {
  /** In front of the domain. */
  readonly prefix: string
  readonly scheme: Extract<Scheme, 'https' | 'stoq' | 'libp2p'>
}

/** STOQ's own listener. */
export const STOQ_SERVICE: SrvService = { prefix: '_stoq._udp.hypermesh', scheme: 'stoq' }
/** The CA endpoint, HTTPS. */
export const HTTPS_SERVICE: SrvService = { prefix: '_hypermesh._tcp', scheme: 'https' }

/**
 * libp2p over TCP. The first label of a target is the node's peer id (network/peer-label.ts): the name says who must
 * answer, and the session proves it.
 */
export const LIBP2P_SERVICE: SrvService = { prefix: '_p2p._tcp.hypermesh', scheme: 'libp2p' }

/** As `node:dns` gives it. */
export interface SrvRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

/** Records of one answer that are looked at. */
export const RECORDS_MAX = 32

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i
const NAME_MAX = 253

/** Whether a text is a DNS name, a dot at its end aside. */
export function isDnsName(text: string): boolean {
  const name = text.replace(/\.$/, '')
  return name.length > 0 && name.length <= NAME_MAX && name.split('.').every((label) => LABEL.test(label))
}

/** A usable address of a record, or why it is passed over. */
export type ReadRecord = { readonly endpoint: string } | { readonly why: string }

/** The address that a record of HTTPS or STOQ names. */
export function endpointOf({ name, port }: SrvRecord, scheme: 'https' | 'stoq'): ReadRecord {
  const target = name.replace(/\.$/, '')
  if (target === '') return { why: 'the service is not offered (target ".")' }
  if (!isDnsName(name)) return { why: `${JSON.stringify(name.slice(0, 80))} is no host name` }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return { why: `port ${port} of ${target}` }
  // A name in the form of an address that there is not, or in broken punycode.
  if (!URL.canParse(`https://${target}`)) return { why: `${target} cannot be part of a URL` }
  return { endpoint: `${scheme}://${target}:${port}` }
}

/**
 * The address that a record of libp2p names.
 * @param addresses of its target
 */
export function multiaddrOf({ name, port }: SrvRecord, addresses: readonly string[]): ReadRecord {
  const [label = ''] = name.split('.')
  const target = name.replace(/\.$/, '')
  const peerId = peerIdOfLabel(label)
  if (peerId === null) return { why: `${target} does not begin with a peer id in base36` }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return { why: `port ${port} of ${target}` }
  const [address] = addresses
  if (address === undefined) return { why: `${target} has no address` }
  return { endpoint: `/${address.includes(':') ? 'ip6' : 'ip4'}/${address}/tcp/${port}/p2p/${peerId}` }
}
