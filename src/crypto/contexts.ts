/**
 * The one table of ML-DSA context strings (FIPS 204 §5.2): what a signature was made for. A signature under
 * one context never verifies under another, so no message type can be passed off as a second one.
 */

const utf8 = new TextEncoder()

/** Context string by message type; at most 255 bytes each, all distinct. */
export const SIGNATURE_CONTEXTS = {
  prepare: utf8.encode('hypermesh/prepare/v1'),
  'pre-commit': utf8.encode('hypermesh/pre-commit/v1'),
  commit: utf8.encode('hypermesh/commit/v1'),
  timeout: utf8.encode('hypermesh/timeout/v1'),
  staking: utf8.encode('hypermesh/staking/v1'),
  'key-change': utf8.encode('hypermesh/key-change/v1'),
  operator: utf8.encode('hypermesh/operator/v1'),
  'operator-key': utf8.encode('hypermesh/operator-key/v1'),
  operation: utf8.encode('hypermesh/operation/v1'),
  authority: utf8.encode('hypermesh/authority/v1'),
  escalation: utf8.encode('hypermesh/escalation/v1'),
  'seed-checkpoint': utf8.encode('hypermesh/seed-checkpoint/v1'),
  restart: utf8.encode('hypermesh/restart/v1'),
  mint: utf8.encode('hypermesh/mint/v1'),
  'stake-attestation': utf8.encode('hypermesh/stake-attestation/v1'),
  'session-initiator': utf8.encode('hypermesh/session/initiator/v1'),
  'session-responder': utf8.encode('hypermesh/session/responder/v1'),
  'identity-certificate': utf8.encode('hypermesh/identity-certificate/v1'),
} as const satisfies Record<string, Uint8Array>

/** A message type that is signed with ML-DSA. */
export type SignatureContext = keyof typeof SIGNATURE_CONTEXTS
