/**
 * How a receipt is asked for, by the query of a URL or by the JSON of an envelope: `wait_ms`, and the checkpoint that it
 * shall start from, `from_height` or `from_epoch`.
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import { asEpoch, asHeight, COUNTER_MAX } from '../types/primitives.ts'
import type { ReceiptStart } from '../types/receipt.ts'
import { RECEIPT_WAIT_MS_MAX, type ReceiptAsk } from '../validation/receipt-desk.ts'
import { option, type Shape, struct, text, u64 } from './json-shape.ts'

const NAMES = ['wait_ms', 'from_height', 'from_epoch'] as const

interface Numbers {
  readonly waitMs: bigint | null
  readonly fromHeight: bigint | null
  readonly fromEpoch: bigint | null
}

/** Payload of `consensus/receipt`. */
export interface ReceiptCall extends Numbers {
  readonly requestId: string
}

/** @param idBytesMax of the request id */
export function receiptCall(idBytesMax: number): Shape<ReceiptCall> {
  return struct<ReceiptCall>({
    requestId: text(idBytesMax),
    waitMs: option(u64),
    fromHeight: option(u64),
    fromEpoch: option(u64),
  })
}

/** What the numbers ask for; the refusal names the one that is wrong. */
export function receiptAsk({ waitMs, fromHeight, fromEpoch }: Numbers): Result<ReceiptAsk, 'malformed'> {
  const wait = waitMs ?? 0n
  if (wait > BigInt(RECEIPT_WAIT_MS_MAX)) {
    return refuse('malformed', `wait_ms: ${wait} is above the maximum ${RECEIPT_WAIT_MS_MAX}`)
  }
  if (fromHeight !== null && fromEpoch !== null) {
    return refuse('malformed', 'from_height and from_epoch: name one checkpoint, not two')
  }
  for (const [name, value] of [['from_height', fromHeight] as const, ['from_epoch', fromEpoch] as const]) {
    if (value !== null && value > BigInt(COUNTER_MAX)) {
      return refuse('malformed', `${name}: ${value} is above the maximum ${COUNTER_MAX}`)
    }
  }
  return ok({ waitMs: Number(wait), start: startOf(fromHeight, fromEpoch) })
}

function startOf(fromHeight: bigint | null, fromEpoch: bigint | null): ReceiptStart {
  if (fromHeight !== null) return { kind: 'block', height: asHeight(Number(fromHeight)) }
  if (fromEpoch !== null) return { kind: 'epoch', epoch: asEpoch(Number(fromEpoch)) }
  return { kind: 'genesis' }
}

/** The query of the HTTP route; unknown and repeated parameters are refused, so that none is missed in silence. */
export function receiptQuery(query: Readonly<Record<string, unknown>>): Result<ReceiptAsk, 'malformed'> {
  const unknown = Object.keys(query).find((name) => !(NAMES as readonly string[]).includes(name))
  if (unknown !== undefined) {
    return refuse('malformed', `${unknown.slice(0, 64)}: no such parameter, there are ${NAMES.join(', ')}`)
  }
  const numbers: (bigint | null)[] = []
  for (const name of NAMES) {
    const value = query[name]
    if (value !== undefined && (typeof value !== 'string' || !/^\d{1,15}$/.test(value))) {
      return refuse('malformed', `${name}: expected one whole number`)
    }
    numbers.push(value === undefined ? null : BigInt(value))
  }
  const [waitMs = null, fromHeight = null, fromEpoch = null] = numbers
  return receiptAsk({ waitMs, fromHeight, fromEpoch })
}
