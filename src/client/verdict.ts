/** A verdict as the caller of the package gets it, and the one call that obtains it. */
import { assert } from '../types/assert.ts'
import type { AnswerStatus } from '../validation/answer.ts'
import { ask, type LoopParts, type Question } from './call-loop.ts'
import { type Answered, ClientError } from './client-error.ts'
import { lookAtRequest } from './request-bytes.ts'

/** A verdict of the network. */
export interface Verdict extends Answered {
  readonly isValid: boolean
  readonly result: Extract<AnswerStatus, { kind: 'valid' | 'invalid' }>
}

/** @param answered Valid or Invalid */
export function asVerdict(answered: Answered): Verdict {
  const { result } = answered.answer
  assert(result.kind === 'valid' || result.kind === 'invalid', 'a verdict is Valid or Invalid')
  return { ...answered, isValid: result.kind === 'valid', result }
}

/** What the client's options and the caller's make of every call. */
export type CallFrame = Omit<Question, 'send' | 'requestId' | 'accepts'> & { readonly waits: boolean }

/**
 * Sends a request until there is a verdict.
 * @throws as {@link ask}
 */
export async function verdictOn(
  parts: LoopParts,
  method: 'validate_certificate' | 'validate_proofs',
  payload: Uint8Array,
  { waits, ...frame }: CallFrame,
): Promise<Verdict> {
  const seen = lookAtRequest(payload)
  const { kind, answered } = await ask(parts, {
    ...frame,
    send: { method, payload },
    requestId: 'requestId' in seen ? seen.requestId : null,
    accepts: waits ? [] : ['under-way'],
  })
  if (kind === 'done') return asVerdict(answered)
  const { result } = answered.answer
  throw new ClientError('E_NO_VERDICT', `${answered.endpoint} has no verdict yet`, {
    why: result.kind === 'error' ? `${result.errorCode}: ${result.message}` : 'the request is under way',
    fix: 'ask for its status, or send the same request again later: it is judged once',
    last: answered,
  })
}
