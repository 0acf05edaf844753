/** UTF-8 both ways, strictly. The two classes are part of every JavaScript host, though not of the language. */

declare const TextEncoder: { new (): { encode(value: string): Uint8Array } }
declare const TextDecoder: {
  new (label: string, options: { fatal: boolean; ignoreBOM: boolean }): { decode(bytes: Uint8Array): string }
}

const encoder = new TextEncoder()
// ignoreBOM keeps a leading U+FEFF in the text; otherwise two byte strings would decode to one text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes of a well-formed string. */
export function utf8ToBytes(value: string): Uint8Array {
  return encoder.encode(value)
}

/** The text, or null when the bytes are not UTF-8. */
export function bytesToUtf8(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch {
    return null
  }
}
