/** What a caller is told for whom there is no room, and the metric of which limit it was. */
import type { Refusal } from '../types/errors.ts'
import type { AnswerErrorCode, ValidationAnswer } from './answer.ts'
import type { InFlightRefusal } from './in-flight.ts'
import type { RefusalLimit } from './ports.ts'
import { RETRY_AFTER_MS, type ValidationLimits } from './validation-limits.ts'

/** The pool's refusals for lack of room. */
const POOL_FULL: ReadonlySet<string> = new Set(['full', 'source-budget'])

const tryAgain = `try again in ${RETRY_AFTER_MS / 1_000} s`

/** What the answers are made of. */
export interface NoRoomOptions {
  readonly limits: Pick<ValidationLimits, 'requestsInFlightMax' | 'requestsPerClientMax'>
  readonly errorAnswer: (code: AnswerErrorCode, message: string, retryAfterMs?: number) => ValidationAnswer
  /** Told of every call that is refused for lack of room. */
  readonly refused: ((limit: RefusalLimit) => void) | undefined
}

export class NoRoom {
  readonly #options: NoRoomOptions

  constructor(options: NoRoomOptions) {
    this.#options = options
  }

  /** The answer to a call for which there is no room. */
  full(limit: InFlightRefusal): ValidationAnswer {
    const { limits, errorAnswer, refused } = this.#options
    const { requestsInFlightMax, requestsPerClientMax } = limits
    if (limit === 'node') {
      refused?.('node-in-flight')
      const message = `${requestsInFlightMax} requests are under way here, which is the limit; ${tryAgain}`
      return errorAnswer('NODE_BUSY', message, RETRY_AFTER_MS)
    }
    if (limit === 'behind') {
      refused?.('behind')
      const message = `more is asked than the network judges, and what is under way here would time out; ${tryAgain}`
      return errorAnswer('NODE_BUSY', message, RETRY_AFTER_MS)
    }
    refused?.('client-in-flight')
    const message = `${requestsPerClientMax} requests of this client are under way, the limit for one client; ${tryAgain}`
    return errorAnswer('TOO_MANY_REQUESTS', message, RETRY_AFTER_MS)
  }

  /** The answer to a call that the pool did not take. */
  notTaken({ code, detail }: Refusal): ValidationAnswer {
    const { errorAnswer, refused } = this.#options
    const message = `the request was not taken (${code}): ${detail}`
    if (code === 'too-large') return errorAnswer('INVALID_PROOF_FORMAT', message)
    if (!POOL_FULL.has(code)) return errorAnswer('INTERNAL_CONSENSUS_ERROR', message)
    refused?.('pool')
    return errorAnswer('NODE_BUSY', `${message}; ${tryAgain}`, RETRY_AFTER_MS)
  }
}
