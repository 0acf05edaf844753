/**
 * Carriers to STOQ listeners: envelopes on QUIC streams. Nothing vouches for a node's STOQ certificate, so without a word
 * to the contrary only this machine is asked. The QUIC library is loaded at the first call (rpc/stoq/quic.ts): where it
 * has nothing for the platform, an endpoint is as one that cannot be reached, and others are asked.
 */
import { StoqError } from '../../rpc/stoq/errors.ts'
import { type StoqAddress, StoqClient } from '../../rpc/stoq/stoq-client.ts'
import type { CallLimits, CarrierFactory } from '../carrier.ts'
import { ClientError } from '../client-error.ts'
import { stoqAddress } from '../endpoint.ts'
import { envelopeCarrier } from '../envelope-carrier.ts'
import type { TlsTrust } from './https-carrier.ts'
import { KeptChannel, type KeptConnection } from './kept-channel.ts'

/** STOQ's own port. */
const PORT_DEFAULT = 9_292
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|::1)$/i

/** Options of {@link stoqCarrier}. */
export interface StoqOptions {
  /** `any` to ask other machines too. Every other kind asks for a proof that STOQ does not have, also on loopback. */
  readonly tls?: TlsTrust
}

/** Carriers to `stoq://host:port`; without a port it is 9292. They refuse (`E_STOQ_TRUST`) whom `tls` does not allow. */
export function stoqCarrier({ tls }: StoqOptions = {}): CarrierFactory {
  return (endpoint) => {
    const { host, port = PORT_DEFAULT } = stoqAddress(endpoint)
    if (tls === undefined ? !LOOPBACK.test(host) : tls.kind !== 'any') throw unverifiable(endpoint)
    return envelopeCarrier(new KeptChannel((deadlineMs) => connect({ host, port }, deadlineMs)))
  }
}

function unverifiable(endpoint: string): ClientError {
  return new ClientError(
    'E_STOQ_TRUST',
    `who answers at ${endpoint} cannot be verified: a node makes its STOQ certificate itself`,
    {
      fix: 'set tls to { kind: "any" } if you trust the way to it, or ask by libp2p, where its identity is proven',
      exitCode: 64,
    },
  )
}

async function connect(address: StoqAddress, deadlineMs: number): Promise<KeptConnection> {
  const client = await StoqClient.connect(address, deadlineMs).catch(retell)
  return {
    get isOpen(): boolean {
      return client.isOpen
    },
    exchange: (request: Uint8Array, { deadlineMs, signal, answerBytesMax }: CallLimits) =>
      client.exchange(request, deadlineMs, { signal, answerBytesMax }).catch(retell),
    close: () => client.close(),
  }
}

/** With its reason in the message, which is all that is kept of an attempt. */
function retell(error: unknown): never {
  if (!(error instanceof StoqError) || error.advice.why === undefined) throw error
  throw new Error(`${error.message}: ${error.advice.why}`, { cause: error })
}
