/** How pure code asks whether a signature is right: the algorithm and its contexts are crypto's. */

/** What a signature was made for; the keys of the table in crypto/contexts.ts that the ledger checks. */
export type SignatureContextName = 'proposal' | 'prepare' | 'pre-commit' | 'commit' | 'staking' | 'key-change'

/**
 * Whether an ML-DSA-65 signature is right. A pure function of its arguments, equal on every node.
 * @param publicKey 1,952 bytes; false for another length
 * @param payload the signed bytes (codec/signing-payloads.ts)
 * @param signature 3,309 bytes; false for another length
 */
export type VerifySignature = (
  publicKey: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
  context: SignatureContextName,
) => boolean
