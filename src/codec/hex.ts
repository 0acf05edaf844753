/** Hex both ways. Lower case only: a hash has one spelling. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

/** Lower-case hex digits of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  return bytesToHex(bytes)
}

/** Bytes of a hex string that is known to be well formed; throws on anything else. */
export function fromHex(hex: string): Uint8Array {
  return hexToBytes(hex)
}

/** Whether `value` is `lengthBytes` bytes of lower-case hex. */
export function isHex(value: string, lengthBytes: number): boolean {
  return value.length === 2 * lengthBytes && /^[0-9a-f]*$/.test(value)
}
