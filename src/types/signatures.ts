/** How pure code asks whether a signature is right: the algorithm and its contexts are crypto's. */
import type { KeyScheme } from './operator.ts'

/** What a signature was made for; the keys of the table in crypto/contexts.ts that the ledger checks. */
export type SignatureContextName =
  | 'prepare'
  | 'pre-commit'
  | 'commit'
  | 'staking'
  | 'key-change'
  | 'operator'
  | 'operator-key'
  | 'operation'
  | 'authority'
  | 'escalation'
  | 'seed-checkpoint'
  | 'restart'
  | 'mint'
  | 'stake-attestation'

/**
 * Whether a signature is right. A pure function of its arguments, equal on every node.
 * @param publicKey 1,952 bytes for ML-DSA-65, 1,793 for Falcon-1024; false for another length
 * @param payload the signed bytes (codec/signing-payloads.ts)
 * @param signature 3,309 bytes for ML-DSA-65, 1,280 for Falcon-1024; false for another length
 * @param scheme ML-DSA-65 when absent; Falcon-1024 is for keys of operators only
 */
export type VerifySignature = (
  publicKey: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
  context: SignatureContextName,
  scheme?: KeyScheme,
) => boolean
