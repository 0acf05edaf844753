/**
 * What a reply means for the call: the table of README.md, as one pure function for each kind of call. Decides; acts on
 * nothing.
 */
import { readJson, type Shape } from '../rpc/json-shape.ts'
import { validationAnswer } from '../rpc/trustchain-json-response.ts'
import type { ValidationAnswer } from '../validation/answer.ts'
import type { CarrierReply } from './carrier.ts'

/** What to do next. Only `done` and `refused` end the call. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  /** No verdict yet, but it is coming: ask for it. */
  | { readonly kind: 'under-way'; readonly value: T; readonly why: string }
  /** This node knows no request with that id. */
  | { readonly kind: 'unknown'; readonly value: T; readonly why: string }
  /** For good, wherever it is asked. */
  | { readonly kind: 'refused'; readonly value: T; readonly why: string }
  /** Ask another node now, this one later. */
  | {
      readonly kind: 'not-ready'
      readonly value: T | null
      readonly why: string
      readonly retryAfterMs: number | null
    }
  /** Ask another node; this endpoint not again in this call. */
  | { readonly kind: 'foreign'; readonly why: string }
  | { readonly kind: 'unsupported' }

/** A validation answer that was read, with the bytes it was read from. */
export interface ReadAnswer {
  readonly answer: ValidationAnswer
  readonly payload: Uint8Array
}

/** The reply to `validate_certificate`, `validate_proofs` and `validation_status`. */
export function validationOutcome(reply: CarrierReply): Outcome<ReadAnswer> {
  if (reply.standing === 'unsupported') return { kind: 'unsupported' }
  const read = readJson(validationAnswer, reply.payload)
  if (!read.ok) return withoutAnswer(reply, 'a verdict', read.detail)
  const answer = read.value
  const value = { answer, payload: reply.payload }
  const { result } = answer
  switch (result.kind) {
    case 'valid':
    case 'invalid':
      // A verdict under another standing is a proxy's page or worse.
      if (reply.standing === 'success') return { kind: 'done', value }
      return { kind: 'foreign', why: `${reply.note} with a verdict in it` }
    case 'pending':
      return { kind: 'under-way', value, why: 'Pending' }
    case 'error':
      return errorOutcome(value, `${result.errorCode}: ${result.message}`, result.errorCode, reply)
  }
}

/** Another server may have codes of its own: then its standing decides. */
function errorOutcome(
  value: ReadAnswer,
  why: string,
  code: string,
  reply: CarrierReply,
): Outcome<ReadAnswer> {
  switch (code) {
    case 'VALIDATION_TIMEOUT':
      return { kind: 'under-way', value, why }
    case 'CONSENSUS_NOT_INITIALIZED':
    case 'INTERNAL_CONSENSUS_ERROR':
      return { kind: 'not-ready', value, why, retryAfterMs: reply.retryAfterMs }
    case 'REQUEST_NOT_FOUND':
      return { kind: 'unknown', value, why }
    case 'INVALID_PROOF_FORMAT':
    case 'BYZANTINE_NODE_DETECTED':
      return { kind: 'refused', value, why }
    // A server of TrustChain's shape that does not have what every node has.
    case 'ROUTE_NOT_FOUND':
    case 'METHOD_NOT_ALLOWED':
      return { kind: 'foreign', why }
    default:
      if (reply.standing !== 'try-again') return { kind: 'refused', value, why }
      return { kind: 'not-ready', value, why, retryAfterMs: reply.retryAfterMs }
  }
}

/** The reply to a call whose answer has one shape and no statuses: a batch, health. */
export function plainOutcome<T>(reply: CarrierReply, shape: Shape<T>, what: string): Outcome<T> {
  if (reply.standing === 'unsupported') return { kind: 'unsupported' }
  const read = readJson(shape, reply.payload)
  return read.ok ? { kind: 'done', value: read.value } : withoutAnswer(reply, what, read.detail)
}

/** What a reply means that is not what was asked for. @param what was asked for */
export function withoutAnswer(reply: CarrierReply, what: string, detail: string): Outcome<never> {
  const { standing, note, retryAfterMs } = reply
  if (standing === 'try-again') return { kind: 'not-ready', value: null, why: note, retryAfterMs }
  return {
    kind: 'foreign',
    why: standing === 'lasting' ? note : `something else than ${what}: ${detail}`,
  }
}
