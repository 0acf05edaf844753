/** What goes wrong with a call, as its caller is told it. An Invalid verdict is an answer and none of these. */
import { type ErrorAdvice, NodeError } from '../types/errors.ts'
import type { ValidationAnswer } from '../validation/answer.ts'

/** sysexits EX_UNAVAILABLE: "no network" in the program's table of exit codes. */
const EXIT_NETWORK = 69

/** How one attempt at one endpoint ended. */
export interface Attempt {
  readonly endpoint: string
  readonly outcome:
    | 'answered'
    /** Under way, without a verdict yet. */
    | 'under-way'
    /** The endpoint knows no request with this id. */
    | 'unknown'
    /** The request is refused for good. */
    | 'refused'
    /** The node cannot judge now, or takes no more from us now. */
    | 'not-ready'
    /** Something else than a node, or a node that does not serve this. */
    | 'foreign'
    | 'unreachable'
  /** In words; empty when it was answered. */
  readonly why: string
  readonly tookMs: number
}

/** An answer as it came. */
export interface Answered {
  readonly answer: ValidationAnswer
  /** The answer's JSON, byte for byte. */
  readonly payload: Uint8Array
  readonly endpoint: string
}

/** What is known when a call fails. */
export interface ClientErrorOptions extends ErrorAdvice {
  readonly exitCode?: number
  readonly cause?: unknown
  /** The last answer that was no verdict, if any node said something. */
  readonly last?: Answered | null
  readonly attempts?: readonly Attempt[]
}

/**
 * A call that ended without what was asked for. `code` says which way: `E_ENDPOINT` and `E_NO_ENDPOINT` (nobody to
 * ask), `E_NO_ANSWER` (nobody answered), `E_ANSWER` (something else than a node did), `E_NO_VERDICT` (nodes
 * answered, but with no verdict in time: asking again may help), `E_REFUSED` (asking again does not).
 */
export class ClientError extends NodeError {
  readonly last: Answered | null
  /** The latest ones; a long call forgets the first. */
  readonly attempts: readonly Attempt[]

  constructor(code: string, what: string, options: ClientErrorOptions = {}) {
    super(code, what, { exitCode: EXIT_NETWORK, ...options })
    this.last = options.last ?? null
    this.attempts = options.attempts ?? []
  }
}
