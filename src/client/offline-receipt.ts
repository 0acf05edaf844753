/** The offline check of a receipt that was kept, as a call of the package: what does the work is loaded when it is used. */
import type { ReceiptTrust, VerifySignature } from '../receipt.ts'
import { type Result, refuse } from '../types/errors.ts'
import type { HeldReceipt, HeldReceiptRefusal } from './receipt-check.ts'

/**
 * Checks that a receipt proves the verdict on a request. Opens no connection.
 * @param payload text of `receipt.json`
 * @param request the bytes that were sent, or a request id
 * @param trust what the caller knows of the network by itself
 * @returns what is proven; or the check that failed, with a sentence
 */
export async function verifyReceiptOf(
  payload: Uint8Array,
  request: Uint8Array | string,
  trust: ReceiptTrust,
  verifySignature?: VerifySignature,
): Promise<Result<HeldReceipt, HeldReceiptRefusal | 'malformed-request'>> {
  const { heldReceipt, subjectOf } = await import('./receipt-check.ts')
  const subject = subjectOf(request)
  return subject.ok
    ? heldReceipt(payload, subject.value.isOn, trust, verifySignature)
    : refuse('malformed-request', subject.detail)
}
