/** Which ports a node of a local network uses, and whether they are free. One table, so that nothing collides. */

import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'

/** Everything listens on loopback: these are networks on one machine. */
const LOOPBACK_4 = '127.0.0.1'
const LOOPBACK_6 = '::1'

/** Ports between the first of one node and the first of the next. */
const PORTS_PER_NODE = 10

/** Clear of every default port of a node, so that one more node can join on the same machine as it is. */
export const BASE_PORT_DEFAULT = 9_600

/** Ports of one node. The peer-to-peer port is used by TCP and, for QUIC, by UDP. */
export interface NodePorts {
  readonly p2p: number
  readonly api: number
  readonly metrics: number
  readonly ca: number
  /** UDP. */
  readonly stoq: number
}

/**
 * @param caPort port of the first node's CA endpoint, the others following; absent: beside the node's other ports
 * @param stoqPort port of the first node's STOQ endpoint; those of the others are beside their other ports, because
 *   what follows STOQ's own port belongs to other STOQ services (spec/stoq.md 6)
 */
export function nodePorts(basePort: number, index: number, caPort?: number, stoqPort?: number): NodePorts {
  const first = basePort + index * PORTS_PER_NODE
  return {
    p2p: first,
    api: first + 1,
    metrics: first + 2,
    ca: caPort === undefined ? first + 3 : caPort + index,
    stoq: stoqPort === undefined || index > 0 ? first + 4 : stoqPort,
  }
}

export function p2pAddresses({ p2p }: NodePorts): string[] {
  return [`/ip4/${LOOPBACK_4}/tcp/${p2p}`, `/ip4/${LOOPBACK_4}/udp/${p2p}/quic-v1`]
}

/** The address that others dial first. */
export function dialAddress({ p2p }: NodePorts, peerId: string): string {
  return `/ip4/${LOOPBACK_4}/tcp/${p2p}/p2p/${peerId}`
}

/** Values of config.toml by setting name. */
export function listenSettings(ports: NodePorts): [name: string, value: unknown][] {
  return [
    ['p2p.listen', p2pAddresses(ports)],
    ['ca.listen', `[${LOOPBACK_6}]:${ports.ca}`],
    ['stoq.listen', `[${LOOPBACK_6}]:${ports.stoq}`],
    ['api.listen', `${LOOPBACK_4}:${ports.api}`],
    ['metrics.listen', `${LOOPBACK_4}:${ports.metrics}`],
  ]
}

/** Whether nothing listens there. */
export function tcpIsFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whether nothing is bound there. */
export function udpIsFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    socket.once('error', () => resolve(false))
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(true)))
  })
}

/** Whether no node of this machine, on whatever address, takes peers on this port. */
export async function p2pPortIsFree(port: number): Promise<boolean> {
  return (await tcpIsFree('0.0.0.0', port)) && (await udpIsFree('0.0.0.0', port))
}

/** The ports of these that something else has, as `tcp 9440`. */
export async function takenPorts(all: readonly NodePorts[]): Promise<string[]> {
  const looks = all.flatMap((ports) => [
    ...[ports.p2p, ports.api, ports.metrics].map(async (port) => ({
      name: `tcp ${port}`,
      isFree: await tcpIsFree(LOOPBACK_4, port),
    })),
    tcpIsFree(LOOPBACK_6, ports.ca).then((isFree) => ({ name: `tcp [${LOOPBACK_6}]:${ports.ca}`, isFree })),
    udpIsFree(LOOPBACK_4, ports.p2p).then((isFree) => ({ name: `udp ${ports.p2p}`, isFree })),
    udpIsFree(LOOPBACK_6, ports.stoq).then((isFree) => ({
      name: `udp [${LOOPBACK_6}]:${ports.stoq}`,
      isFree,
    })),
  ])
  return (await Promise.all(looks)).filter(({ isFree }) => !isFree).map(({ name }) => name)
}

/** @throws CliError `E_PORT_IN_USE` (69) naming every port that is taken */
export async function requireFreePorts(all: readonly NodePorts[], fix: string): Promise<void> {
  const taken = await takenPorts(all)
  if (taken.length === 0) return
  throw new CliError('E_PORT_IN_USE', `in use: ${taken.join(', ')}`, {
    why: 'another process has them, perhaps another network of this kind',
    fix,
    exitCode: EXIT.network,
  })
}
