/** What goes wrong with the STOQ listener or a call over STOQ, as a person is told it. */
import { isIPv6 } from 'node:net'
import { type ErrorAdvice, NodeError } from '../../types/errors.ts'

/** sysexits EX_UNAVAILABLE: "no network" in the node's table of exit codes. */
const EXIT_NETWORK = 69

/** No QUIC here, an address that cannot be listened on, a node that does not answer. */
export class StoqError extends NodeError {
  constructor(code: string, what: string, options: ErrorAdvice & { exitCode?: number; cause?: unknown }) {
    super(code, what, { exitCode: EXIT_NETWORK, ...options })
  }
}

/** Turns the error of a failed bind into advice. */
export function bindError(cause: unknown, host: string, port: number): StoqError {
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`
  const why = cause instanceof Error ? cause.message : String(cause)
  if (/EADDRINUSE|errno=(?:98|48)\b/.test(why)) {
    return new StoqError('E_PORT_IN_USE', `udp ${address} is in use, the STOQ endpoint cannot listen there`, {
      why: 'another process has that port: another node, or a STOQ client, which binds it for its own',
      fix: 'stop it, give the STOQ endpoint another port (stoq.listen), or switch it off (stoq.enabled = false)',
      cause,
    })
  }
  return new StoqError('E_LISTEN', `the STOQ endpoint cannot listen on udp ${address}`, {
    why,
    fix: 'choose an address of this machine (stoq.listen), or switch it off (stoq.enabled = false)',
    cause,
  })
}
