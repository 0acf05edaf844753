/** The golden requests of spec/stoq.md, read once, with what tests change in them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, type Shape } from '../../src/rpc/json-shape.ts'
import {
  certificateValidationRequest,
  fourProofValidationRequest,
} from '../../src/rpc/trustchain-json-request.ts'
import type {
  CertificateValidationRequest,
  FourProofValidationRequest,
} from '../../src/types/validation-request.ts'

/** Made with the real serde, serde_json, bincode and bytes. */
export const VECTORS = JSON.parse(
  readFileSync(join(import.meta.dirname, '../vectors/stoq.json'), 'utf8'),
) as Record<string, string>

/** A vector's text. */
export function vector(name: string): string {
  const text = VECTORS[name]
  if (text === undefined) throw new Error(`no vector ${name}`)
  return text
}

function golden<T>(shape: Shape<T>, name: string): T {
  const request = readJson(shape, Buffer.from(vector(name)))
  if (!request.ok) throw new Error(request.detail)
  return request.value
}

/** The golden certificate request under another id, so that tests can have as many as they like. */
export function certificateRequest(requestId?: string): CertificateValidationRequest {
  const request = golden(certificateValidationRequest, 'certreq_json')
  return requestId === undefined ? request : { ...request, requestId }
}

/** The golden four-proof request. */
export function fourProofRequest(): FourProofValidationRequest {
  return golden(fourProofValidationRequest, 'fpreq_json')
}
