/** One call of TrustChain's over libp2p, as the client package makes it, with the envelope that came back. */
import { randomUUID } from 'node:crypto'
import type { Multiaddr } from '@multiformats/multiaddr'
import { libp2pDial } from '../../src/client/node/libp2p-channel.ts'
import {
  decodeEnvelopeResponse,
  ENVELOPE_BYTES_MAX,
  type EnvelopeResponse,
  encodeEnvelopeRequest,
} from '../../src/rpc/envelope.ts'
import type { GenesisHash } from '../../src/types/primitives.ts'

const METHODS = {
  certificate: 'consensus/validate_certificate',
  'four-proof': 'consensus/validate_proofs',
} as const

/** Under an identity of its own, and gone afterwards. */
export async function callConsensus(
  address: Multiaddr,
  genesisHash: GenesisHash,
  kind: keyof typeof METHODS,
  payload: Uint8Array,
  deadlineMs: number,
): Promise<EnvelopeResponse> {
  const connection = await libp2pDial(address, async () => [genesisHash])(deadlineMs)
  try {
    const request = { id: randomUUID(), service: 'hypermesh', method: METHODS[kind], payload, metadata: [] }
    const signal = AbortSignal.timeout(deadlineMs)
    const limits = { deadlineMs, signal, answerBytesMax: ENVELOPE_BYTES_MAX }
    const response = decodeEnvelopeResponse(await connection.exchange(encodeEnvelopeRequest(request), limits))
    if (!response.ok) throw new Error(response.detail)
    return response.value
  } finally {
    await connection.close()
  }
}
