/**
 * Which HTTP status an answer has, and which answer a refused request gets: on the CA endpoint everything is a full
 * `ConsensusValidationResult`, because its clients parse one shape and nothing else.
 */
import { unreachable } from '../../types/assert.ts'
import type { AnswerErrorCode, ValidationAnswer } from '../../validation/answer.ts'
import { answerJson } from '../trustchain-json-response.ts'
import type { ErrorForm, Problem } from './problem.ts'

/** spec/four-proofs.md, "The answer"; below it what HTTP and the limits add. */
export function httpStatusOf(code: AnswerErrorCode): number {
  switch (code) {
    case 'CONSENSUS_NOT_INITIALIZED':
      return 503
    case 'INVALID_PROOF_FORMAT':
      return 400
    case 'BYZANTINE_NODE_DETECTED':
      return 403
    case 'VALIDATION_TIMEOUT':
      return 504
    case 'INTERNAL_CONSENSUS_ERROR':
      return 500
    case 'REQUEST_NOT_FOUND':
      return 404
    case 'RECEIPT_NOT_READY':
      return 503
    case 'RECEIPT_UNAVAILABLE':
      return 410
    case 'TOO_MANY_REQUESTS':
      return 429
    case 'NODE_BUSY':
      return 503
    case 'ROUTE_NOT_FOUND':
      return 404
    case 'METHOD_NOT_ALLOWED':
      return 405
    case 'REQUEST_TIMEOUT':
      return 408
    case 'REQUEST_TOO_LARGE':
      return 413
    case 'UNSUPPORTED_MEDIA_TYPE':
      return 415
    default:
      return unreachable(code)
  }
}

/** By the codes of problems; whatever is not here is a request that cannot be read. */
const CODES: Readonly<Record<string, AnswerErrorCode>> = {
  E_NO_ROUTE: 'ROUTE_NOT_FOUND',
  E_METHOD: 'METHOD_NOT_ALLOWED',
  E_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
  E_BODY_TOO_LARGE: 'REQUEST_TOO_LARGE',
  E_HEAD_TOO_LARGE: 'REQUEST_TOO_LARGE',
  E_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  E_RATE_LIMITED: 'TOO_MANY_REQUESTS',
  E_TOO_MANY_SUBSCRIBERS: 'NODE_BUSY',
  E_INTERNAL: 'INTERNAL_CONSENSUS_ERROR',
}

/** Errors as answers. @param errorAnswer the service's */
export function answerForm(
  errorAnswer: (code: AnswerErrorCode, message: string) => ValidationAnswer,
): ErrorForm {
  return ({ code, detail, fix }: Problem) => ({
    contentType: 'application/json',
    body: answerJson(
      errorAnswer(CODES[code] ?? 'INVALID_PROOF_FORMAT', fix === undefined ? detail : `${detail}; ${fix}`),
    ),
  })
}
