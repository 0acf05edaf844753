/**
 * Addresses that an operator wrote: each is checked before anything starts, and what is wrong is said the way
 * operator.md's table of error texts wants it. It resolves no names and opens no sockets.
 */

import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { NetworkError } from './network-error.ts'

/** What this node speaks below libp2p. */
export type TransportName = 'tcp' | 'quic'

/** What an operator may have meant by something that is no multiaddr. */
function suggestion(text: string): string | undefined {
  const match = /^(?:(?:tcp|http|https):\/\/)?(\[[0-9a-fA-F:]+\]|[^:/\s]+):(\d{1,5})\/?$/.exec(text)
  const host = match?.[1]
  if (match === null || host === undefined) return undefined
  if (host.startsWith('[')) return `/ip6/${host.slice(1, -1)}/tcp/${match[2]}`
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) ? `/ip4/${host}/tcp/${match[2]}` : `/dns/${host}/tcp/${match[2]}`
}

/**
 * Reads one multiaddr.
 *
 * @throws NetworkError E_ADDR_FORM, with what was probably meant
 */
export function parseAddress(text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (cause) {
    const meant = suggestion(text)
    throw new NetworkError('E_ADDR_FORM', `"${text}" is not a multiaddr.`, {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: meant === undefined ? 'Write it like /ip4/192.0.2.1/tcp/4001.' : `Did you mean ${meant} ?`,
      exitCode: 78,
      cause,
    })
  }
}

/** The transport of an address, or undefined when it is none of ours. */
export function transportOf(address: Multiaddr): TransportName | undefined {
  const names = address.getComponents().map((component) => component.name)
  if (names.includes('quic-v1')) return 'quic'
  return names.includes('tcp') && !names.includes('ws') && !names.includes('wss') && !names.includes('tls')
    ? 'tcp'
    : undefined
}

/** The port of an address, 0 when it has none. */
export function portOf(address: Multiaddr): number {
  const port = address.getComponents().find(({ name }) => name === 'tcp' || name === 'udp')?.value
  return port === undefined ? 0 : Number(port)
}

/** The IP address at the front of a multiaddr, when there is one. */
export function ipOf(address: Multiaddr): string | undefined {
  return address.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')?.value
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/

/** Whether an address is this machine's own. */
export function isLoopback(address: Multiaddr): boolean {
  return LOOPBACK.test(ipOf(address) ?? '')
}

/** The peer id at the end of a multiaddr, when there is one. */
export function peerIdOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value
}

/** The address without the peer id at its end. */
export function withoutPeerId(address: Multiaddr): Multiaddr {
  return multiaddr(address.getComponents().filter(({ name }) => name !== 'p2p'))
}

const PRIVATE = /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|::1$|f[cd]|fe[89ab])/i

/** Whether an address is of no use to the wider world. */
export function isPrivate(address: Multiaddr): boolean {
  return PRIVATE.test(ipOf(address) ?? '')
}

/**
 * Checks an address that the node shall listen on or dial.
 *
 * @throws NetworkError E_ADDR_FORM, E_ADDR_TRANSPORT
 */
export function checkAddress(text: string, transports: readonly TransportName[]): Multiaddr {
  const address = parseAddress(text)
  // A name is resolved to addresses that libp2p chooses from by transport.
  if (address.getComponents().some(({ name }) => name === 'dnsaddr')) return address
  const transport = transportOf(address)
  if (transport === undefined || !transports.includes(transport)) {
    const needs =
      transport === 'quic' ? 'needs QUIC' : transport === 'tcp' ? 'needs TCP' : 'is of another transport'
    const fix = transports.includes('tcp') ? 'Use a /tcp/ address.' : 'Use a /udp/…/quic-v1 address.'
    throw new NetworkError(
      'E_ADDR_TRANSPORT',
      `${text} ${needs}; this node speaks ${transports.join(' and ')}.`,
      {
        fix,
        exitCode: 78,
      },
    )
  }
  return address
}

/**
 * Checks a bootstrap entry, which must name whom it expects to find there.
 *
 * @throws NetworkError E_ADDR_FORM, E_ADDR_TRANSPORT, E_BOOTSTRAP_ID
 */
export function checkBootstrap(text: string, transports: readonly TransportName[]): Multiaddr {
  const address = checkAddress(text, transports)
  const peerId = peerIdOf(address)
  try {
    if (peerId !== undefined) peerIdFromString(peerId)
    if (peerId !== undefined || address.getComponents().some(({ name }) => name === 'dnsaddr')) return address
  } catch (cause) {
    throw bootstrapId(text, cause)
  }
  throw bootstrapId(text, undefined)
}

function bootstrapId(text: string, cause: unknown): NetworkError {
  return new NetworkError('E_BOOTSTRAP_ID', `The bootstrap address ${text} names no peer.`, {
    why: 'Without the peer id anybody could answer there.',
    fix: `Append /p2p/ and the peer id, as "hypermesh keys show" prints it on that node.`,
    exitCode: 78,
    cause,
  })
}

/**
 * Says what a failed dial to a bootstrap address means when another peer answered there.
 *
 * @returns undefined for every other failure, which is counted and retried
 */
export function otherPeerAnswered(address: string, thrown: Error): NetworkError | undefined {
  const text = [thrown, ...(thrown instanceof AggregateError ? (thrown.errors as unknown[]) : [])]
    .map((error) => (error instanceof Error ? error.message : String(error)))
    .join('\n')
  const noise = /identity key (\S+) does not match expected(?: remote identity key)? (\S+)/i.exec(text)
  const quic = /Dialed peer (\S+) but connected to (\S+)/.exec(text)
  const answered = noise?.[1] ?? quic?.[2]
  const expected = noise?.[2] ?? quic?.[1]
  if (answered === undefined || expected === undefined) return undefined
  return new NetworkError(
    'E_BOOTSTRAP_ID',
    `${address} answered as ${answered}, the list says ${expected}.`,
    {
      why: 'The list is out of date, or someone else is on that address.',
      fix: 'Ask whoever runs that peer for its address, or take this one out of p2p.bootstrap in config.toml.',
      cause: thrown,
    },
  )
}

/**
 * Turns the library's failure to listen into one that names the address and what to do.
 *
 * @param listen the addresses that were to be listened on
 */
export function listenFailure(listen: readonly Multiaddr[], thrown: Error): NetworkError {
  // The library hides the causes in its message, one paragraph per address.
  for (const address of listen) {
    const at = thrown.message.indexOf(`${address.toString()}:`)
    if (at === -1) continue
    const text = thrown.message.slice(at).split('\n', 1).join('')
    const port = portOf(address)
    if (/EADDRINUSE|[Aa]ddress (?:already )?in use/.test(text)) {
      return new NetworkError('E_PORT_IN_USE', `${address} is used by another process.`, {
        fix: `Stop that process, or listen on another port than ${port} with p2p.listen in config.toml or --p2p.listen (0 = any free port).`,
        cause: thrown,
      })
    }
    if (/EADDRNOTAVAIL|[Cc]annot assign requested address/.test(text)) {
      return new NetworkError(
        'E_ADDR_UNAVAILABLE',
        `No interface of this machine has the address of ${address}.`,
        {
          fix: 'Listen on /ip4/0.0.0.0/… for all of them.',
          cause: thrown,
        },
      )
    }
    if (/EACCES|EPERM|[Pp]ermission denied/.test(text)) {
      return new NetworkError('E_PORT_DENIED', `This process may not listen on ${address}.`, {
        fix: port < 1_024 ? 'Listen on a port above 1023.' : 'Check what the system allows this user.',
        cause: thrown,
      })
    }
  }
  return new NetworkError('E_LISTEN', `Cannot listen on ${listen.map(String).join(', ')}.`, {
    why: thrown.message,
    cause: thrown,
  })
}
