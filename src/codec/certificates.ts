/** Canonical bytes of quorum and timeout certificates. */
import type { QuorumCertificate, TimeoutCertificate, VoterSignature } from '../types/certificates.ts'
import type { Result } from '../types/errors.ts'
import type { BlockHash, Hex32, StateRoot } from '../types/primitives.ts'
import { MESSAGE_BYTES_MAX, VALIDATORS_MAX } from './limits.ts'
import {
  bytesFixed,
  counter,
  decode,
  encode,
  hexBytes,
  index,
  listOf,
  nullable,
  oneOf,
  record,
  type Schema,
} from './schema.ts'

/** ML-DSA-65 signature, FIPS 204 table 2. */
export const SIGNATURE_BYTES = 3_309

/** What a quorum certificate can be of. */
export const CERTIFICATE_KINDS = ['prepare', 'pre-commit', 'commit'] as const

export const signatureSchema = bytesFixed(SIGNATURE_BYTES)

export const quorumCertificateSchema: Schema<QuorumCertificate> = record<QuorumCertificate>({
  kind: oneOf(CERTIFICATE_KINDS),
  epoch: counter(),
  view: counter(),
  height: counter(),
  blockHash: hexBytes<BlockHash>(32),
  stateRoot: nullable(hexBytes<StateRoot>(32)),
  signatures: listOf(
    record<VoterSignature>({
      voter: index(),
      signature: signatureSchema,
      commits: nullable(hexBytes<Hex32>(32)),
    }),
    VALIDATORS_MAX,
  ),
})

export const timeoutCertificateSchema: Schema<TimeoutCertificate> = record<TimeoutCertificate>({
  epoch: counter(),
  view: counter(),
  timeouts: listOf(
    record<TimeoutCertificate['timeouts'][number]>({
      voter: index(),
      highQcView: counter(),
      signature: signatureSchema,
    }),
    VALIDATORS_MAX,
  ),
  highQc: quorumCertificateSchema,
})

export function encodeQuorumCertificate(certificate: QuorumCertificate): Uint8Array {
  return encode(quorumCertificateSchema, certificate)
}

export function decodeQuorumCertificate(bytes: Uint8Array): Result<QuorumCertificate, 'malformed'> {
  return decode(quorumCertificateSchema, bytes, MESSAGE_BYTES_MAX)
}
