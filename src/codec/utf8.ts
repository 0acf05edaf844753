/** UTF-8 both ways, strictly. The two classes are part of every JavaScript host, though not of the language. */

declare const TextEncoder: {
  new (): {
    encode(value: string): Uint8Array
    encodeInto(value: string, into: Uint8Array): { readonly written: number }
  }
}
declare const TextDecoder: {
  new (label: string, options: { fatal: boolean; ignoreBOM: boolean }): { decode(bytes: Uint8Array): string }
}

const encoder = new TextEncoder()
// ignoreBOM keeps a leading U+FEFF in the text; otherwise two byte strings would decode to one text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Up to here a loop over ASCII is faster than a call into the host. */
const SHORT_LENGTH_MAX = 64

/** Bytes of a well-formed string. */
export function utf8ToBytes(value: string): Uint8Array {
  const { length } = value
  if (length > SHORT_LENGTH_MAX) return encoder.encode(value)
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code > 0x7f) return encoder.encode(value)
    bytes[i] = code
  }
  return bytes
}

/** How many bytes {@link utf8ToBytes} gives. */
export function utf8Length(value: string): number {
  const { length } = value
  let bytes = length
  for (let i = 0; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code <= 0x7f) continue
    bytes += code <= 0x7ff ? 1 : 2
    // Both halves of a pair make four bytes; one by itself becomes U+FFFD, of three.
    if (code >= 0xd800 && code <= 0xdbff && (value.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++
  }
  return bytes
}

/**
 * Writes what {@link utf8ToBytes} gives from `offset` on, where there must be room for it.
 * @returns where it ends
 */
export function setUtf8(bytes: Uint8Array, value: string, offset: number): number {
  const { length } = value
  if (length <= SHORT_LENGTH_MAX) {
    let i = 0
    for (; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) break
      bytes[offset + i] = code
    }
    if (i === length) return offset + length
  }
  return offset + encoder.encodeInto(value, bytes.subarray(offset)).written
}

/** The text, or null when the bytes are not UTF-8. */
export function bytesToUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}
