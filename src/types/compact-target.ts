/**
 * Targets in compact form, as in Bitcoin's block headers (nBits), and the work they stand for. All integers:
 * floating point would make nodes disagree. Stricter than Bitcoin: one target has one compact form.
 */
import { ok, type Result, refuse } from './errors.ts'

export type CompactRefusal = 'negative' | 'overflow' | 'zero' | 'not-canonical'

const MANTISSA_BITS = 0x007f_ffff
const SIGN_BIT = 0x0080_0000
const HASH_SPACE = 1n << 256n

/**
 * The target that compact bits stand for: mantissa × 256^(exponent − 3).
 * @param bits u32: one byte of exponent, one sign bit, 23 bits of mantissa
 * @returns 1 to 2^256 − 1
 */
export function targetOfBits(bits: number): Result<bigint, CompactRefusal> {
  const exponent = bits >>> 24
  const mantissa = bits & MANTISSA_BITS
  if ((bits & SIGN_BIT) !== 0 && mantissa !== 0) return refuse('negative', `bits ${hex(bits)} are negative`)
  const shift = 8n * BigInt(exponent - 3)
  const target = shift >= 0n ? BigInt(mantissa) << shift : BigInt(mantissa) >> -shift
  if (target >= HASH_SPACE) return refuse('overflow', `bits ${hex(bits)} are above 2^256 - 1`)
  if (target === 0n) return refuse('zero', `bits ${hex(bits)} are zero: no hash would be small enough`)
  const canonical = bitsOfTarget(target)
  if (canonical !== bits) {
    return refuse('not-canonical', `bits ${hex(bits)} must be written ${hex(canonical)}`)
  }
  return ok(target)
}

/** Compact form of a target of 1 to 2^256 − 1; what does not fit into the mantissa is cut off, so it only gets harder. */
export function bitsOfTarget(target: bigint): number {
  let exponent = Math.ceil(target.toString(16).length / 2)
  const shift = 8n * BigInt(exponent - 3)
  let mantissa = Number(shift >= 0n ? target >> shift : target << -shift)
  // The highest bit of the mantissa is the sign.
  if (mantissa > MANTISSA_BITS) {
    mantissa >>>= 8
    exponent += 1
  }
  return exponent * 0x0100_0000 + mantissa
}

/** Hashes that finding one at or below the target takes on average: 2^256 / (target + 1), rounded down. */
export function workOfTarget(target: bigint): bigint {
  return HASH_SPACE / (target + 1n)
}

/** A hash in hex as the number that is compared with the target, big endian. */
export function hashAsNumber(hash: string): bigint {
  return BigInt(`0x${hash}`)
}

function hex(bits: number): string {
  return `0x${bits.toString(16).padStart(8, '0')}`
}
