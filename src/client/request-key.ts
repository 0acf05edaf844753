/**
 * The name of a request that covers all of it: id and payload. A receipt is on it and on no other. Loads what knows the
 * canonical bytes, which asking for a verdict does not need.
 */
import { canonicalTransaction } from '../codec/transaction.ts'
import { readJson } from '../rpc/json-shape.ts'
import { certificateValidationRequest, fourProofValidationRequest } from '../rpc/trustchain-json-request.ts'
import { ok, type Result } from '../types/errors.ts'
import type { RequestKey } from '../types/primitives.ts'
import type { Transaction } from '../types/transaction.ts'
import { lookAtRequest } from './request-bytes.ts'

/** @param bytes JSON of a certificate request or of a four-proof request, as it was or will be sent */
export function requestKeyOf(bytes: Uint8Array): Result<RequestKey, string> {
  const isCertificate = lookAtRequest(bytes).kind === 'certificate'
  const request = isCertificate
    ? readJson(certificateValidationRequest, bytes)
    : readJson(fourProofValidationRequest, bytes)
  if (!request.ok) return request
  const kind = isCertificate ? 'validate-certificate' : 'validate-proofs'
  const hashed = canonicalTransaction({ kind, request: request.value } as Transaction)
  return hashed.ok ? ok(hashed.value.requestKey) : hashed
}
