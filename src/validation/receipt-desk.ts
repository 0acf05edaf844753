/**
 * Who asks for a receipt: finds the verdict, and waits, when the caller wants it, until the state with it is certified.
 * Makes no receipt itself; bounded in time and in number of those who wait.
 */
import { ok, type Result, refuse } from '../types/errors.ts'
import type { Receipt, ReceiptStart } from '../types/receipt.ts'
import type { VerdictRecord } from '../types/verdict.ts'
import type { AnswerErrorCode } from './answer.ts'
import type { Clock, ReceiptSource } from './ports.ts'

/** How a caller wants a receipt. */
export interface ReceiptAsk {
  readonly start: ReceiptStart
  /** How long to wait for it; 0: the answer is that it is not ready. */
  readonly waitMs: number
}

/** Longest wait of a caller: five heartbeats of the default network, and within the deadline of every carrier. */
export const RECEIPT_WAIT_MS_MAX = 10_000
/** Callers that wait at once; more are told to come again. */
const WAITING_MAX = 1_024
/** When to come again. */
export const RECEIPT_RETRY_SECONDS = 1

export type ReceiptErrorCode = Extract<
  AnswerErrorCode,
  'REQUEST_NOT_FOUND' | 'RECEIPT_NOT_READY' | 'RECEIPT_UNAVAILABLE'
>

export interface ReceiptDeskOptions {
  /** Null where there are no receipts. */
  readonly source: ReceiptSource | null
  readonly clock: Clock
  /** The final verdict on a request. */
  readonly recordOf: (requestId: string) => VerdictRecord | null
  readonly isUnderWay: (requestId: string) => boolean
}

export class ReceiptDesk {
  readonly #options: ReceiptDeskOptions
  #waiting = 0

  constructor(options: ReceiptDeskOptions) {
    this.#options = options
  }

  /** The receipt of the verdict on a request, or why there is none. Rejects only for a fault of ours. */
  async receipt(
    requestId: string,
    { start, waitMs }: ReceiptAsk,
  ): Promise<Result<Receipt, ReceiptErrorCode>> {
    const { source, clock } = this.#options
    if (source === null) {
      return refuse(
        'RECEIPT_UNAVAILABLE',
        'this network is mined: no quorum signs its states, so nothing can be proven',
      )
    }
    const endMs = clock.monotonicMs() + Math.min(waitMs, RECEIPT_WAIT_MS_MAX)
    for (;;) {
      // Before it is tried, so that no anchor comes unseen in between.
      const anchor = this.#nextAnchor(source)
      try {
        const made = await this.#make(requestId, start, source)
        const leftMs = endMs - clock.monotonicMs()
        const isWorthWaiting = !made.ok && made.code === 'RECEIPT_NOT_READY' && leftMs > 0
        if (!isWorthWaiting || this.#waiting >= WAITING_MAX) return made
        await this.#within(leftMs, anchor.come)
      } finally {
        anchor.forget()
      }
    }
  }

  async #make(
    requestId: string,
    start: ReceiptStart,
    source: ReceiptSource,
  ): Promise<Result<Receipt, ReceiptErrorCode>> {
    const { recordOf, isUnderWay } = this.#options
    const record = recordOf(requestId)
    if (record === null) {
      return isUnderWay(requestId)
        ? refuse('RECEIPT_NOT_READY', 'the request has no verdict yet')
        : refuse('REQUEST_NOT_FOUND', 'no request with this id has a verdict or is under way here')
    }
    const made = await source.make(record, start)
    if (made.ok) return ok(made.value)
    return refuse(made.code === 'not-ready' ? 'RECEIPT_NOT_READY' : 'RECEIPT_UNAVAILABLE', made.detail)
  }

  #nextAnchor(source: ReceiptSource): { readonly come: Promise<void>; forget(): void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    return { come: promise, forget: source.onAnchor(resolve) }
  }

  async #within(timeoutMs: number, come: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#options.clock.after(timeoutMs, resolve)
    this.#waiting += 1
    await Promise.race([come, promise])
    this.#waiting -= 1
    cancel()
  }
}
