/**
 * A receipt from any node, believed from none: what a node hands out is checked before it is taken, and one whose receipt
 * does not hold is left for the next. Loaded with the first such call, for it needs far more than asking does.
 */
import { RECEIPT_JSON_BYTES_MAX } from '../codec/receipt-json.ts'
import { utf8ToBytes } from '../codec/utf8.ts'
import type { ReceiptTrust, VerifySignature } from '../receipt.ts'
import { readJson, writeJson } from '../rpc/json-shape.ts'
import { receiptCall } from '../rpc/receipt-ask.ts'
import { validationAnswer } from '../rpc/trustchain-json-response.ts'
import { backoffMs } from './backoff.ts'
import type { LoopParts } from './call-loop.ts'
import type { CarrierReply } from './carrier.ts'
import { type Attempt, ClientError } from './client-error.ts'
import { passOver } from './failover.ts'
import { type Outcome, withoutAnswer } from './outcome.ts'
import { type HeldReceipt, heldReceipt, type Subject, subjectOf } from './receipt-check.ts'
import type { CallFrame } from './verdict.ts'

/** A receipt that holds, and who gave it. */
export interface ProvenReceipt extends HeldReceipt {
  readonly endpoint: string
}

/** Whose receipt, and what it must hold against. */
export interface ReceiptQuestion {
  /** The request's bytes, or its id. */
  readonly request: Uint8Array | string
  readonly trust: ReceiptTrust
  /** ML-DSA-65; undefined: the portable one. */
  readonly verifySignature: VerifySignature | undefined
}

/** A node waits this long for the block that certifies the state: within every attempt's deadline. */
const WAIT_MS = 5_000
/** Between two questions for a receipt: it is a block away. */
const ROUND_MAX_MS = 1_000
const ID_BYTES_MAX = 4_096
const EXIT_FAILURE = 1
const EXIT_USAGE = 64
const EXIT_DATA = 65
/** In front of what a node is told off for. */
const DOES_NOT_HOLD = 'a receipt that does not hold: '

/**
 * Asks until a node gives a receipt that holds.
 * @throws ClientError `E_RECEIPT` when all that came does not hold, `E_NO_RECEIPT`, `E_NO_ANSWER`, `E_REQUEST`; the
 *   signal's reason
 */
export async function receiptOf(
  parts: LoopParts,
  question: ReceiptQuestion,
  { waits: _waits, passesMax, ...frame }: CallFrame,
): Promise<ProvenReceipt> {
  const { pool, clock, random, backoff } = parts
  const { endMs, signal } = frame
  const subject = subjectOrError(question.request)
  const except = new Set(frame.except)
  const attempts: Attempt[] = []
  for (let round = 0; ; round++) {
    const result = await passOver(parts, {
      ...frame,
      method: 'receipt',
      payload: callPayload(subject.id, question.trust),
      read: (reply) => receiptOutcome(reply, subject, question),
      answerBytesMax: RECEIPT_JSON_BYTES_MAX,
      attemptDeadlineMs: parts.attemptDeadlineMs,
      except,
      onAttempt: (attempt) => {
        attempts.push(attempt)
        frame.onAttempt(attempt)
      },
    })
    if (result.kind === 'done' && result.value !== null) {
      return { ...result.value, endpoint: result.endpoint }
    }
    if (round + 1 >= passesMax || !pool.hasOthers(except)) throw ended(attempts)
    const maxMs = Math.min(backoff.maxMs, ROUND_MAX_MS)
    const waitMs = Math.max(backoffMs(round, { ...backoff, maxMs }, random), pool.waitMs(except))
    if (clock.nowMs() + waitMs >= endMs) throw ended(attempts)
    await clock.wait(waitMs, signal)
  }
}

function subjectOrError(request: Uint8Array | string): Subject {
  const subject = subjectOf(request)
  if (subject.ok) return subject.value
  throw new ClientError('E_REQUEST', 'this is no request that a node would take', {
    why: subject.detail,
    fix: 'give the very bytes that were sent',
    exitCode: EXIT_USAGE,
  })
}

function callPayload(requestId: string, trust: ReceiptTrust): Uint8Array {
  return utf8ToBytes(
    writeJson(receiptCall(ID_BYTES_MAX), {
      requestId,
      waitMs: BigInt(WAIT_MS),
      fromHeight: trust.kind === 'block' ? BigInt(trust.height) : null,
      fromEpoch: trust.kind === 'validator-set' ? BigInt(trust.epoch) : null,
    }),
  )
}

type Taken = HeldReceipt | null

function receiptOutcome(
  reply: CarrierReply,
  { isOn }: Subject,
  { trust, verifySignature }: ReceiptQuestion,
): Outcome<Taken> {
  const held = heldReceipt(reply.payload, isOn, trust, verifySignature)
  if (held.ok) return { kind: 'done', value: held.value }
  if (held.code === 'malformed') return refusalOutcome(reply, held.detail)
  return { kind: 'foreign', why: `${DOES_NOT_HOLD}${held.code}: ${held.detail}` }
}

/** What a node says that gives no receipt. */
function refusalOutcome(reply: CarrierReply, detail: string): Outcome<Taken> {
  const answer = readJson(validationAnswer, reply.payload)
  if (!answer.ok || answer.value.result.kind !== 'error') return withoutAnswer(reply, 'a receipt', detail)
  const { errorCode, message } = answer.value.result
  const why = `${errorCode}: ${message}`
  switch (errorCode) {
    case 'REQUEST_NOT_FOUND':
      return { kind: 'unknown', value: null, why }
    // For good, at this node: another may have what this one lacks.
    case 'RECEIPT_UNAVAILABLE':
    case 'INVALID_PROOF_FORMAT':
    case 'ROUTE_NOT_FOUND':
    case 'METHOD_NOT_ALLOWED':
      return { kind: 'foreign', why }
    default:
      return { kind: 'not-ready', value: null, why, retryAfterMs: reply.retryAfterMs }
  }
}

function ended(attempts: readonly Attempt[]): ClientError {
  const reasons = new Map(attempts.map(({ endpoint, why }) => [endpoint, why]))
  const why = [...reasons].map(([endpoint, reason]) => `${endpoint}: ${reason}`).join('; ')
  const options = { why, attempts }
  if (attempts.some((attempt) => attempt.why.startsWith(DOES_NOT_HOLD))) {
    return new ClientError('E_RECEIPT', 'no receipt holds', {
      ...options,
      fix: 'believe nothing that these nodes say; ask others',
      exitCode: EXIT_FAILURE,
    })
  }
  if (attempts.some(({ outcome }) => outcome !== 'unreachable')) {
    return new ClientError('E_NO_RECEIPT', 'no node gives a receipt', {
      ...options,
      fix: 'ask again later, or name another checkpoint',
      exitCode: EXIT_DATA,
    })
  }
  return new ClientError('E_NO_ANSWER', 'no answer from any endpoint', {
    ...options,
    fix: 'start a node there, or name another',
  })
}
