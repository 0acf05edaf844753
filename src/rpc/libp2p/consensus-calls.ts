/**
 * TrustChain's calls over `/hypermesh/consensus/1.0.0`: the network layer reads one envelope per stream within its
 * bounds, here it is answered. What a call means is in call-handler.ts.
 */
import { type CallHandlerOptions, failure, handleEnvelope } from '../call-handler.ts'
import { ENVELOPE_BYTES_MAX } from '../envelope.ts'

/** What the network layer asks for each stream. */
export interface ConsensusCalls {
  /** @param client peer id of the caller */
  answer(request: Uint8Array, client: string): Promise<Uint8Array>
  refuse(reason: 'too-long' | 'too-often'): Uint8Array
}

export function makeConsensusCalls(options: CallHandlerOptions): ConsensusCalls {
  return {
    answer: (request, client) => handleEnvelope(request, options, `peer-${client}`),
    refuse: (reason) =>
      reason === 'too-long'
        ? failure('', `Invalid request format: more than ${ENVELOPE_BYTES_MAX} bytes`)
        : failure('', 'Handler error: too many requests from this client, try again'),
  }
}
