/**
 * One call from its first attempt to its end: passes over the endpoints, waits between them, asks for the status of
 * what is under way, and sends the same bytes again to a network that has lost them.
 */
import { utf8ToBytes } from '../codec/utf8.ts'
import { writeJson } from '../rpc/json-shape.ts'
import { JSON_BYTES_MAX } from '../rpc/lossless-json.ts'
import { statusRequest } from '../rpc/trustchain-json-request.ts'
import { type Backoff, backoffMs } from './backoff.ts'
import type { ClientMethod } from './carrier.ts'
import { type Answered, type Attempt, ClientError } from './client-error.ts'
import type { Random } from './clock.ts'
import { type PassParts, type PassResult, passOver } from './failover.ts'
import { type ReadAnswer, validationOutcome } from './outcome.ts'

/** What the loop works with. */
export interface LoopParts extends PassParts {
  readonly random: Random
  readonly backoff: Backoff
  readonly attemptDeadlineMs: number
}

/** One question about one request. */
export interface Question {
  /** The request's bytes, the same at every attempt; null when only its status is asked for. */
  readonly send: { readonly method: ClientMethod; readonly payload: Uint8Array } | null
  /** Under which its status can be asked for; null for a four-proof set, which is sent again instead. */
  readonly requestId: string | null
  /** What ends the call besides a verdict and a refusal. Whatever else nodes say, it goes on while there is time. */
  readonly accepts: readonly ('under-way' | 'unknown')[]
  /** Passes over all endpoints, while there is time. */
  readonly passesMax: number
  readonly endMs: number
  readonly signal: AbortSignal
  readonly except: ReadonlySet<string>
  readonly onAttempt: (attempt: Attempt) => void
}

/** sysexits EX_DATAERR: "a file is malformed" in the program's table of exit codes. */
const EXIT_DATA = 65
/** What is remembered of a long call. */
const ATTEMPTS_KEPT = 32
/** Between two questions for a status: a verdict is seconds away, and asking costs the node next to nothing. */
const POLL_MAX_MS = 1_000

/** What a call ends with when it ends well. */
export interface Found {
  /** `done` is Valid or Invalid. */
  readonly kind: 'done' | 'under-way' | 'unknown'
  readonly answered: Answered
}

/**
 * Asks until there is an answer that the question accepts.
 * @throws ClientError `E_NO_ANSWER`, `E_ANSWER`, `E_NO_VERDICT`, `E_REFUSED`; the signal's reason
 */
export function ask(parts: LoopParts, question: Question): Promise<Found> {
  return new CallLoop(parts, question).run()
}

class CallLoop {
  readonly #parts: LoopParts
  readonly #question: Question
  readonly #except: Set<string>
  readonly #attempts: Attempt[] = []
  #attemptCount = 0
  #last: Answered | null = null
  /** Of waits in a row; begins anew when the question changes. */
  #round = 0
  #isAsking: 'for a verdict' | 'for the status'

  constructor(parts: LoopParts, question: Question) {
    this.#parts = parts
    this.#question = question
    this.#except = new Set(question.except)
    this.#isAsking = question.send === null ? 'for the status' : 'for a verdict'
  }

  async run(): Promise<Found> {
    const { pool, clock } = this.#parts
    const { signal, endMs, passesMax, accepts } = this.#question
    for (let passes = 1; ; passes++) {
      const result = await this.#pass()
      if (result.kind === 'refused') throw this.#refused(answered(result))
      if (result.kind === 'failed') this.#last = result.last === null ? this.#last : answered(result.last)
      else if (result.kind !== 'unsupported') {
        this.#last = answered(result)
        if (result.kind === 'done' || accepts.includes(result.kind)) {
          return { kind: result.kind, answered: this.#last }
        }
      }
      if (passes >= passesMax || !pool.hasOthers(this.#except)) throw this.#ended()
      this.#turnTo(result.kind)
      const waitMs = Math.max(this.#nextWaitMs(), pool.waitMs(this.#except))
      // There would be no time left to ask in.
      if (clock.nowMs() + waitMs >= endMs) throw this.#ended()
      await clock.wait(waitMs, signal)
    }
  }

  #pass(): Promise<PassResult<ReadAnswer>> {
    const { send, requestId, signal, endMs, onAttempt } = this.#question
    const isStatus = this.#isAsking === 'for the status' || send === null
    return passOver(this.#parts, {
      method: isStatus ? 'validation_status' : send.method,
      payload: isStatus ? statusPayload(requestId ?? '') : send.payload,
      read: validationOutcome,
      answerBytesMax: JSON_BYTES_MAX,
      signal,
      attemptDeadlineMs: this.#parts.attemptDeadlineMs,
      endMs,
      except: this.#except,
      onAttempt: (attempt) => {
        this.#attemptCount++
        this.#attempts.push(attempt)
        if (this.#attempts.length > ATTEMPTS_KEPT) this.#attempts.shift()
        onAttempt(attempt)
      },
    })
  }

  /** What to ask for next: the status of what is under way, a verdict again from those who know nothing of it. */
  #turnTo(result: PassResult<ReadAnswer>['kind']): void {
    const { send, requestId } = this.#question
    const next =
      result === 'under-way' && requestId !== null
        ? 'for the status'
        : result === 'unknown' && send !== null
          ? 'for a verdict'
          : this.#isAsking
    if (next !== this.#isAsking) this.#round = 0
    this.#isAsking = next
  }

  #nextWaitMs(): number {
    const { backoff, random } = this.#parts
    const isPolling = this.#isAsking === 'for the status'
    const maxMs = isPolling ? Math.min(backoff.maxMs, POLL_MAX_MS) : backoff.maxMs
    return backoffMs(this.#round++, { ...backoff, maxMs }, random)
  }

  #refused(last: Answered): ClientError {
    const { result } = last.answer
    const why = result.kind === 'error' ? `${result.errorCode}: ${result.message}` : result.kind
    return new ClientError('E_REFUSED', `${last.endpoint} refuses the request for good`, {
      why,
      fix: 'mend the request; sending it again changes nothing',
      exitCode: EXIT_DATA,
      last,
      attempts: this.#attempts,
    })
  }

  #ended(): ClientError {
    const attempts = this.#attempts
    const last = this.#last
    const options = { why: reasonsOf(attempts), last, attempts }
    const asked = endpointsOf(attempts)
    if (last !== null) {
      return new ClientError(
        'E_NO_VERDICT',
        `no verdict from ${asked}, after ${this.#attemptCount} attempts`,
        {
          ...options,
          fix: 'send the same request again later: it is judged once, and its verdict is kept',
        },
      )
    }
    if (attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'foreign')) {
      return new ClientError('E_ANSWER', `${asked} answered something else than a verdict`, {
        ...options,
        fix: 'check that it is the CA endpoint of a hypermesh node',
      })
    }
    return new ClientError('E_NO_ANSWER', `no answer from ${asked === '' ? 'any endpoint' : asked}`, {
      ...options,
      fix: 'start a node there, or name another',
    })
  }
}

function answered({ value, endpoint }: { value: ReadAnswer; endpoint: string }): Answered {
  return { answer: value.answer, payload: value.payload, endpoint }
}

function statusPayload(requestId: string): Uint8Array {
  return utf8ToBytes(writeJson(statusRequest, { requestId }))
}

function endpointsOf(attempts: readonly Attempt[]): string {
  return [...new Set(attempts.map(({ endpoint }) => endpoint))].join(', ')
}

/** The last reason of each endpoint; without its name where there is only one. */
function reasonsOf(attempts: readonly Attempt[]): string {
  const reasons = new Map(attempts.map(({ endpoint, why }) => [endpoint, why]))
  if (reasons.size === 1) return [...reasons.values()].join('')
  return [...reasons].map(([endpoint, why]) => `${endpoint}: ${why}`).join('; ')
}
