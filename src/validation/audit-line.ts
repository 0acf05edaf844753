/**
 * One line of the audit log: JSON that names the hash of the line before and ends with its own. Pure text and hashes,
 * so that the node that writes and the command that checks cannot disagree; who wrote a line it cannot say, there is
 * no key in it.
 */
import { sha256TaggedHex } from '../codec/hashes.ts'
import { utf8ToBytes } from '../codec/utf8.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { AuditedCall } from './ports.ts'

/** What a line tells. */
export type AuditEntry =
  | ({ readonly event: 'call' } & AuditedCall)
  /** Calls that could not be written, since the line before. */
  | { readonly event: 'lost'; readonly unixMs: number; readonly calls: number }
  /** What a crash had left of a line was cut off. */
  | { readonly event: 'torn-line'; readonly unixMs: number; readonly bytes: number }

/** Where a chain stands: the newest line. */
export interface AuditHead {
  readonly sequence: number
  /** 64 hex digits. */
  readonly hash: string
}

/** Before the first line. */
export const AUDIT_START: AuditHead = { sequence: 0, hash: '0'.repeat(64) }

/** A request id of 512 bytes, every byte escaped, is 3 KiB; nothing else is long. */
export const AUDIT_LINE_BYTES_MAX = 16 * 1_024

/** A line without its end, and where the chain stands with it. */
export interface WrittenLine {
  readonly text: string
  readonly head: AuditHead
}

function fieldsOf(entry: AuditEntry): object {
  if (entry.event === 'lost') return { calls: entry.calls }
  if (entry.event === 'torn-line') return { bytes: entry.bytes }
  return {
    carrier: entry.carrier,
    client: entry.client,
    method: entry.method,
    request_id: entry.requestId,
    request_key: entry.requestKey,
    payload_hash: entry.payloadHash,
    result: entry.result,
    failed_proofs: entry.failedProofs,
    error_code: entry.errorCode,
    duration_us: entry.durationUs,
  }
}

function hashOf(content: Uint8Array): string {
  return sha256TaggedHex('auditLine', content)
}

/** The line that follows `before`. */
export function writeAuditLine(before: AuditHead, entry: AuditEntry): WrittenLine {
  const sequence = before.sequence + 1
  const json = JSON.stringify({
    sequence,
    time: new Date(entry.unixMs).toISOString(),
    event: entry.event,
    ...fieldsOf(entry),
    previous: before.hash,
  })
  const content = json.slice(0, -1)
  const hash = hashOf(utf8ToBytes(content))
  return { text: `${content},"hash":"${hash}"}`, head: { sequence, hash } }
}

/** `,"hash":"<64 digits>"}` */
const TAIL_BYTES = 75
const FRAME = /^\{"sequence":([1-9]\d{0,14}),"time":"[^"]*","event":"[a-z-]+",.*"previous":"([0-9a-f]{64})"$/s
const TAIL = /^,"hash":"([0-9a-f]{64})"\}$/

/**
 * Reads a line and checks its own hash; that it follows the one before is the chain's matter.
 * @param line without its end
 */
export function readAuditLine(
  line: Uint8Array,
): Result<AuditHead & { readonly previous: string }, 'malformed'> {
  if (line.length > AUDIT_LINE_BYTES_MAX) {
    return refuse('malformed', `it has ${line.length} bytes, a line has at most ${AUDIT_LINE_BYTES_MAX}`)
  }
  const content = line.subarray(0, Math.max(0, line.length - TAIL_BYTES))
  // Byte by byte: what is not UTF-8 must not be mended before it is hashed.
  const text = Buffer.from(content.buffer, content.byteOffset, content.length).toString('latin1')
  const tail = Buffer.from(line.subarray(content.length)).toString('latin1')
  const [, sequence, previous] = FRAME.exec(text) ?? []
  const [, hash] = TAIL.exec(tail) ?? []
  if (sequence === undefined || previous === undefined || hash === undefined) {
    return refuse('malformed', 'it is not a line of an audit log')
  }
  const own = hashOf(content)
  if (own !== hash) return refuse('malformed', `its hash is ${own}, it says ${hash}`)
  return ok({ sequence: Number(sequence), hash, previous })
}
