/** base64url without padding (RFC 4648 §5), strictly: one text for one row of bytes. Pure, so not Node's Buffer. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = new Map([...ALPHABET].map((character, value) => [character.charCodeAt(0), value]))

export function bytesToBase64Url(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3)
    const bits = a * 65_536 + b * 256 + c
    const characters = Math.min(4, bytes.length - at + 1)
    for (let i = 0; i < characters; i++) parts.push(ALPHABET[(bits >> (18 - 6 * i)) & 63] ?? '')
  }
  return parts.join('')
}

/** The bytes of a text, or null when it is not what {@link bytesToBase64Url} writes. */
export function base64UrlToBytes(text: string): Uint8Array | null {
  const rest = text.length % 4
  if (rest === 1) return null
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let count = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const value = VALUES.get(text.charCodeAt(i))
    if (value === undefined) return null
    bits = ((bits << 6) | value) & 0xffffff
    count += 6
    if (count >= 8) {
      count -= 8
      bytes[at++] = (bits >> count) & 0xff
    }
  }
  // Bits beyond the last byte are zero, or two texts would stand for the same bytes.
  return (bits & ((1 << count) - 1)) === 0 ? bytes : null
}
