/**
 * What is written down of a call once it is answered: counts, metrics, and the line of the audit log. Sees every
 * answer of the service and changes none.
 */
import type { HashedTransaction, ValidationTransaction } from '../types/transaction.ts'
import { PROOF_NAMES } from '../types/verdict.ts'
import { type ValidationAnswer, WIRE_NAMES } from './answer.ts'
import type {
  AuditedCall,
  AuditTrail,
  CallContext,
  Clock,
  ObservedCall,
  ValidationObserver,
} from './ports.ts'
import type { ValidationCounters } from './validation-metrics.ts'

export type CallKind = ObservedCall['kind']

/** Who calls, and how. */
export interface Caller extends CallContext {
  readonly client: string
}

/** A validation call that could be read. */
export interface ReadCall {
  readonly kind: Exclude<CallKind, 'status'>
  readonly hashed: HashedTransaction
  readonly transaction: ValidationTransaction
  readonly caller: Caller
  /** Of the monotonic clock, milliseconds. */
  readonly startedAtMs: number
}

export interface CallJournalOptions {
  readonly clock: Clock
  readonly observe?: ValidationObserver
  readonly audit?: AuditTrail
}

const METHODS = {
  certificate: 'validate_certificate',
  'four-proof': 'validate_proofs',
  batch: 'validate_batch',
} as const

export class CallJournal {
  readonly #options: CallJournalOptions
  readonly #counters: ValidationCounters

  constructor(options: CallJournalOptions, counters: ValidationCounters) {
    this.#options = options
    this.#counters = counters
  }

  /** @returns the answer. @param isRepeat it was there when the call came */
  answered(call: ReadCall, answer: ValidationAnswer, isRepeat: boolean): ValidationAnswer {
    const { kind, hashed, transaction, caller, startedAtMs } = call
    const { clock } = this.#options
    const elapsedMs = clock.monotonicMs() - startedAtMs
    // A call that nobody waits for any more was not answered, whatever it would have been.
    const isAbandoned = caller.signal?.aborted === true
    if (!isAbandoned) this.#counters.count(answer, elapsedMs, clock.unixMs())
    this.#observe(kind, isAbandoned ? 'abandoned' : answer.result.kind, answer, elapsedMs, isRepeat)
    this.#record(kind, answer, caller, elapsedMs, {
      requestId: transaction.kind === 'validate-certificate' ? transaction.request.requestId : null,
      requestKey: hashed.requestKey,
      payloadHash: hashed.hash,
    })
    return answer
  }

  /** A status call. It judges nothing, so the audit log does not have it. */
  status(answer: ValidationAnswer, startedAtMs: number): void {
    const { kind } = answer.result
    const elapsedMs = this.#options.clock.monotonicMs() - startedAtMs
    this.#observe('status', kind, answer, elapsedMs, kind === 'valid' || kind === 'invalid')
  }

  /** A call that could not be read. */
  malformed(kind: CallKind, answer: ValidationAnswer, caller: Caller): void {
    this.#observe(kind, 'refused', answer, 0, false)
    if (kind === 'status') return
    this.#record(kind, answer, caller, 0, { requestId: null, requestKey: null, payloadHash: null })
  }

  #observe(
    kind: CallKind,
    outcome: ObservedCall['result'],
    { result }: ValidationAnswer,
    elapsedMs: number,
    isRepeat: boolean,
  ): void {
    const { observe } = this.#options
    if (observe === undefined) return
    const failed = result.kind === 'invalid' ? result.failedProofs : []
    observe({
      kind,
      result: outcome,
      seconds: elapsedMs / 1_000,
      isRepeat,
      failedProofs: PROOF_NAMES.filter((name) => failed.includes(WIRE_NAMES[name])),
    })
  }

  #record(
    kind: Exclude<CallKind, 'status'>,
    { result }: ValidationAnswer,
    { client, carrier = 'http', signal }: Caller,
    elapsedMs: number,
    request: Pick<AuditedCall, 'requestId' | 'requestKey' | 'payloadHash'>,
  ): void {
    const { audit, clock } = this.#options
    if (audit === undefined) return
    audit.record({
      unixMs: clock.unixMs(),
      carrier,
      client,
      method: METHODS[kind],
      ...request,
      result: signal?.aborted === true ? 'Abandoned' : RESULTS[result.kind],
      failedProofs: result.kind === 'invalid' ? result.failedProofs : [],
      // Nobody was told an error who was gone.
      errorCode: result.kind === 'error' && signal?.aborted !== true ? result.errorCode : null,
      durationUs: Math.max(0, Math.round(elapsedMs * 1_000)),
    })
  }
}

/** A validation call is never answered Pending; were it, it would be an error of ours. */
const RESULTS = { valid: 'Valid', invalid: 'Invalid', pending: 'Error', error: 'Error' } as const
