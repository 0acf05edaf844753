/** What a proven record says, in one place: everything else about receipts takes the record as bytes. */
import { isHex } from '../../codec/hex.ts'
import { COMPONENTS, FOUND_INVALID } from '../../types/ballots.ts'
import type { VerdictRecord } from '../../types/verdict.ts'
import { requestIdHash } from '../request-identity.ts'
import { findingOf } from '../verdicts/findings.ts'

/** Whether the verdict is Valid. */
export function isValid(record: VerdictRecord): boolean {
  return record.status === 'valid'
}

/** What a quorum found against the request; empty for a Valid verdict. The words of the rules are no part of a record. */
export function provenReasons({ findings, status, round }: VerdictRecord): readonly string[] {
  if (status === 'expired') return [`no quorum of the validators found the same in ${round + 1} attempts`]
  return COMPONENTS.filter((component) => findingOf(findings, component) === FOUND_INVALID).map(
    (component) => `${component}: found invalid by a quorum of the validators`,
  )
}

/**
 * Whether the verdict is on the request of this id.
 * @param requestId `request_id` of a certificate request; the 64 hex digits of the request key of either kind
 */
export function isOnRequestId(record: VerdictRecord, requestId: string): boolean {
  if (isHex(requestId, 32) && record.requestKey === requestId) return true
  return record.requestIdHash === requestIdHash(requestId)
}
