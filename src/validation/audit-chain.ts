/** Checks lines of an audit log one after the other, over any number of files. Reads nothing itself. */
import { ok, type Result, refuse } from '../types/errors.ts'
import { AUDIT_START, type AuditHead, readAuditLine } from './audit-line.ts'

export class AuditChain {
  #first: number | null = null
  #head: AuditHead | null = null

  /** Sequence number of the first line; null before it. More than 1: older files are gone. */
  get first(): number | null {
    return this.#first
  }

  /** The newest line that is in order; null before the first. */
  get head(): AuditHead | null {
    return this.#head
  }

  /** Takes the next line. @returns its place in the chain, or why the chain breaks here */
  next(bytes: Uint8Array): Result<AuditHead, 'broken'> {
    const line = readAuditLine(bytes)
    if (!line.ok) return refuse('broken', line.detail)
    const { sequence, hash, previous } = line.value
    // Where older files were deleted, nothing is left to compare the first line with.
    const before = this.#head ?? (sequence === 1 ? AUDIT_START : { sequence: sequence - 1, hash: previous })
    if (sequence !== before.sequence + 1) {
      return refuse('broken', `it has the number ${sequence}, line ${before.sequence + 1} was to come`)
    }
    if (previous !== before.hash) {
      return refuse(
        'broken',
        `it follows a line with the hash ${previous}, the line before has ${before.hash}`,
      )
    }
    this.#first ??= sequence
    this.#head = { sequence, hash }
    return ok(this.#head)
  }
}
