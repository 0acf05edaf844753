/**
 * The services under which a network publishes its nodes (RFC 2782), and what of an SRV answer is usable. Texts and
 * numbers only; the lookup is in srv-discovery.ts.
 */
import type { Scheme } from '../endpoint.ts'

/** One service of a domain. */
export interface SrvService {
  /** In front of the domain. */
  readonly prefix: string
  readonly scheme: Extract<Scheme, 'https' | 'stoq'>
}

/** STOQ's own listener. */
export const STOQ_SERVICE: SrvService = { prefix: '_stoq._udp.hypermesh', scheme: 'stoq' }
/** The CA endpoint, HTTPS. */
export const HTTPS_SERVICE: SrvService = { prefix: '_hypermesh._tcp', scheme: 'https' }

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

/** The address that a record names, or why it is passed over. */
export function endpointOf(
  { name, port }: SrvRecord,
  scheme: SrvService['scheme'],
): { readonly endpoint: string } | { readonly why: string } {
  const target = name.replace(/\.$/, '')
  if (target === '') return { why: 'the service is not offered (target ".")' }
  if (!isDnsName(name)) return { why: `${JSON.stringify(name.slice(0, 80))} is no host name` }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return { why: `port ${port} of ${target}` }
  // A name in the form of an address that there is not, or in broken punycode.
  if (!URL.canParse(`https://${target}`)) return { why: `${target} cannot be part of a URL` }
  return { endpoint: `${scheme}://${target}:${port}` }
}
