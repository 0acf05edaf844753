/**
 * Several transactions in one gossip message: who sends it, then each as u32 little endian length and bytes. Order
 * is kept, nothing is compressed, and what a transaction says is not looked at.
 */

import { TRANSACTION_BYTES_MAX } from '../codec/limits.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import { encodeFrames, FRAME_HEADER_BYTES } from './frames.ts'
import { BATCH_TRANSACTIONS_MAX, TOPIC_LIMITS } from './topics.ts'

/**
 * Who sends a batch: the node where it entered the network, or a validator that passes it on to the other
 * validators for a node that is none and may not be connected to them.
 */
export type BatchSender = 'entry' | 'relay'

/** A batch as read; the transactions are views of its bytes. */
export interface TransactionBatch {
  readonly sender: BatchSender
  readonly transactions: readonly Uint8Array[]
}

const SENDER_BYTES: Readonly<Record<BatchSender, number>> = { entry: 0, relay: 1 }

/** @param transactions 1 to {@link BATCH_TRANSACTIONS_MAX} */
export function encodeTransactionBatch(transactions: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(SENDER_BYTES.entry), encodeFrames(transactions)])
}

/** The same batch as a relay sends it; every relay's bytes are the same, so that gossip knows them for one. */
export function asRelayed(bytes: Uint8Array): Uint8Array {
  const relayed = Uint8Array.from(bytes)
  relayed[0] = SENDER_BYTES.relay
  return relayed
}

/** Reads a batch. */
export function decodeTransactionBatch(bytes: Uint8Array): Result<TransactionBatch, 'malformed'> {
  const { messageBytesMax } = TOPIC_LIMITS.transactions
  if (bytes.byteLength > messageBytesMax) {
    return refuse('malformed', `${bytes.byteLength} bytes, the limit is ${messageBytesMax}`)
  }
  const sender =
    bytes[0] === SENDER_BYTES.entry ? 'entry' : bytes[0] === SENDER_BYTES.relay ? 'relay' : undefined
  if (sender === undefined) return refuse('malformed', `sender ${bytes[0]}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const transactions: Uint8Array[] = []
  let at = 1
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
  return transactions.length > 0 ? ok({ sender, transactions }) : refuse('malformed', 'no transaction')
}
