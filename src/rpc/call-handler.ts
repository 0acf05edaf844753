/**
 * One call of the RPC carriers, from envelope to envelope (spec/stoq.md 2): decode, route exactly, ask the validation
 * handler, answer. A pure function of bytes and client, so that every carrier with streams serves the same thing.
 */
import { TEXT_BYTES_MAX } from '../codec/limits.ts'
import { receiptJson } from '../codec/receipt-json.ts'
import { utf8ToBytes } from '../codec/utf8.ts'
import type { Logger } from '../types/logger.ts'
import type { AnswerErrorCode, ValidationAnswer } from '../validation/answer.ts'
import type { CallContext, Carrier } from '../validation/ports.ts'
import type { ValidationService } from '../validation/validation-service.ts'
import type { Admission, ClientLimiter } from './client-limiter.ts'
import { decodeEnvelopeRequest, type EnvelopeRequest, encodeEnvelopeResponse } from './envelope.ts'
import { readJson, type Shape } from './json-shape.ts'
import { receiptAsk, receiptCall } from './receipt-ask.ts'
import {
  certificateValidationRequest,
  fourProofValidationRequest,
  statusRequest,
} from './trustchain-json-request.ts'
import { answerJson, healthJson } from './trustchain-json-response.ts'

/** What a call needs. */
export interface CallHandlerOptions {
  readonly service: ValidationService
  readonly limiter: ClientLimiter
  readonly logger: Logger
  /** What carries the envelopes; absent: STOQ, whose envelopes they are. */
  readonly carrier?: Carrier
}

/**
 * The outcome of one routed call. An error is what the client shows and retries on; the JSON beside it is the full
 * answer for those who read it.
 */
interface Outcome {
  readonly json: string
  readonly error: string | null
}
type Method = (
  payload: Uint8Array,
  service: ValidationService,
  client: string,
  context: CallContext,
) => Promise<Outcome>

/** Codes after which trying again helps: the client retries whatever is not a success, and nothing else. */
const TRY_AGAIN: ReadonlySet<AnswerErrorCode> = new Set([
  'CONSENSUS_NOT_INITIALIZED',
  'VALIDATION_TIMEOUT',
  'INTERNAL_CONSENSUS_ERROR',
  'RECEIPT_NOT_READY',
  'TOO_MANY_REQUESTS',
  'NODE_BUSY',
])

function outcomeOf(answer: ValidationAnswer): Outcome {
  const { result } = answer
  const isRetried = result.kind === 'error' && TRY_AGAIN.has(result.errorCode)
  return {
    json: answerJson(answer),
    error: isRetried ? `Handler error: ${result.errorCode}: ${result.message}` : null,
  }
}

function method<T>(
  shape: Shape<T>,
  kind: 'certificate' | 'four-proof' | 'status',
  call: (
    service: ValidationService,
    request: T,
    client: string,
    context: CallContext,
  ) => Promise<ValidationAnswer> | ValidationAnswer,
): Method {
  return async (payload, service, client, context) => {
    const request = readJson(shape, payload)
    if (request.ok) return outcomeOf(await call(service, request.value, client, context))
    return {
      json: answerJson(service.malformed(kind, request.detail, client, context)),
      error: `Invalid request: Invalid ${kind} request: ${request.detail}`,
    }
  }
}

/** The text of `receipt.json` when there is a receipt; else an answer with the status Error. */
const receipt: Method = async (payload, service) => {
  const call = readJson(receiptCall(TEXT_BYTES_MAX), payload)
  const ask = call.ok ? receiptAsk(call.value) : call
  if (!call.ok || !ask.ok) {
    const detail = call.ok ? (ask.ok ? '' : ask.detail) : call.detail
    const json = answerJson(service.errorAnswer('INVALID_PROOF_FORMAT', detail))
    return { json, error: `Invalid request: Invalid receipt request: ${detail}` }
  }
  const made = await service.receipt(call.value.requestId, ask.value)
  return made.ok
    ? { json: receiptJson(made.value), error: null }
    : outcomeOf(service.errorAnswer(made.code, made.detail))
}

const METHODS: Readonly<Record<string, Method>> = {
  validate_certificate: method(
    certificateValidationRequest,
    'certificate',
    (service, request, client, context) => service.validateCertificate(request, client, context),
  ),
  validate_proofs: method(fourProofValidationRequest, 'four-proof', (service, request, client, context) =>
    service.validateProofs(request, client, context),
  ),
  validation_status: method(statusRequest, 'status', (service, request) => service.status(request.requestId)),
  receipt,
  // The payload is null, or nothing at all.
  health: async (_payload, service) => ({ json: healthJson(service.health()), error: null }),
}

/** `hypermesh` + `consensus/<method>` as the known client calls it, `consensus` + `<method>` by hand; exact. */
const ROUTES: ReadonlyMap<string, Method> = new Map(
  Object.entries(METHODS).flatMap(([name, handler]) => [
    [JSON.stringify(['hypermesh', `consensus/${name}`]), handler] as const,
    [JSON.stringify(['consensus', name]), handler] as const,
  ]),
)

/** The caller's own deadline in an envelope's metadata: milliseconds in decimal digits; anything else is passed over. */
const DEADLINE_KEY = 'deadline_ms'

function deadlineIn(metadata: EnvelopeRequest['metadata']): Pick<CallContext, 'deadlineMs'> {
  const text = metadata.find(([key]) => key === DEADLINE_KEY)?.[1]
  return text !== undefined && /^\d{1,9}$/.test(text) ? { deadlineMs: Number(text) } : {}
}

/** What a caller is told that sends too much. */
export function rateRefusal({ limit, retryAfterMs }: Extract<Admission, { ok: false }>): string {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
  return `Handler error: TOO_MANY_REQUESTS: the limit is ${limit}; try again in ${seconds} s`
}

/**
 * Answers one envelope. Never rejects: what the bytes lack and what we fail at are error envelopes.
 * @param signal aborted when the caller is gone
 */
export async function handleEnvelope(
  bytes: Uint8Array,
  { service, limiter, logger, carrier = 'stoq' }: CallHandlerOptions,
  client: string,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const request = decodeEnvelopeRequest(bytes)
  if (!request.ok) return failure('', `Invalid request format: ${request.detail}`)
  const { id, payload } = request.value
  const handler = ROUTES.get(JSON.stringify([request.value.service, request.value.method]))
  if (handler === undefined) {
    return failure(id, `Handler not found: ${request.value.service}/${request.value.method}`)
  }
  const admission = limiter.take(client, 1)
  if (!admission.ok) return failure(id, rateRefusal(admission))
  const context = {
    carrier,
    ...deadlineIn(request.value.metadata),
    ...(signal === undefined ? {} : { signal }),
  }
  try {
    const { json, error } = await handler(payload, service, client, context)
    return response(id, error, utf8ToBytes(json))
  } catch (error) {
    logger.error({ error }, 'a validation call failed by a fault of ours')
    return failure(id, 'Handler error: INTERNAL_CONSENSUS_ERROR: the node could not answer')
  }
}

/** An error envelope without a payload: the request was not understood, not routed, or not let in. */
export function failure(requestId: string, error: string): Uint8Array {
  return response(requestId, error, new Uint8Array())
}

function response(requestId: string, error: string | null, payload: Uint8Array): Uint8Array {
  return encodeEnvelopeResponse({ requestId, success: error === null, payload, error, metadata: [] })
}
