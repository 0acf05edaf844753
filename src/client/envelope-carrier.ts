/**
 * Calls in STOQ's envelopes (../rpc/envelope.ts), for every carrier with streams. What is left for such a carrier is to
 * open a stream, write, close its side, and read to the end.
 */
import { decodeEnvelopeResponse, encodeEnvelopeRequest } from '../rpc/envelope.ts'
import type { CallLimits, Carrier, CarrierReply, ClientMethod } from './carrier.ts'

/** Streams to one endpoint: one exchange is one stream. libp2p and STOQ's QUIC differ in nothing else. */
export interface EnvelopeChannel {
  /**
   * @param request one encoded `ApiRequest`
   * @returns one encoded `ApiResponse`
   * @throws Error when there is none
   */
  exchange(request: Uint8Array, limits: CallLimits): Promise<Uint8Array>
  close(): Promise<void>
}

/** Which refusals pass is in the text alone: stoq.md 2.4. */
const PASSING = /^(?:Handler error|Transport error): /

/** A {@link Carrier} over such a channel. */
export function envelopeCarrier(channel: EnvelopeChannel): Carrier {
  return {
    call: (method, payload, limits) => callIn(channel, method, payload, limits),
    close: () => channel.close(),
  }
}

async function callIn(
  channel: EnvelopeChannel,
  method: ClientMethod,
  payload: Uint8Array,
  limits: CallLimits,
): Promise<CarrierReply> {
  const nothing = new Uint8Array()
  // The envelope has no such method.
  if (method === 'validate_batch') {
    return { payload: nothing, standing: 'unsupported', note: 'no batches', retryAfterMs: null }
  }
  const id = crypto.randomUUID()
  const request = { id, service: 'hypermesh', method: `consensus/${method}`, payload, metadata: [] }
  const response = decodeEnvelopeResponse(await channel.exchange(encodeEnvelopeRequest(request), limits))
  if (!response.ok) throw new Error(`the answer is no envelope: ${response.detail}`)
  const { requestId, success, error } = response.value
  // An answer to what could not be read names no request.
  if (requestId !== id && requestId !== '') throw new Error('the answer is to another request')
  const note = error ?? ''
  return {
    payload: response.value.payload,
    standing: success ? 'success' : PASSING.test(note) ? 'try-again' : 'lasting',
    note,
    retryAfterMs: null,
  }
}
