/**
 * Where a node can be asked: the forms of an address, and where the client has it from. Text only: nothing is resolved
 * or dialled here.
 */
import { ClientError } from './client-error.ts'

/** What carries the calls; `libp2p` is a multiaddr. */
export type Scheme = 'http' | 'https' | 'stoq' | 'libp2p'

/** Who named an endpoint. */
export type EndpointOrigin =
  | { readonly kind: 'configured' }
  | {
      readonly kind: 'srv'
      /** `_hypermesh._tcp.example.org` */
      readonly name: string
      readonly priority: number
      readonly weight: number
      /** The record is kept from an earlier answer, because the last lookup failed. */
      readonly isStale: boolean
    }

/** One endpoint with its rank (RFC 2782: the lowest priority first, within one by weight). */
export interface EndpointChoice {
  /** `https://[::1]:8080`, `stoq://[::1]:9292` or a multiaddr that ends in `/p2p/<peer id>`. */
  readonly endpoint: string
  readonly priority: number
  readonly weight: number
  readonly origin: EndpointOrigin
}

/** Something that knows the endpoints at the time of a call. It keeps what it knows for a while, so ask every time. */
export interface EndpointSource {
  /** @throws ClientError `E_NO_ENDPOINT` when it knows none */
  current(signal: AbortSignal): Promise<readonly EndpointChoice[]>
}

const STOQ = /^stoq:\/\/(?:\[([0-9a-f:.%]+)\]|([a-z0-9.-]+))(?::(\d{1,5}))?\/?$/i
const PORT_MAX = 65_535

/**
 * The scheme of an address.
 * @throws ClientError `E_ENDPOINT` when it has none of the forms
 */
export function schemeOf(endpoint: string): Scheme {
  if (endpoint.startsWith('/')) return 'libp2p'
  if (endpoint.startsWith('stoq:')) {
    if (readStoq(endpoint) !== null) return 'stoq'
  } else if (URL.canParse(endpoint)) {
    const { protocol, username, search, hash } = new URL(endpoint)
    const isPlain = username === '' && search === '' && hash === ''
    if (isPlain && protocol === 'http:') return 'http'
    if (isPlain && protocol === 'https:') return 'https'
  }
  throw noEndpoint(endpoint)
}

/** Where a `stoq://` address is. Without a port it is STOQ's own; that is for the carrier to know. */
export interface StoqPlace {
  /** A name, or an IP address without brackets. */
  readonly host: string
  readonly port?: number
}

/** @throws ClientError `E_ENDPOINT` when it is no `stoq://` address */
export function stoqAddress(endpoint: string): StoqPlace {
  const place = readStoq(endpoint)
  if (place === null) throw noEndpoint(endpoint)
  return place
}

function readStoq(endpoint: string): StoqPlace | null {
  const [, address, name, digits] = STOQ.exec(endpoint) ?? []
  const host = address ?? name
  if (host === undefined) return null
  if (digits === undefined) return { host }
  const port = Number(digits)
  return port > 0 && port <= PORT_MAX ? { host, port } : null
}

function noEndpoint(endpoint: string): ClientError {
  return new ClientError('E_ENDPOINT', `"${endpoint.slice(0, 200)}" is no endpoint`, {
    fix: 'write https://[::1]:8080, stoq://[::1]:9292 or /ip4/…/tcp/…/p2p/…',
    exitCode: 64,
  })
}

/** A list that a person wrote, in order of preference (`as-given`) or to spread the calls over. */
export function configuredEndpoints(
  endpoints: readonly string[],
  order: 'as-given' | 'spread',
): EndpointChoice[] {
  return [...new Set(endpoints)].map((endpoint, i) => ({
    endpoint,
    priority: order === 'as-given' ? i : 0,
    weight: 1,
    origin: { kind: 'configured' },
  }))
}
