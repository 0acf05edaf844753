/** Requests as the bytes that are sent, and what is read of bytes that somebody else wrote. */
import { utf8ToBytes } from '../codec/utf8.ts'
import { writeJson } from '../rpc/json-shape.ts'
import { parseJson } from '../rpc/lossless-json.ts'
import { certificateValidationRequest, fourProofValidationRequest } from '../rpc/trustchain-json-request.ts'
import type { CertificateValidationRequest, FourProofValidationRequest } from '../types/validation-request.ts'

/** JSON of a certificate request, field for field as TrustChain's client writes it. */
export function certificateRequestBytes(request: CertificateValidationRequest): Uint8Array {
  return utf8ToBytes(writeJson(certificateValidationRequest, request))
}

/** JSON of a four-proof request, field for field as TrustChain's client writes it. */
export function fourProofRequestBytes(request: FourProofValidationRequest): Uint8Array {
  return utf8ToBytes(writeJson(fourProofValidationRequest, request))
}

/** What a document is, by the fields that it has; whether it is well formed is the node's to say. */
export type RequestKind = 'certificate' | 'four-proof'

/** @returns the kind and the id (certificate requests have one), or why the bytes are neither */
export function lookAtRequest(
  bytes: Uint8Array,
):
  | { readonly kind: RequestKind; readonly requestId: string | null }
  | { readonly kind: 'not JSON' | 'no request'; readonly why: string } {
  const value = parseJson(bytes)
  if (!value.ok) return { kind: 'not JSON', why: value.detail }
  if (value.value instanceof Map) {
    const id: unknown = value.value.get('request_id')
    if (value.value.has('certificate_request')) {
      return { kind: 'certificate', requestId: typeof id === 'string' && id !== '' ? id : null }
    }
    if (value.value.has('proof_set')) return { kind: 'four-proof', requestId: null }
  }
  return { kind: 'no request', why: 'it has neither "certificate_request" nor "proof_set"' }
}
