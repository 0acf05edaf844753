/**
 * The three ways something fails, kept apart: a value for what a remote did wrong, a NodeError for what
 * the world did to us, an InvariantViolation for our own bug. See "Errors" in the design document.
 */

/** Refusal of something a remote said. A value, never thrown: the caller accepts, ignores or rejects. */
export interface Refusal<Code extends string = string> {
  readonly ok: false
  readonly code: Code
  readonly detail: string
}

/** Success or refusal. */
export type Result<T, Code extends string = string> = { readonly ok: true; readonly value: T } | Refusal<Code>

/** Wraps a success. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value }
}

/** Builds a refusal; `detail` is for our own log and for the one who asked, and names the offending figure. */
export function refuse<Code extends string>(code: Code, detail: string): Refusal<Code> {
  return { ok: false, code, detail }
}

/** What an operator is told: what happened, why, and what to do about it. */
export interface ErrorAdvice {
  readonly why?: string
  readonly fix?: string
}

/** The world failed us (disk, dial, configuration). One subclass per layer; `code` is stable (`E_…`). */
export abstract class NodeError extends Error {
  readonly code: string
  readonly advice: ErrorAdvice
  readonly exitCode: number

  /**
   * @param code stable name, `E_` and capitals
   * @param what one sentence that names the thing and the value
   * @param options `why` and `fix` for the operator, `exitCode` (sysexits; 1 if the error ends the process
   *   with no better number), and the `cause`
   */
  constructor(
    code: string,
    what: string,
    options: ErrorAdvice & { exitCode?: number; cause?: unknown } = {},
  ) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.exitCode = options.exitCode ?? 1
    this.advice = {
      ...(options.why === undefined ? {} : { why: options.why }),
      ...(options.fix === undefined ? {} : { fix: options.fix }),
    }
  }
}
