/** Hex both ways. Lower case only: a hash has one spelling. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

const NO_DIGIT = 0xff
/** Value of a lower-case digit, by its code in ASCII. */
const VALUES = new Uint8Array(128).fill(NO_DIGIT)
for (const [value, digit] of [...'0123456789abcdef'].entries()) VALUES[digit.charCodeAt(0)] = value

/** Lower-case hex digits of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  return bytesToHex(bytes)
}

/** Bytes of a hex string that is known to be well formed; throws on anything else. */
export function fromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1)
  setHex(bytes, hex, 0)
  return bytes
}

/** Writes the bytes of a hex string into `bytes` from `offset` on, as {@link fromHex} reads it. */
export function setHex(bytes: Uint8Array, hex: string, offset: number): void {
  const { length } = hex
  let isHexOnly = length % 2 === 0
  for (let i = 0, at = offset; i + 1 < length; i += 2, at++) {
    const high = VALUES[hex.charCodeAt(i)] ?? NO_DIGIT
    const low = VALUES[hex.charCodeAt(i + 1)] ?? NO_DIGIT
    if ((high | low) > 0xf) isHexOnly = false
    bytes[at] = (high << 4) | low
  }
  // The library has the words for what is wrong, and reads the other spelling.
  if (!isHexOnly) bytes.set(hexToBytes(hex), offset)
}

/** Whether `value` is `lengthBytes` bytes of lower-case hex. */
export function isHex(value: string, lengthBytes: number): boolean {
  return value.length === 2 * lengthBytes && /^[0-9a-f]*$/.test(value)
}
