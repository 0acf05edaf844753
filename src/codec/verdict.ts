/** Canonical bytes of verdict records; the record's leaf in the state's verdict list is a hash of them. */
import type { Result } from '../types/errors.ts'
import type { Hex32, RequestKey } from '../types/primitives.ts'
import { type RuleFailure, VERDICT_KINDS, type VerdictRecord } from '../types/verdict.ts'
import { sha256TaggedHex } from './hashes.ts'
import { FAILURES_MAX, REASON_BYTES_MAX } from './limits.ts'
import {
  counter,
  decode,
  encode,
  hexBytes,
  listOf,
  nullable,
  oneOf,
  record,
  type Schema,
  text,
  u64,
  uint,
} from './schema.ts'

export const VERDICT_BYTES_MAX = FAILURES_MAX * (REASON_BYTES_MAX + 16) + 1_024

export const verdictSchema: Schema<VerdictRecord> = record<VerdictRecord>({
  requestKey: hexBytes<RequestKey>(32),
  requestIdHash: hexBytes<Hex32>(32),
  kind: oneOf(VERDICT_KINDS),
  height: counter(),
  blockTime: counter(),
  decidedAt: counter(),
  status: oneOf(['valid', 'invalid', 'expired']),
  findings: uint(2),
  round: uint(1),
  agreeing: record({ validators: uint(2), stake: u64 }),
  dissenting: uint(2),
  eligibleStake: u64,
  proofHash: hexBytes<Hex32>(32),
  sequence: nullable(record({ nodeIdHash: hexBytes<Hex32>(32), number: u64 })),
})

export function encodeVerdict(verdict: VerdictRecord): Uint8Array {
  return encode(verdictSchema, verdict)
}

const knownBytes = new WeakMap<VerdictRecord, Uint8Array>()

/** As {@link encodeVerdict}, worked out once: the leaf and the row of a verdict are made of it. Must not be altered. */
export function verdictBytes(verdict: VerdictRecord): Uint8Array {
  const known = knownBytes.get(verdict)
  if (known !== undefined) return known
  const bytes = encodeVerdict(verdict)
  knownBytes.set(verdict, bytes)
  return bytes
}

export function decodeVerdict(bytes: Uint8Array): Result<VerdictRecord, 'malformed'> {
  return decode(verdictSchema, bytes, VERDICT_BYTES_MAX)
}

/** What one node's own rules found: kept beside the verdict, no part of the state. */
export const failuresSchema: Schema<readonly RuleFailure[]> = listOf(
  record<RuleFailure>({
    subject: oneOf(['space', 'stake', 'work', 'time', 'request', 'requester']),
    reason: text(REASON_BYTES_MAX),
  }),
  FAILURES_MAX,
)

export function encodeFailures(failures: readonly RuleFailure[]): Uint8Array {
  return encode(failuresSchema, failures)
}

export function decodeFailures(bytes: Uint8Array): Result<readonly RuleFailure[], 'malformed'> {
  return decode(failuresSchema, bytes, VERDICT_BYTES_MAX)
}

/** Leaf of a verdict in the state's verdict list. */
export function verdictLeaf(bytes: Uint8Array): Hex32 {
  return sha256TaggedHex<Hex32>('verdict', bytes)
}

const knownLeaves = new WeakMap<readonly VerdictRecord[], readonly Hex32[]>()

/** Leaves of a block's verdicts, worked out once for each list: the state and the index of receipts ask for them. */
export function verdictLeaves(verdicts: readonly VerdictRecord[]): readonly Hex32[] {
  const known = knownLeaves.get(verdicts)
  if (known !== undefined) return known
  const leaves = verdicts.map((verdict) => verdictLeaf(verdictBytes(verdict)))
  knownLeaves.set(verdicts, leaves)
  return leaves
}
