/** What a validator remembers at its start: the records that its safety log replayed, folded into one. */
import { decodeSafetyRecord } from '../codec/safety-record.ts'
import { foldSafetyRecords } from '../consensus/safety.ts'
import { assert } from '../types/assert.ts'
import type { SafetyRecord } from '../types/safety.ts'

/** Folds what the safety log replayed. @throws InvariantViolation for a record that the CRC let through */
export function recoverSafety(records: Iterable<Uint8Array>): SafetyRecord {
  const decoded: SafetyRecord[] = []
  for (const bytes of records) {
    const record = decodeSafetyRecord(bytes)
    assert(record.ok, 'a safety record decodes')
    decoded.push(record.value)
  }
  return foldSafetyRecords(decoded)
}
