/** What goes wrong with a listener, as an operator is told it. */
import type { ErrorAdvice } from '../../types/errors.ts'
import { NodeError } from '../../types/errors.ts'

/** sysexits EX_UNAVAILABLE: "no network" in the node's table of exit codes. */
const EXIT_NETWORK = 69

/** A listener could not be opened, or its TLS material could not be read. */
export class HttpError extends NodeError {
  constructor(code: string, what: string, options: ErrorAdvice & { exitCode?: number; cause?: unknown }) {
    super(code, what, { exitCode: EXIT_NETWORK, ...options })
  }
}

/** Turns the error of a failed `listen` into advice. */
export function bindError(cause: unknown, concern: string, address: string): HttpError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE') {
    return new HttpError('E_PORT_IN_USE', `${address} is in use, the ${concern} cannot listen there`, {
      why: 'another process, perhaps another node, has that port',
      fix: `stop it, or give the ${concern} another port (0 = any free port)`,
      cause,
    })
  }
  return new HttpError('E_LISTEN', `the ${concern} cannot listen on ${address}`, {
    why: cause instanceof Error ? cause.message : String(cause),
    fix: 'choose an address of this machine and a port that this user may open',
    cause,
  })
}
