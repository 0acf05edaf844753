/** Canonical bytes of safety records, as the safety log frames them. */
import type { Result } from '../types/errors.ts'
import type { SafetyRecord } from '../types/safety.ts'
import { ballotCommitSchema } from './ballots.ts'
import { quorumCertificateSchema, timeoutCertificateSchema } from './certificates.ts'
import { BLOCK_BYTES_MAX, MESSAGE_BYTES_MAX } from './limits.ts'
import { preCommitVoteSchema, prepareVoteSchema, timeoutSchema } from './messages.ts'
import { bytesUpTo, counter, decode, encode, listOf, nullable, record } from './schema.ts'

/** Unfinal blocks in one record: a snapshot holds those between the final block and the highest vote. */
const BLOCKS_MAX = 1_024

/** Commits in one record: those of slots that are open, of which there are fewer. */
const COMMITS_MAX = 1_024

/** A snapshot of a full set with every unfinal block at its largest would not fit; the log refuses it by name. */
export const SAFETY_RECORD_BYTES_MAX = 256 * 1024 * 1024

const safetyRecordSchema = record<SafetyRecord>({
  epoch: counter(),
  proposal: nullable(record({ view: counter(), bytes: bytesUpTo(MESSAGE_BYTES_MAX) })),
  prepare: nullable(prepareVoteSchema),
  preCommit: nullable(preCommitVoteSchema),
  timeout: nullable(timeoutSchema),
  highQc: nullable(quorumCertificateSchema),
  highTc: nullable(timeoutCertificateSchema),
  blocks: listOf(bytesUpTo(BLOCK_BYTES_MAX), BLOCKS_MAX),
  commits: listOf(ballotCommitSchema, COMMITS_MAX),
})

export function encodeSafetyRecord(safetyRecord: SafetyRecord): Uint8Array {
  return encode(safetyRecordSchema, safetyRecord)
}

export function decodeSafetyRecord(bytes: Uint8Array): Result<SafetyRecord, 'malformed'> {
  return decode(safetyRecordSchema, bytes, SAFETY_RECORD_BYTES_MAX)
}
