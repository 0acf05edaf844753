/**
 * What TrustChain asks, whatever carries it: a request becomes a transaction, the network orders and judges it, the
 * stored verdict becomes the answer. One handler for all carriers; it neither parses nor judges.
 */
import { isHex } from '../codec/hex.ts'
import { TRANSACTION_BYTES_MAX } from '../codec/limits.ts'
import { canonicalTransaction } from '../codec/transaction.ts'
import { idHashOf, requestIdHash } from '../ledger/request-identity.ts'
import { ok, type Result } from '../types/errors.ts'
import type { StoredVerdict } from '../types/ledger-state.ts'
import type { RequestKey } from '../types/primitives.ts'
import type { Receipt } from '../types/receipt.ts'
import type { HashedTransaction, ValidationTransaction } from '../types/transaction.ts'
import type { CertificateValidationRequest, FourProofValidationRequest } from '../types/validation-request.ts'
import {
  type AnswerErrorCode,
  answerOfVerdict,
  answerWithoutVerdict,
  systemTimeOf,
  type ValidationAnswer,
} from './answer.ts'
import { type Caller, CallJournal, type CallKind } from './call-journal.ts'
import type { ShareRefusal } from './client-shares.ts'
import type { HealthAnswer } from './health-answer.ts'
import { type InFlightRefusal, type InFlightRequest, InFlightRequests } from './in-flight.ts'
import { NoRoom } from './no-room.ts'
import type {
  AuditTrail,
  CallContext,
  Clock,
  Readiness,
  ReceiptSource,
  RefusalLimit,
  Submitter,
  ValidationObserver,
  VerdictFeed,
  VerdictStore,
} from './ports.ts'
import { type ReceiptAsk, ReceiptDesk, type ReceiptErrorCode } from './receipt-desk.ts'
import {
  CALL_DEADLINE_MAX_MS,
  CALL_DEADLINE_MIN_MS,
  DEFAULT_VALIDATION_LIMITS,
  type ValidationLimits,
} from './validation-limits.ts'
import { ValidationCounters, type ValidationMetrics } from './validation-metrics.ts'

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
  /** Told of every call that was refused for lack of room. */
  readonly refused?: (limit: RefusalLimit) => void
  /** Why the ledger bars whoever asks, as it is now; null when it does not. Absent: nobody is barred. */
  readonly barredRequester?: (transaction: ValidationTransaction) => string | null
  /** Absent: nothing is kept of the calls. */
  readonly audit?: AuditTrail
}

/** The transport-neutral handler. Every method answers; none rejects for anything that a caller said. */
export class ValidationService {
  readonly #options: ValidationServiceOptions
  readonly #limits: ValidationLimits
  readonly #inFlight: InFlightRequests
  readonly #counters = new ValidationCounters()
  readonly #journal: CallJournal
  readonly #unsubscribe: () => void
  readonly #receipts: ReceiptDesk
  readonly #noRoom: NoRoom

  constructor(options: ValidationServiceOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_VALIDATION_LIMITS, ...options.limits }
    const { requestsInFlightMax, requestsPerClientMax, pendingKeptMs } = this.#limits
    this.#inFlight = new InFlightRequests(
      { allMax: requestsInFlightMax, perClientMax: requestsPerClientMax },
      pendingKeptMs,
    )
    this.#noRoom = new NoRoom({
      limits: this.#limits,
      errorAnswer: (code, message, retryAfterMs) => this.errorAnswer(code, message, retryAfterMs),
      refused: options.refused,
    })
    this.#journal = new CallJournal(options, this.#counters)
    this.#receipts = new ReceiptDesk({
      source: options.receipts ?? null,
      clock: options.clock,
      recordOf: (id) => (this.#stored(id) ?? options.store.decisionById(requestIdHash(id)))?.record ?? null,
      isUnderWay: (requestId) => this.#underWay(requestId) !== null,
    })
    this.#unsubscribe = options.feed.onVerdicts((verdicts) => this.#onVerdicts(verdicts))
  }

  /** `consensus/validate_certificate`. @param client address or peer id of the caller, for limits */
  validateCertificate(
    request: CertificateValidationRequest,
    client: string,
    context: CallContext = {},
  ): Promise<ValidationAnswer> {
    return this.#validate({ kind: 'validate-certificate', request }, { client, ...context })
  }

  /** `consensus/validate_proofs`. @param client as for {@link validateCertificate} */
  validateProofs(
    request: FourProofValidationRequest,
    client: string,
    context: CallContext = {},
  ): Promise<ValidationAnswer> {
    return this.#validate({ kind: 'validate-proofs', request }, { client, ...context })
  }

  /**
   * `consensus/validation_status`.
   * @param requestId a certificate request's `request_id`; for a four-proof set, which has none, the 64 hex
   *   digits of its request key
   */
  status(requestId: string): ValidationAnswer {
    const startedAtMs = this.#options.clock.monotonicMs()
    const answer = this.#status(requestId)
    this.#journal.status(answer, startedAtMs)
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
    const byKey = isHex(requestId, 32) ? this.#inFlight.byKey(requestId as RequestKey) : undefined
    const request = byKey ?? this.#inFlight.byId(requestIdHash(requestId))
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
  malformed(kind: CallKind, detail: string, client = '', context: CallContext = {}): ValidationAnswer {
    const answer = this.errorAnswer('INVALID_PROOF_FORMAT', detail)
    this.#journal.malformed(kind, answer, { client, ...context })
    return answer
  }

  /** An answer with status Error; carriers use it for what never became a call. */
  errorAnswer(errorCode: AnswerErrorCode, message: string, retryAfterMs?: number): ValidationAnswer {
    const { nodeName, clock } = this.#options
    return answerWithoutVerdict(
      { kind: 'error', errorCode, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
      nodeName,
      clock.unixMs(),
    )
  }

  /** Stops following the chain. Callers that still wait are answered at their deadline. */
  close(): void {
    this.#unsubscribe()
  }

  async #validate(transaction: ValidationTransaction, caller: Caller): Promise<ValidationAnswer> {
    const { clock, store, nodeName } = this.#options
    const startedAtMs = clock.monotonicMs()
    const kind = kindOf(transaction)
    const canonical = canonicalTransaction(transaction)
    if (!canonical.ok) return this.malformed(kind, canonical.detail, caller.client, caller)
    const hashed = canonical.value
    const call = { kind, hashed, transaction, caller, startedAtMs }
    const barred = this.#barred()
    if (barred !== null) return this.#journal.answered(call, barred, false)
    const stored = store.verdict(hashed.requestKey, idHashOf(hashed))
    if (stored !== null) return this.#journal.answered(call, answerOfVerdict(stored, nodeName), true)
    const requester = this.#options.barredRequester?.(transaction) ?? null
    const answer =
      requester === null
        ? await this.#judge(hashed, caller, startedAtMs)
        : this.errorAnswer('BYZANTINE_NODE_DETECTED', requester)
    return this.#journal.answered(call, answer, false)
  }

  /** The answer to every call while what is answered cannot be kept and must be. */
  #barred(): ValidationAnswer | null {
    const reason = this.#options.audit?.refusesBecause() ?? null
    if (reason === null) return null
    this.#options.refused?.('audit')
    return this.errorAnswer('INTERNAL_CONSENSUS_ERROR', `nothing is answered unrecorded here: ${reason}`)
  }

  async #judge(
    hashed: HashedTransaction<ValidationTransaction>,
    caller: Caller,
    nowMs: number,
  ): Promise<ValidationAnswer> {
    const { readiness, nodeName } = this.#options
    if (hashed.bytes.length > TRANSACTION_BYTES_MAX) {
      const message = `the request has ${hashed.bytes.length} bytes, the limit is ${TRANSACTION_BYTES_MAX}`
      return this.errorAnswer('INVALID_PROOF_FORMAT', message)
    }
    const state = readiness.check()
    if (!state.ready) return this.errorAnswer('CONSENSUS_NOT_INITIALIZED', state.reason)

    const entered = this.#enter(hashed, caller.client, nowMs)
    if (!entered.ok) return entered.answer

    const deadlineMs = Math.min(
      Math.max(caller.deadlineMs ?? this.#limits.deadlineMs, CALL_DEADLINE_MIN_MS),
      CALL_DEADLINE_MAX_MS,
    )
    const waited = await this.#verdictWithinDeadline(entered.request, caller, deadlineMs)
    if (!waited.ok) return this.#noRoom.full(waited.code)
    if (waited.value !== null) return answerOfVerdict(waited.value, nodeName)
    const message = `no verdict within ${deadlineMs} ms; the request goes on, ask for its status`
    return this.errorAnswer('VALIDATION_TIMEOUT', message)
  }

  /** Puts the request under way, or finds it there. */
  #enter(hashed: HashedTransaction<ValidationTransaction>, client: string, nowMs: number): Entered {
    const known = this.#inFlight.byKey(hashed.requestKey)
    // One that has waited for a whole deadline is given to the network once more: the pool may have lost it.
    if (known !== undefined && nowMs - known.submittedAtMs < this.#limits.deadlineMs) {
      return { ok: true, request: known }
    }
    const added = known === undefined ? this.#add(hashed, client, nowMs) : ok(known)
    if (!added.ok) return { ok: false, answer: this.#noRoom.full(added.code) }
    const request = added.value
    const submitted = this.#options.submitter.submit(hashed, client)
    // In a final block without a verdict yet, or it would have been in the store: the feed will tell of it.
    if (submitted.ok || submitted.code === 'already-final') {
      request.submittedAtMs = nowMs
      return { ok: true, request }
    }
    if (known === undefined) this.#inFlight.remove(request)
    return { ok: false, answer: this.#noRoom.notTaken(submitted) }
  }

  #add(
    hashed: HashedTransaction<ValidationTransaction>,
    client: string,
    nowMs: number,
  ): Result<InFlightRequest, InFlightRefusal> {
    return this.#inFlight.add(hashed.requestKey, idHashOf(hashed), client, nowMs)
  }

  /** Waits for the verdict; null when the time is over or the caller is gone. */
  #verdictWithinDeadline(
    request: InFlightRequest,
    { client, signal }: Caller,
    deadlineMs: number,
  ): Promise<Result<StoredVerdict | null, ShareRefusal>> {
    if (signal?.aborted === true) return Promise.resolve(ok(null))
    const { promise, resolve } = Promise.withResolvers<StoredVerdict | null>()
    const waiting = this.#inFlight.wait(request, client, resolve)
    if (!waiting.ok) return Promise.resolve(waiting)
    const giveUp = (): void => resolve(null)
    const cancel = this.#options.clock.after(deadlineMs, giveUp)
    signal?.addEventListener('abort', giveUp, { once: true })
    return promise.then((verdict) => {
      cancel()
      signal?.removeEventListener('abort', giveUp)
      waiting.value()
      return ok(verdict)
    })
  }

  #onVerdicts(verdicts: readonly StoredVerdict[]): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const verdict of verdicts) {
      const request = this.#inFlight.resolve(verdict, nowMs)
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

/** A request under way, or the answer to a call that could not be put there. */
type Entered =
  | { readonly ok: true; readonly request: InFlightRequest }
  | { readonly ok: false; readonly answer: ValidationAnswer }

function kindOf(transaction: ValidationTransaction): Exclude<CallKind, 'status'> {
  return transaction.kind === 'validate-certificate' ? 'certificate' : 'four-proof'
}
