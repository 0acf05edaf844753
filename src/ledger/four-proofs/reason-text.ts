/**
 * Words of a reason. Whatever a caller wrote is quoted short and without anything that a terminal or a log would
 * obey; figures are exact. The results go on the ledger, so every function here is the same on every machine.
 */
import { REASON_BYTES_MAX } from '../../codec/limits.ts'
import { utf8Length } from '../../codec/utf8.ts'

/** Length at which a quotation stops. */
const QUOTED_LENGTH_MAX = 64
const NANOS_PER_SECOND = 1_000_000_000n

/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return utf8Length(text)
}

/** Unicode code points of a text. */
export function characterCount(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/**
 * A caller's text in double quotes, about 64 characters of it; what was left out is counted. Everything but
 * printable ASCII is shown by its number: that needs no Unicode tables, which differ between engines.
 */
export function quoted(text: string): string {
  let shown = ''
  for (const character of text) {
    if (shown.length >= QUOTED_LENGTH_MAX) return `"${shown}…" (${byteLength(text)} bytes)`
    const code = character.codePointAt(0) ?? 0
    if (character === '"' || character === '\\') shown += `\\${character}`
    else if (code < 0x20 || code > 0x7e) shown += `\\u{${code.toString(16)}}`
    else shown += character
  }
  return `"${shown}"`
}

/** An exact number of seconds from nanoseconds, without trailing zeros: `-1.5 s`. */
export function seconds(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  const fraction = (size % NANOS_PER_SECOND).toString().padStart(9, '0').replace(/0+$/, '')
  const whole = (size / NANOS_PER_SECOND).toString()
  return `${nanoseconds < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`} s`
}

/** At most {@link REASON_BYTES_MAX} bytes, cut between characters and visibly. */
export function bounded(reason: string): string {
  if (3 * reason.length <= REASON_BYTES_MAX || byteLength(reason) <= REASON_BYTES_MAX) return reason
  let kept = ''
  let size = byteLength('…')
  for (const character of reason) {
    size += byteLength(character)
    if (size > REASON_BYTES_MAX) break
    kept += character
  }
  return `${kept}…`
}
