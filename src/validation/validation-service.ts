/**
 * What TrustChain asks, whatever carries it: a request becomes a transaction, the network orders and judges it, the
 * stored verdict becomes the answer. One handler for all carriers; it neither parses nor judges.
 */
import { isHex } from '../codec/hex.ts'
import { TRANSACTION_BYTES_MAX } from '../codec/limits.ts'
import { canonicalTransaction } from '../codec/transaction.ts'
import { requestIdHash } from '../ledger/request-identity.ts'
import { ok, type Result, refuse } from '../types/errors.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { Hex32, RequestKey } from '../types/primitives.ts'
import type { Receipt } from '../types/receipt.ts'
import type { HashedTransaction, Transaction } from '../types/transaction.ts'
import type { CertificateValidationRequest, FourProofValidationRequest } from '../types/validation-request.ts'
import { PROOF_NAMES } from '../types/verdict.ts'
import {
  type AnswerErrorCode,
  answerOfVerdict,
  answerWithoutVerdict,
  systemTimeOf,
  type ValidationAnswer,
  WIRE_NAMES,
} from './answer.ts'
import { type InFlightRequest, InFlightRequests } from './in-flight.ts'
import type {
  Clock,
  ObservedCall,
  Readiness,
  ReceiptSource,
  Submitter,
  ValidationObserver,
  VerdictFeed,
  VerdictStore,
} from './ports.ts'
import { type ReceiptAsk, ReceiptDesk, type ReceiptErrorCode } from './receipt-desk.ts'
import { ValidationCounters, type ValidationMetrics } from './validation-metrics.ts'

/** Bounds of the service. */
export interface ValidationLimits {
  /** How long a caller waits for a verdict. Well under 10 s, the shortest patience of the known clients. */
  readonly deadlineMs: number
  /** Requests under way at once through this node. */
  readonly requestsInFlightMax: number
  /** How long a request without a verdict is Pending for a status call. */
  readonly pendingKeptMs: number
}

export const DEFAULT_VALIDATION_LIMITS: ValidationLimits = {
  deadlineMs: 8_000,
  requestsInFlightMax: 16_384,
  pendingKeptMs: 120_000,
}

/** What the service is made of. */
export interface ValidationServiceOptions {
  readonly store: VerdictStore
  readonly submitter: Submitter
  readonly feed: VerdictFeed
  readonly readiness: Readiness
  readonly clock: Clock
  /** Name of this node in its answers (`validator_id`). */
  readonly nodeName: string
  /** Version of this program, for the health call. */
  readonly version: string
  readonly limits?: Partial<ValidationLimits>
  /** Absent where no quorum signs states: on a network that is mined. */
  readonly receipts?: ReceiptSource
  readonly observe?: ValidationObserver
}

/** The health call's answer; `reason` is there when the node cannot judge a new request now. */
export interface HealthAnswer {
  readonly status: 'healthy' | 'not-ready'
  readonly service: 'hypermesh-consensus'
  readonly version: string
  readonly reason: string | null
}

/** The transport-neutral handler. Every method answers; none rejects for anything that a caller said. */
export class ValidationService {
  readonly #options: ValidationServiceOptions
  readonly #limits: ValidationLimits
  readonly #inFlight: InFlightRequests
  readonly #counters = new ValidationCounters()
  readonly #unsubscribe: () => void
  readonly #receipts: ReceiptDesk

  constructor(options: ValidationServiceOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_VALIDATION_LIMITS, ...options.limits }
    this.#inFlight = new InFlightRequests(this.#limits.requestsInFlightMax, this.#limits.pendingKeptMs)
    this.#receipts = new ReceiptDesk({
      source: options.receipts ?? null,
      clock: options.clock,
      recordOf: (requestId) => this.#stored(requestId)?.record ?? null,
      isUnderWay: (requestId) => this.#underWay(requestId) !== null,
    })
    this.#unsubscribe = options.feed.onVerdicts((verdicts) => this.#onVerdicts(verdicts))
  }

  /** `consensus/validate_certificate`. */
  validateCertificate(request: CertificateValidationRequest, client: string): Promise<ValidationAnswer> {
    return this.#validate({ kind: 'validate-certificate', request }, client)
  }

  /** `consensus/validate_proofs`. */
  validateProofs(request: FourProofValidationRequest, client: string): Promise<ValidationAnswer> {
    return this.#validate({ kind: 'validate-proofs', request }, client)
  }

  /**
   * `consensus/validation_status`.
   * @param requestId a certificate request's `request_id`; for a four-proof set, which has none, the 64 hex
   *   digits of its request key
   */
  status(requestId: string): ValidationAnswer {
    const startedAtMs = this.#options.clock.monotonicMs()
    const answer = this.#status(requestId)
    const { kind } = answer.result
    this.#observe('status', answer, startedAtMs, kind === 'valid' || kind === 'invalid')
    return answer
  }

  /**
   * `consensus/receipt`: what proves the verdict on a request to somebody who trusts no node.
   * @param requestId as {@link status} takes it
   */
  receipt(requestId: string, ask: ReceiptAsk): Promise<Result<Receipt, ReceiptErrorCode>> {
    return this.#receipts.receipt(requestId, ask)
  }

  #stored(requestId: string): StoredVerdict | null {
    const { store } = this.#options
    // The key goes first: a certificate request may carry any id, also the request key of somebody's set.
    const byKey = isHex(requestId, 32) ? store.verdict(requestId as RequestKey) : null
    return byKey ?? store.verdictById(requestIdHash(requestId))
  }

  /** The request of an id that is under way here. */
  #underWay(requestId: string): InFlightRequest | null {
    const request = this.#inFlight.byId(requestIdHash(requestId))
    return request === undefined || this.#isForgotten(request) ? null : request
  }

  #status(requestId: string): ValidationAnswer {
    const stored = this.#stored(requestId)
    if (stored !== null) return answerOfVerdict(stored, this.#options.nodeName)
    const request = this.#underWay(requestId)
    if (this.#options.store.isWaiting(requestIdHash(requestId))) return this.#pending(request)
    if (request === null) {
      return this.errorAnswer(
        'REQUEST_NOT_FOUND',
        'no request with this id has a verdict or is under way here',
      )
    }
    return this.#pending(request)
  }

  /** @param request as this node has it; null for one that was asked elsewhere */
  #pending(request: InFlightRequest | null): ValidationAnswer {
    const { clock, nodeName } = this.#options
    const result = { kind: 'pending', estimatedCompletion: systemTimeOf(this.#estimate(request)) } as const
    return answerWithoutVerdict(result, nodeName, clock.unixMs())
  }

  /** `consensus/health`. */
  health(): HealthAnswer {
    const readiness = this.#options.readiness.check()
    return {
      status: readiness.ready ? 'healthy' : 'not-ready',
      service: 'hypermesh-consensus',
      version: this.#options.version,
      reason: readiness.ready ? null : readiness.reason,
    }
  }

  /** Counters since the start of this process. */
  metrics(): ValidationMetrics {
    return this.#counters.snapshot(this.#inFlight.size, this.#options.clock.unixMs())
  }

  /** The answer to what could not be read. @param detail path and expectation */
  malformed(kind: ObservedCall['kind'], detail: string): ValidationAnswer {
    this.#options.observe?.({ kind, result: 'refused', seconds: 0, isRepeat: false, failedProofs: [] })
    return this.errorAnswer('INVALID_PROOF_FORMAT', detail)
  }

  /** An answer with status Error; carriers use it for what never became a call. */
  errorAnswer(errorCode: AnswerErrorCode, message: string): ValidationAnswer {
    const { nodeName, clock } = this.#options
    return answerWithoutVerdict({ kind: 'error', errorCode, message }, nodeName, clock.unixMs())
  }

  /** Stops following the chain. Callers that still wait are answered at their deadline. */
  close(): void {
    this.#unsubscribe()
  }

  async #validate(transaction: Transaction, client: string): Promise<ValidationAnswer> {
    const { clock, store, nodeName } = this.#options
    const startedAtMs = clock.monotonicMs()
    const kind = transaction.kind === 'validate-certificate' ? 'certificate' : 'four-proof'
    const canonical = canonicalTransaction(transaction)
    if (!canonical.ok) return this.malformed(kind, canonical.detail)
    const hashed = canonical.value
    const stored = store.verdict(hashed.requestKey)
    const answer =
      stored === null ? await this.#judge(hashed, client, startedAtMs) : answerOfVerdict(stored, nodeName)
    this.#counters.count(answer, clock.monotonicMs() - startedAtMs, clock.unixMs())
    this.#observe(kind, answer, startedAtMs, stored !== null)
    return answer
  }

  #observe(
    kind: ObservedCall['kind'],
    { result }: ValidationAnswer,
    startedAtMs: number,
    isRepeat: boolean,
  ): void {
    const { observe, clock } = this.#options
    if (observe === undefined) return
    const failed = result.kind === 'invalid' ? result.failedProofs : []
    observe({
      kind,
      result: result.kind,
      seconds: (clock.monotonicMs() - startedAtMs) / 1_000,
      isRepeat,
      failedProofs: PROOF_NAMES.filter((name) => failed.includes(WIRE_NAMES[name])),
    })
  }

  async #judge(hashed: HashedTransaction, client: string, nowMs: number): Promise<ValidationAnswer> {
    const { readiness, nodeName } = this.#options
    if (hashed.bytes.length > TRANSACTION_BYTES_MAX) {
      const message = `the request has ${hashed.bytes.length} bytes, the limit is ${TRANSACTION_BYTES_MAX}`
      return this.errorAnswer('INVALID_PROOF_FORMAT', message)
    }
    const state = readiness.check()
    if (!state.ready) return this.errorAnswer('CONSENSUS_NOT_INITIALIZED', state.reason)

    const entered = this.#enter(hashed, client, nowMs)
    if (!entered.ok) return this.errorAnswer(entered.code, entered.detail)

    const verdict = await this.#verdictWithinDeadline(entered.value)
    if (verdict !== null) return answerOfVerdict(verdict, nodeName)
    const message = `no verdict within ${this.#limits.deadlineMs} ms; the request goes on, ask for its status`
    return this.errorAnswer('VALIDATION_TIMEOUT', message)
  }

  /** Puts the request under way, or finds it there. */
  #enter(hashed: HashedTransaction, client: string, nowMs: number): Result<InFlightRequest, AnswerErrorCode> {
    const known = this.#inFlight.byKey(hashed.requestKey)
    // One that has waited for a whole deadline is given to the network once more: the pool may have lost it.
    if (known !== undefined && nowMs - known.submittedAtMs < this.#limits.deadlineMs) return ok(known)

    const request = known ?? this.#inFlight.add(hashed.requestKey, idHashOf(hashed), nowMs)
    if (request === null) {
      const what = `${this.#inFlight.size} requests are being judged, which is the limit; try again`
      return refuse('INTERNAL_CONSENSUS_ERROR', what)
    }
    const submitted = this.#options.submitter.submit(hashed, client)
    // In a final block without a verdict yet, or it would have been in the store: the feed will tell of it.
    if (submitted.ok || submitted.code === 'already-final') {
      request.submittedAtMs = nowMs
      return ok(request)
    }
    if (known === undefined) this.#inFlight.remove(request)
    const code = submitted.code === 'too-large' ? 'INVALID_PROOF_FORMAT' : 'INTERNAL_CONSENSUS_ERROR'
    return refuse(code, `the request was not taken (${submitted.code}): ${submitted.detail}`)
  }

  #verdictWithinDeadline(request: InFlightRequest): Promise<StoredVerdict | null> {
    return new Promise((resolve) => {
      const onVerdict = (verdict: StoredVerdict): void => {
        cancel()
        resolve(verdict)
      }
      const cancel = this.#options.clock.after(this.#limits.deadlineMs, () => {
        request.waiters.delete(onVerdict)
        resolve(null)
      })
      request.waiters.add(onVerdict)
    })
  }

  #onVerdicts(verdicts: readonly StoredVerdict[]): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const verdict of verdicts) {
      const request = this.#inFlight.resolve(verdict)
      if (request !== undefined) this.#counters.countLatency(nowMs - request.startedAtMs)
    }
  }

  #isForgotten(request: InFlightRequest): boolean {
    const ageMs = this.#options.clock.monotonicMs() - request.startedAtMs
    return request.waiters.size === 0 && ageMs > this.#limits.pendingKeptMs
  }

  /** When the verdict is to be expected, Unix milliseconds: by the mean latency so far, and not in the past. */
  #estimate(request: InFlightRequest | null): number {
    const { clock } = this.#options
    const ageMs = request === null ? 0 : clock.monotonicMs() - request.startedAtMs
    const expectedMs = this.#counters.meanLatencyMs ?? this.#limits.deadlineMs
    return clock.unixMs() + Math.max(0, expectedMs - ageMs)
  }
}

/** Hash under which the ledger will keep the request's id. */
function idHashOf({ transaction, requestKey }: HashedTransaction): Hex32 {
  return requestIdHash(
    transaction.kind === 'validate-certificate' ? transaction.request.requestId : requestKey,
  )
}
