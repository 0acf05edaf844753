/** What a proven record says, in one place: everything else about receipts takes the record as bytes. */
import { isHex } from '../../codec/hex.ts'
import type { VerdictRecord } from '../../types/verdict.ts'
import { requestIdHash } from '../request-identity.ts'

/** Whether the verdict is Valid. */
export function isValid(record: VerdictRecord): boolean {
  return record.failures.length === 0
}

/** What each failed rule said; empty for a Valid verdict. */
export function provenReasons(record: VerdictRecord): readonly string[] {
  return record.failures.map(({ subject, reason }) => `${subject}: ${reason}`)
}

/**
 * Whether the verdict is on the request of this id.
 * @param requestId `request_id` of a certificate request; the 64 hex digits of the request key of either kind
 */
export function isOnRequestId(record: VerdictRecord, requestId: string): boolean {
  if (isHex(requestId, 32) && record.requestKey === requestId) return true
  return record.requestIdHash === requestIdHash(requestId)
}
