/** The client as a program on Node wants it: every carrier there is, pinned certificates, and discovery by DNS. */
import type { Carriers } from '../carrier.ts'
import { ClientError } from '../client-error.ts'
import { type ClientOptions, HypermeshClient } from '../hypermesh-client.ts'
import { type HttpsOptions, httpsCarrier } from './https-carrier.ts'
import { libp2pCarrier, type Networks, networkOf } from './libp2p-carrier.ts'
import { stoqCarrier } from './stoq-carrier.ts'

/** What the carriers need to know. */
export interface NodeCarrierOptions extends HttpsOptions {
  /** Genesis hash of the network (64 hex digits), or a way to learn which may be meant. Only multiaddrs need it. */
  readonly network?: string | Networks
}

/**
 * Carriers for every scheme: http, https, stoq and multiaddrs.
 * @throws ClientError `E_TLS_TRUST`, `E_NETWORK` for options that cannot be used
 */
export function nodeCarriers(options: NodeCarrierOptions = {}): Carriers {
  const http = httpsCarrier(options)
  return { http, https: http, stoq: stoqCarrier(options), libp2p: libp2pCarrier(networksOf(options.network)) }
}

function networksOf(network: string | Networks | undefined): Networks {
  if (typeof network === 'function') return network
  const known = network === undefined ? [] : [networkOf(network)]
  return async () => {
    if (known.length > 0) return known
    throw new ClientError('E_NETWORK', 'a multiaddr needs the network that the node belongs to', {
      fix: 'give its genesis hash as "network"',
      exitCode: 64,
    })
  }
}

/** A client with {@link nodeCarriers}. */
export function nodeClient(options: Omit<ClientOptions, 'carriers'> & NodeCarrierOptions): HypermeshClient {
  const { network, tls, headers, ...rest } = options
  const carriers = nodeCarriers({
    ...(network === undefined ? {} : { network }),
    ...(tls === undefined ? {} : { tls }),
    ...(headers === undefined ? {} : { headers }),
  })
  return new HypermeshClient({ ...rest, carriers })
}
