/** Collects what failed, one subject at a time, in the order in which the rules are asked. */
import { FAILURES_MAX } from '../../codec/limits.ts'
import { assert } from '../../types/assert.ts'
import type { RuleFailure } from '../../types/verdict.ts'
import { bounded, byteLength, quoted } from './reason-text.ts'

/** Entries of one list that are named one by one; the rest are counted. */
const ENTRIES_NAMED_MAX = 4

export class RuleFailures {
  readonly #subject: RuleFailure['subject']
  readonly #failures: RuleFailure[]

  /** @param failures shared by the subjects of one request, so that their order is the order of judging */
  constructor(subject: RuleFailure['subject'], failures: RuleFailure[]) {
    this.#subject = subject
    this.#failures = failures
  }

  /** Adds a failure. `reason` names the value seen and the value required. */
  add(reason: string): void {
    assert(this.#failures.length < FAILURES_MAX, 'more rule failures than there are rules')
    this.#failures.push({ subject: this.#subject, reason: bounded(reason) })
  }

  /** Rule: a text is not empty and has at most `bytesMax` bytes. */
  requireText(field: string, text: string, bytesMax: number): void {
    if (text === '') {
      this.add(`${field} is empty`)
      return
    }
    const size = byteLength(text)
    if (size > bytesMax)
      this.add(`${field} ${quoted(text)} is too long: the maximum is ${bytesMax} bytes, it has ${size}`)
  }

  /** Rule: a byte field has at most `bytesMax` bytes. */
  requireBytesUpTo(field: string, bytes: Uint8Array, bytesMax: number): void {
    if (bytes.length > bytesMax) this.add(`${field} is ${bytes.length} bytes, the maximum is ${bytesMax}`)
  }

  /** Asks `faultOf` about every entry; names the first few that fail and counts the rest. */
  requireEach<T>(
    field: string,
    entries: readonly T[],
    faultOf: (entry: T, index: number) => string | null,
  ): void {
    let faults = 0
    for (const [index, entry] of entries.entries()) {
      const fault = faultOf(entry, index)
      if (fault === null) continue
      faults++
      if (faults <= ENTRIES_NAMED_MAX) this.add(`${field}[${index}] ${fault}`)
    }
    const unnamed = faults - ENTRIES_NAMED_MAX
    if (unnamed > 0) this.add(`${field}: ${unnamed} more of ${entries.length} entries fail`)
  }
}
