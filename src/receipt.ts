/**
 * The package's entry for programs that check receipts: `import … from 'hypermesh-node/receipt'`. Runs wherever
 * JavaScript does: signatures by the portable implementation, no file, no network, no clock. A program that has a faster
 * ML-DSA-65 hands it in.
 */
import { SIGNATURE_CONTEXTS } from './crypto/contexts.ts'
import { nobleMlDsa65 } from './crypto/ml-dsa-noble.ts'
import { type ProvenVerdict, type ReceiptRefusal, verifyReceipt } from './ledger/receipt/verify-receipt.ts'
import type { Result } from './types/errors.ts'
import type { Receipt, ReceiptTrust } from './types/receipt.ts'
import type { VerifySignature } from './types/signatures.ts'

export { checkpointJson, parseCheckpointJson } from './codec/checkpoint-json.ts'
export { genesisHash } from './codec/genesis.ts'
export { decodeReceipt, encodeReceipt } from './codec/receipt.ts'
export { parseReceiptJson, receiptJson } from './codec/receipt-json.ts'
export { parseGenesis } from './config/genesis-file.ts'
export { SIGNATURE_CONTEXTS } from './crypto/contexts.ts'
export { genesisTrust } from './ledger/receipt/genesis-trust.ts'
export { isOnRequestId, isValid, provenReasons } from './ledger/receipt/verdict-facts.ts'
export type { ProvenVerdict, ReceiptRefusal } from './ledger/receipt/verify-receipt.ts'
export { requestIdHash } from './ledger/request-identity.ts'
export type { Result } from './types/errors.ts'
export type { Genesis } from './types/genesis.ts'
export type { Receipt, ReceiptStart, ReceiptTrust } from './types/receipt.ts'
export type { VerifySignature } from './types/signatures.ts'
export type { VerdictRecord } from './types/verdict.ts'

/** ML-DSA-65 in plain JavaScript, some 2 ms a signature. False, never an error, for what has another length. */
export const portableVerifySignature: VerifySignature = (publicKey, payload, signature, context) =>
  nobleMlDsa65.publicKey(publicKey)?.verify(payload, signature, SIGNATURE_CONTEXTS[context]) ?? false

/**
 * Checks a receipt against what is trusted.
 * @param verifySignature ML-DSA-65 with a context string (FIPS 204 algorithm 3)
 * @returns what is proven, or the check that failed: its code and a sentence
 */
export function checkReceipt(
  receipt: Receipt,
  trust: ReceiptTrust,
  verifySignature: VerifySignature = portableVerifySignature,
): Result<ProvenVerdict, ReceiptRefusal> {
  return verifyReceipt(receipt, trust, verifySignature)
}
