/**
 * Asks a HyperMesh network for verdicts and what proves them, through any of its nodes. The one implementation: the
 * command line and programs that use the package call this. It decides nothing about a verdict.
 */
import type { ReceiptTrust, VerifySignature } from '../receipt.ts'
import type { CertificateValidationRequest, FourProofValidationRequest } from '../types/validation-request.ts'
import { type Backoff, DEFAULT_BACKOFF } from './backoff.ts'
import { type BatchItem, type BatchResult, batchResults } from './batch-calls.ts'
import { ask, type LoopParts } from './call-loop.ts'
import type { Carriers } from './carrier.ts'
import { type Answered, type Attempt, ClientError } from './client-error.ts'
import { type Clock, type Random, systemClock, untilAborted } from './clock.ts'
import { configuredEndpoints, type EndpointChoice, type EndpointSource } from './endpoint.ts'
import { EndpointPool, type EndpointState } from './endpoint-pool.ts'
import { fetchCarrier } from './fetch-carrier.ts'
import { type EndpointHealth, healthOfAll } from './health.ts'
import type { ProvenReceipt } from './receipt-calls.ts'
import { certificateRequestBytes, fourProofRequestBytes } from './request-bytes.ts'
import { asVerdict, type CallFrame, type Verdict, verdictOn } from './verdict.ts'

/** What a client is made of. Only `endpoints` is needed. */
export interface ClientOptions {
  /** Addresses to spread the calls over, addresses with a rank, or something that finds them. */
  readonly endpoints: readonly (string | EndpointChoice)[] | EndpointSource
  /** Default: `fetch` for http and https. */
  readonly carriers?: Carriers
  /** Of one attempt at one endpoint. Default 10 s: a node says by itself after 8 s that it has no verdict. */
  readonly attemptDeadlineMs?: number
  /** Of a whole call. Default 30 s. */
  readonly deadlineMs?: number
  /** How often all endpoints are gone through within one call. Default: as long as there is time. */
  readonly passesMax?: number
  readonly backoff?: Partial<Backoff>
  readonly clock?: Clock
  readonly random?: Random
  /** Hears of every attempt, for a log or a metric. */
  readonly onAttempt?: (attempt: Attempt) => void
}

/** What one call may have of its own. */
export interface CallOptions {
  /** Of the whole call, in place of the client's. */
  readonly deadlineMs?: number
  /** Ends the call with its reason. The request may be judged all the same. */
  readonly signal?: AbortSignal
  /** Endpoints not to be asked: for a second opinion, the one that gave the first. */
  readonly except?: readonly string[]
  /** False: a VALIDATION_TIMEOUT ends the call with `E_NO_VERDICT`. Default: it goes on until its deadline. */
  readonly waits?: boolean
}

/** What a receipt must hold against, and by which signatures. */
export interface ReceiptOptions extends Omit<CallOptions, 'waits'> {
  /** What the caller knows of the network by itself: its founders, a later set of validators, or a block. */
  readonly trust: ReceiptTrust
  /** ML-DSA-65 of the host; default: in plain JavaScript, some 2 ms a signature. */
  readonly verifySignature?: VerifySignature
}

/** What was found out about an earlier request. */
export interface StatusReport extends Answered {
  readonly kind: 'valid' | 'invalid' | 'pending'
}

const ATTEMPT_DEADLINE_MS = 10_000
const DEADLINE_MS = 30_000

export class HypermeshClient {
  readonly #options: ClientOptions
  readonly #parts: LoopParts
  readonly #source: EndpointSource

  constructor(options: ClientOptions) {
    const { endpoints, carriers, clock = systemClock, random = Math.random } = options
    this.#options = options
    this.#source = 'current' in endpoints ? endpoints : fixedSource(endpoints)
    this.#parts = {
      pool: new EndpointPool(carriers ?? { http: fetchCarrier(), https: fetchCarrier() }, clock, random),
      clock,
      random,
      backoff: { ...DEFAULT_BACKOFF, ...options.backoff },
      attemptDeadlineMs: options.attemptDeadlineMs ?? ATTEMPT_DEADLINE_MS,
    }
  }

  /**
   * Asks whether the four proofs of a certificate request hold. The same bytes go to every node that is asked, so that
   * the request is judged once.
   * @param request bytes are sent as they are
   * @throws ClientError `E_NO_ENDPOINT`, `E_ENDPOINT`, `E_NO_ANSWER`, `E_ANSWER`, `E_NO_VERDICT`, `E_REFUSED`; the
   *   signal's reason
   */
  validateCertificate(
    request: CertificateValidationRequest | Uint8Array,
    call: CallOptions = {},
  ): Promise<Verdict> {
    const payload = request instanceof Uint8Array ? request : certificateRequestBytes(request)
    return this.#verdict('validate_certificate', payload, call)
  }

  /** As {@link validateCertificate}, for a four-proof set. It has no request id: instead of asking for its status, it is sent again. */
  validateProofs(request: FourProofValidationRequest | Uint8Array, call: CallOptions = {}): Promise<Verdict> {
    const payload = request instanceof Uint8Array ? request : fourProofRequestBytes(request)
    return this.#verdict('validate_proofs', payload, call)
  }

  /**
   * Asks about many requests: in batches where the node takes them, else one by one.
   * @returns for each request what became of it, in their order
   * @throws ClientError `E_NO_ENDPOINT`, `E_ENDPOINT`; the signal's reason
   */
  batch(items: readonly BatchItem[], call: CallOptions = {}): Promise<BatchResult[]> {
    return this.#within(call, (frame) => batchResults(this.#parts, items, frame))
  }

  /**
   * What is known of an earlier request, from the first node that knows it.
   * @param requestId of a certificate request; of a four-proof set the 64 hex digits of its request key
   * @returns Valid, Invalid or Pending; null when the nodes that answered know no such request
   * @throws ClientError `E_NO_ANSWER`, `E_ANSWER`, `E_NO_VERDICT`; the signal's reason
   */
  status(requestId: string, call: CallOptions = {}): Promise<StatusReport | null> {
    return this.#within(call, async ({ waits: _waits, ...frame }) => {
      const accepts = ['under-way', 'unknown'] as const
      const found = await ask(this.#parts, { ...frame, send: null, requestId, accepts })
      if (found.kind === 'unknown') return null
      const { kind } = found.answered.answer.result
      return { ...found.answered, kind: kind === 'valid' || kind === 'invalid' ? kind : 'pending' }
    })
  }

  /**
   * Waits for the verdict on a request that was sent before, by whomever: asks for its status until the deadline.
   * @throws ClientError `E_NO_VERDICT` when the deadline comes first; as {@link validateCertificate}
   */
  waitForVerdict(requestId: string, call: CallOptions = {}): Promise<Verdict> {
    return this.#within(call, async ({ waits: _waits, ...frame }) => {
      const passesMax = Number.POSITIVE_INFINITY
      const question = { ...frame, passesMax, send: null, requestId, accepts: [] }
      return asVerdict((await ask(this.#parts, question)).answered)
    })
  }

  /**
   * What proves the verdict on a request, checked here against `trust`: no node is believed. It is there a block after the
   * verdict, which is waited for. A node whose receipt does not hold, or is on another request, is left for the next.
   * @param request what was sent (its bytes: every field that requests have is compared, others and white space are not), or a request id as {@link status} takes it
   * @returns the receipt and the verdict that it proves, Valid or Invalid
   * @throws ClientError `E_RECEIPT` when none holds, `E_NO_RECEIPT`, `E_NO_ANSWER`, `E_REQUEST`, `E_NO_ENDPOINT`,
   *   `E_ENDPOINT`; the signal's reason
   */
  receipt(
    request: CertificateValidationRequest | FourProofValidationRequest | Uint8Array | string,
    { trust, verifySignature, ...call }: ReceiptOptions,
  ): Promise<ProvenReceipt> {
    return this.#within(call, async (frame) => {
      const { receiptOf } = await import('./receipt-calls.ts')
      return receiptOf(this.#parts, { request: sentBytes(request), trust, verifySignature }, frame)
    })
  }

  /** Asks every endpoint how it is, all at once. Never rejects for what one of them says or fails to say. */
  health(call: CallOptions = {}): Promise<EndpointHealth[]> {
    return this.#within(call, (frame) => healthOfAll(this.#parts, frame))
  }

  /** The endpoints as of the last call, with where each comes from and how it has been doing. */
  endpoints(): EndpointState[] {
    return this.#parts.pool.states()
  }

  /** Closes every connection. Calls that are under way fail. */
  close(): Promise<void> {
    return this.#parts.pool.close()
  }

  #verdict(
    method: 'validate_certificate' | 'validate_proofs',
    payload: Uint8Array,
    call: CallOptions,
  ): Promise<Verdict> {
    return this.#within(call, (frame) => verdictOn(this.#parts, method, payload, frame))
  }

  /** Puts a call into its bounds: the endpoints as they are now, one deadline and one signal for all of it. */
  async #within<T>(call: CallOptions, work: (frame: CallFrame) => Promise<T>): Promise<T> {
    const { clock, pool } = this.#parts
    const signal = call.signal ?? new AbortController().signal
    const deadlineMs = call.deadlineMs ?? this.#options.deadlineMs ?? DEADLINE_MS
    const endMs = clock.nowMs() + deadlineMs
    pool.update(await this.#find(signal, deadlineMs))
    return work({
      waits: call.waits ?? true,
      passesMax: this.#options.passesMax ?? Number.POSITIVE_INFINITY,
      endMs,
      signal,
      except: new Set(call.except ?? []),
      onAttempt: (attempt) => this.#options.onAttempt?.(attempt),
    })
  }

  /** The source has its own bounds; should it break them, the call's hold. */
  async #find(signal: AbortSignal, deadlineMs: number): Promise<readonly EndpointChoice[]> {
    const isOver = new AbortController()
    const timer = new AbortController()
    const all = AbortSignal.any([signal, timer.signal])
    this.#parts.clock.wait(deadlineMs, isOver.signal).then(
      () => timer.abort(new ClientError('E_NO_ENDPOINT', `no endpoint was found within ${deadlineMs} ms`)),
      () => undefined,
    )
    try {
      return await untilAborted(this.#source.current(all), all)
    } finally {
      isOver.abort()
    }
  }
}

function sentBytes(
  request: CertificateValidationRequest | FourProofValidationRequest | Uint8Array | string,
): Uint8Array | string {
  if (typeof request === 'string' || request instanceof Uint8Array) return request
  return 'proofSet' in request ? fourProofRequestBytes(request) : certificateRequestBytes(request)
}

function fixedSource(endpoints: readonly (string | EndpointChoice)[]): EndpointSource {
  const choices = endpoints.flatMap((endpoint) =>
    typeof endpoint === 'string' ? configuredEndpoints([endpoint], 'spread') : [endpoint],
  )
  return { current: async () => choices }
}
