/**
 * The forms of configuration values that are more than a word or a number: durations, sizes, rates, listen
 * addresses, multiaddrs. Each parses once, into the unit the code works in, and says what it expected.
 */

import { isIPv4, isIPv6 } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 }
const SIZE_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** A number with a unit of `units`, as a string; the output is a whole number of the smallest unit. */
function quantity(units: Readonly<Record<string, number>>, expected: string) {
  return z.string().transform((text, context) => {
    const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text)
    const factor = units[match?.[2] ?? '']
    if (match === null || factor === undefined) {
      context.addIssue({ code: 'custom', message: `expected ${expected}` })
      return z.NEVER
    }
    return Math.round(Number(match[1]) * factor)
  })
}

/** `"8s"`, `"500ms"`, `"2min"`; out come milliseconds. */
export const duration = quantity(DURATION_MS, 'a duration such as "8s", "500ms" or "2min"')

/** `"64MiB"`, `"512KiB"`; out come bytes. */
export const size = quantity(SIZE_BYTES, 'a size such as "64MiB" or "512KiB"')

/** `"50/s"`; out comes the number per second. */
export const rate = z.string().transform((text, context) => {
  const match = /^(\d+)\/s$/.exec(text)
  if (match === null || Number(match[1]) === 0) {
    context.addIssue({ code: 'custom', message: 'expected a rate such as "50/s"' })
    return z.NEVER
  }
  return Number(match[1])
})

/** A block that an operator names: null, or its height and its hash. */
export interface NamedBlock {
  readonly height: number
  readonly hash: string
}

/** `"12000:9f3c…"`, height and 64 hex digits; empty for none. */
export const trustedBlock = z.string().transform((text, context): NamedBlock | null => {
  if (text === '') return null
  const match = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text)
  if (match === null) {
    context.addIssue({
      code: 'custom',
      message: 'expected HEIGHT:BLOCK_ID, the id in 64 lower-case hex digits',
    })
    return z.NEVER
  }
  return { height: Number(match[1]), hash: match[2] ?? '' }
})

/** Where an HTTP listener binds. Port 0 lets the system choose. */
export interface ListenAddress {
  /** An IP address without brackets, or a host name. */
  readonly host: string
  readonly port: number
}

/** `[::1]:8080` or `127.0.0.1:9441` in, the two parts out; undefined when it is neither. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  const port = Number(match[3])
  if (port > 65_535 || (match[1] !== undefined && !isIPv6(host))) return undefined
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return undefined
  return { host, port }
}

/** The inverse of {@link parseListenAddress}. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

export const listenAddress = z.string().transform((text, context): ListenAddress => {
  const address = parseListenAddress(text)
  if (address === undefined) {
    context.addIssue({
      code: 'custom',
      message: 'expected host:port, such as "127.0.0.1:9441" or "[::1]:8080"',
    })
    return z.NEVER
  }
  return address
})

/** What is wrong with a multiaddr, for a person; undefined when nothing is. */
export function multiaddrProblem(text: string, needsPeerId: boolean): string | undefined {
  const plain = parseListenAddress(text)
  if (plain !== undefined) {
    return `expected a multiaddr: did you mean /ip${isIPv6(plain.host) ? 6 : 4}/${plain.host}/tcp/${plain.port} ?`
  }
  try {
    const names = multiaddr(text)
      .getComponents()
      .map(({ name }) => name)
    if (needsPeerId && !names.includes('p2p') && !names.includes('dnsaddr')) {
      return 'a bootstrap address must end in /p2p/<peer id>, so that the one who answers can be checked'
    }
    if (names.includes('udp') && !names.includes('quic-v1')) return 'udp needs /quic-v1 behind it'
    return undefined
  } catch {
    return 'expected a multiaddr, such as /ip4/0.0.0.0/tcp/4001 or /ip4/0.0.0.0/udp/4001/quic-v1'
  }
}

function multiaddrForm(needsPeerId: boolean) {
  return z.string().superRefine((text, context) => {
    const problem = multiaddrProblem(text, needsPeerId)
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
  })
}

/** A multiaddr to listen on or to announce. */
export const address = multiaddrForm(false)

/** A multiaddr to dial, with the peer id that must answer there. */
export const peerAddress = multiaddrForm(true)
