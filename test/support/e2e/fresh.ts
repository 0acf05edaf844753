/** Fresh requests for end-to-end tests: each with an id, a nonce and a sequence number of its own. */

import { randomBytes } from 'node:crypto'
import { freshCertificateRequest, freshFourProofRequest } from '../../../src/cli/fresh-request.ts'
import { writeJson } from '../../../src/rpc/json-shape.ts'
import {
  certificateValidationRequest,
  fourProofValidationRequest,
} from '../../../src/rpc/trustchain-json-request.ts'
import type {
  CertificateValidationRequest,
  FourProofValidationRequest,
} from '../../../src/types/validation-request.ts'
import type { ProofName } from '../../../src/types/verdict.ts'

let made = 0
let lastUs = 0n

/** Microseconds since the epoch, each later than the one before. */
export function nowUs(): bigint {
  const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000))
  lastUs = now > lastUs ? now : lastUs + 1n
  return lastUs
}

export function certificate(
  change: { bad?: ProofName; nonce?: bigint; name?: string } = {},
): CertificateValidationRequest {
  made++
  const nonce = change.nonce ?? randomBytes(8).readBigUInt64LE()
  const name = change.name ?? `e2e-${process.pid}-${made}.hypermesh.online`
  return freshCertificateRequest({ nowUs: nowUs(), nonce, bad: change.bad ?? null }, name)
}

export function fourProofs(change: { bad?: ProofName } = {}): FourProofValidationRequest {
  made++
  return freshFourProofRequest({ nowUs: nowUs(), nonce: 0n, bad: change.bad ?? null }, `asset-${made}`)
}

export function certificateBody(request: CertificateValidationRequest): string {
  return writeJson(certificateValidationRequest, request)
}

export function fourProofBody(request: FourProofValidationRequest): string {
  return writeJson(fourProofValidationRequest, request)
}
