/**
 * A CRC-32 of key and value behind every value. LevelDB checksums its blocks and, as its binding opens it, looks at the
 * checksums only when it compacts: a flipped bit would be read as if it were true.
 */
import { crc32 } from 'node:zlib'
import type { WriteOperation } from './database.ts'

const CHECKSUM_BYTES = 4

/** The operations with checksums; the values in one piece of memory. */
export function sealed(operations: readonly WriteOperation[]): WriteOperation[] {
  let length = 0
  for (const operation of operations) {
    if (operation.type === 'put') length += operation.key.length + operation.value.length + CHECKSUM_BYTES
  }
  const bytes = new Uint8Array(length)
  const numbers = new DataView(bytes.buffer)
  let at = 0
  return operations.map((operation) => {
    if (operation.type === 'del') return operation
    const { key, value } = operation
    // The key in front of the value: one checksum over both.
    const start = at + key.length
    const end = start + value.length
    bytes.set(key, at)
    bytes.set(value, start)
    numbers.setUint32(end, crc32(bytes.subarray(at, end)), true)
    at = end + CHECKSUM_BYTES
    return { type: 'put', key, value: bytes.subarray(start, at) }
  })
}

/** The value of a row; null when its checksum is of something else. */
export function unsealed(key: Uint8Array, row: Uint8Array): Uint8Array | null {
  const length = row.length - CHECKSUM_BYTES
  if (length < 0) return null
  // A plain array: LevelDB hands out Buffers, whose `slice` is not that of a Uint8Array.
  const value = new Uint8Array(row.buffer, row.byteOffset, length)
  const checksum = new DataView(row.buffer, row.byteOffset, row.length).getUint32(length, true)
  return checksum === crc32(value, crc32(key)) ? value : null
}
