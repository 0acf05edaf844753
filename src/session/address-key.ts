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
  const [head = '', tail = ''] = ip.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const zeros = new Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  const groups = [...before, ...zeros, ...after]
  return ipv4Mapped(groups) ?? `${groups.slice(0, IPV6_GROUPS_KEPT).join(':')}::/64`
}

/** A dual-stack listener sees every IPv4 client as ::ffff:a.b.c.d, which must not be one address for all. */
function ipv4Mapped(groups: readonly string[]): string | undefined {
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return undefined
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
