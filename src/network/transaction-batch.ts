/**
 * Several transactions in one gossip message: each as u32 little endian length and bytes. Order is kept, nothing
 * is compressed, and what a transaction says is not looked at.
 */

import { TRANSACTION_BYTES_MAX } from '../codec/limits.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { encodeFrames, FRAME_HEADER_BYTES } from './frames.ts'
import { BATCH_TRANSACTIONS_MAX, TOPIC_LIMITS } from './topics.ts'

/** @param transactions 1 to {@link BATCH_TRANSACTIONS_MAX} */
export function encodeTransactionBatch(transactions: readonly Uint8Array[]): Uint8Array {
  return encodeFrames(transactions)
}

/** Reads a batch; the transactions are views of `bytes`. */
export function decodeTransactionBatch(bytes: Uint8Array): Result<readonly Uint8Array[], 'malformed'> {
  const { messageBytesMax } = TOPIC_LIMITS.transactions
  if (bytes.byteLength > messageBytesMax) {
    return refuse('malformed', `${bytes.byteLength} bytes, the limit is ${messageBytesMax}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const transactions: Uint8Array[] = []
  let at = 0
  while (at < bytes.byteLength) {
    if (transactions.length === BATCH_TRANSACTIONS_MAX) {
      return refuse('malformed', `more than ${BATCH_TRANSACTIONS_MAX} transactions`)
    }
    if (at + FRAME_HEADER_BYTES > bytes.byteLength) return refuse('malformed', 'a length is cut off')
    const length = view.getUint32(at, true)
    at += FRAME_HEADER_BYTES
    if (length === 0 || length > TRANSACTION_BYTES_MAX) {
      return refuse('malformed', `a transaction of ${length} bytes`)
    }
    if (at + length > bytes.byteLength) return refuse('malformed', 'a transaction is cut off')
    transactions.push(bytes.subarray(at, at + length))
    at += length
  }
  return transactions.length > 0 ? ok(transactions) : refuse('malformed', 'no transaction')
}
