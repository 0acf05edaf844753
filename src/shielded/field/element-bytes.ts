/** Elements as bytes: four each, little endian, and only the canonical ones below P. */
import { P } from './koala-bear.ts'
import type { Quintic } from './quintic.ts'

export const ELEMENT_BYTES = 4
export const QUINTIC_BYTES = 20

/** Writes `count` elements from `from` on, one after the other, to the bytes from `at` on. */
export function writeElements(
  bytes: Uint8Array,
  at: number,
  elements: ArrayLike<number>,
  from = 0,
  count = elements.length,
): void {
  for (let i = 0, o = at; i < count; i++, o += ELEMENT_BYTES) {
    const value = elements[from + i] as number
    bytes[o] = value
    bytes[o + 1] = value >>> 8
    bytes[o + 2] = value >>> 16
    bytes[o + 3] = value >>> 24
  }
}

/** Bytes of elements. */
export function elementBytes(elements: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(ELEMENT_BYTES * elements.length)
  writeElements(bytes, 0, elements)
  return bytes
}

/** Bytes of elements of the extension, coefficient by coefficient. */
export function quinticBytes(elements: readonly Quintic[]): Uint8Array {
  const bytes = new Uint8Array(QUINTIC_BYTES * elements.length)
  for (const [i, element] of elements.entries()) writeElements(bytes, QUINTIC_BYTES * i, element)
  return bytes
}

/** Elements of as many bytes as there are; null if one is not below P. */
export function readElements(bytes: Uint8Array): Int32Array | null {
  const elements = new Int32Array(bytes.length / ELEMENT_BYTES)
  for (let i = 0, o = 0; i < elements.length; i++, o += ELEMENT_BYTES) {
    const value =
      ((bytes[o] as number) |
        ((bytes[o + 1] as number) << 8) |
        ((bytes[o + 2] as number) << 16) |
        ((bytes[o + 3] as number) << 24)) >>>
      0
    if (value >= P) return null
    elements[i] = value
  }
  return elements
}
