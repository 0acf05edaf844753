/**
 * How a failed command ends: one `E_CODE: what` line, then why and fix, then an exit code. A stack is printed
 * only with --debug, or when the failure is a bug of ours (then there is nothing better to show).
 */

import { type ErrorAdvice, NodeError } from '../types/errors.ts'
import { EXIT } from './exit-codes.ts'

/** A command cannot do what it was asked: wrong use, a file it cannot read, an answer it did not get. */
export class CliError extends NodeError {}

/** A command's argument or option does not make sense: exit 64. */
export function usageError(what: string, fix: string): CliError {
  return new CliError('E_USAGE', what, { fix, exitCode: EXIT.usage })
}

/** What to print on standard error and which code to exit with. */
export interface Failure {
  readonly text: string
  readonly exitCode: number
}

function lines(code: string, what: string, advice: ErrorAdvice): string {
  const why = advice.why === undefined ? '' : `  why: ${advice.why}\n`
  const fix = advice.fix === undefined ? '' : `  fix: ${advice.fix}\n`
  return `${code}: ${what}\n${why}${fix}`
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const cause = error.cause === undefined ? '' : `caused by ${stackOf(error.cause) || String(error.cause)}\n`
  return `${error.stack ?? error.message}\n${cause}`
}

/**
 * @param error whatever a command threw
 * @param debug print the stack of an expected failure too
 */
export function describeFailure(error: unknown, debug: boolean): Failure {
  if (error instanceof NodeError) {
    const text = lines(error.code, error.message, error.advice)
    return { text: debug ? `${text}${stackOf(error)}` : text, exitCode: error.exitCode }
  }
  const what = error instanceof Error ? error.message : String(error)
  const why = 'this is a bug in hypermesh, not something you did'
  return { text: `${lines('E_BUG', what, { why })}${stackOf(error)}`, exitCode: EXIT.failure }
}
