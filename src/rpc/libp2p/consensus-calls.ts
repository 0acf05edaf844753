/**
 * TrustChain's calls over `/hypermesh/consensus/1.0.0`: the network layer reads one envelope per stream within its
 * bounds, here it is answered. What a call means is in call-handler.ts.
 */
import { type CallHandlerOptions, failure, handleEnvelope } from '../call-handler.ts'
import { ENVELOPE_BYTES_MAX } from '../envelope.ts'

/** What the network layer asks for each stream. */
export interface ConsensusCalls {
  /** @param client peer id of the caller. @param signal aborted when the caller is gone */
  answer(request: Uint8Array, client: string, signal: AbortSignal): Promise<Uint8Array>
  refuse(reason: 'too-long' | 'too-often'): Uint8Array
}

export function makeConsensusCalls(options: CallHandlerOptions): ConsensusCalls {
  return {
    answer: (request, client, signal) =>
      handleEnvelope(request, { ...options, carrier: 'libp2p' }, `peer-${client}`, signal),
    refuse: (reason) =>
      reason === 'too-long'
        ? failure('', `Invalid request format: more than ${ENVELOPE_BYTES_MAX} bytes`)
        : failure(
            '',
            'Handler error: TOO_MANY_REQUESTS: the limit is what this protocol takes from one peer; try again in 1 s',
          ),
  }
}
