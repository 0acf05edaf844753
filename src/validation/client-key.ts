/**
 * Who counts as one client, whatever carries the call: a peer id, an IPv4 address, or an IPv6 /64, because a host
 * has its whole /64 to choose addresses from. Decides nothing about limits.
 */
import { BlockList, isIPv4 } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')

/** An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is that IPv4 address. */
function unmapped(client: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(client)?.[1]
  return mapped !== undefined && isIPv4(mapped) ? mapped : client
}

/** Whether a client is on this machine: a CA here is one client for all its customers. */
export function isLoopback(client: string): boolean {
  const address = unmapped(client)
  if (isIPv4(address)) return LOOPBACK.check(address, 'ipv4')
  return address === '::1'
}

/** What is counted together. @param client an IP address, or any other name, which stands for itself */
export function clientKey(client: string): string {
  const address = unmapped(client)
  if (!address.includes(':') || address === '::1') return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length)
  const groups = [...front, ...Array.from({ length: missing }, () => '0'), ...back]
  return `${groups.slice(0, 4).join(':')}::/64`
}
