/** Whether a receipt, as text, proves the verdict on a certain request. Asks nobody: what is trusted comes with the call. */

import { bytesToUtf8 } from '../codec/utf8.ts'
import {
  checkReceipt,
  isOnRequestId,
  isValid,
  type ProvenVerdict,
  parseReceiptJson,
  type Receipt,
  type ReceiptRefusal,
  type ReceiptTrust,
  type VerdictRecord,
  type VerifySignature,
} from '../receipt.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { requestKeyOf } from './request-key.ts'

/** A receipt that holds, and what it proves. */
export interface HeldReceipt {
  readonly proven: ProvenVerdict
  /** Whether the verdict that it proves is Valid. */
  readonly isValid: boolean
  readonly receipt: Receipt
  /** The text of `receipt.json`, byte for byte as it came. */
  readonly payload: Uint8Array
}

/** Why it does not: its text, a check of `verify-receipt.ts`, or whose verdict it is. */
export type HeldReceiptRefusal = ReceiptRefusal | 'malformed' | 'other-request'

/** What the verdict must be on. */
export interface Subject {
  /** By which nodes find it. */
  readonly id: string
  readonly isOn: (record: VerdictRecord) => boolean
}

/** @param request its bytes, which must have every field as the judged one has it; or its id */
export function subjectOf(request: Uint8Array | string): Result<Subject, string> {
  if (typeof request === 'string') {
    return ok({ id: request, isOn: (record) => isOnRequestId(record, request) })
  }
  const key = requestKeyOf(request)
  return key.ok ? ok({ id: key.value, isOn: (record) => record.requestKey === key.value }) : key
}

/** @param verifySignature ML-DSA-65; undefined: the portable one */
export function heldReceipt(
  payload: Uint8Array,
  isOn: Subject['isOn'],
  trust: ReceiptTrust,
  verifySignature?: VerifySignature,
): Result<HeldReceipt, HeldReceiptRefusal> {
  const receipt = parseReceiptJson(bytesToUtf8(payload) ?? '')
  if (!receipt.ok) return receipt
  const proven = checkReceipt(receipt.value, trust, verifySignature)
  if (!proven.ok) return proven
  const { record } = proven.value
  if (!isOn(record)) return refuse('other-request', `the verdict is on another request, ${record.requestKey}`)
  return ok({ proven: proven.value, isValid: isValid(record), receipt: receipt.value, payload })
}
