/** Under which key the handshakes of one address are counted. */

import { isIPv6 } from 'node:net'
import type { MultiaddrConnection } from '@libp2p/interface'

/** An IPv6 /64 is what one customer gets, so it counts as one address. */
const IPV6_GROUPS_KEPT = 4

/**
 * @param connection a connection with a remote multiaddr, or a bare stream without one
 * @returns an IPv4 address, the /64 of an IPv6 address, or `unknown`
 */
export function addressKey(connection: object): string {
  const { remoteAddr } = connection as Partial<Pick<MultiaddrConnection, 'remoteAddr'>>
  const ip = remoteAddr?.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')?.value
  if (ip === undefined) return 'unknown'
  return isIPv6(ip) ? ipv6Key(ip) : ip
}

function ipv6Key(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  if (mapped?.[1] !== undefined) return mapped[1]
  const [head = '', tail = ''] = ip.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  return `${[...before, ...zeros, ...after].slice(0, IPV6_GROUPS_KEPT).join(':')}::/64`
}
