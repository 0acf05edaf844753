/** What a call to the public API that got no answer means to a person: why, and what to do about it. */
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'

const NOT_TLS = /^(?:EPROTO|ERR_SSL_)/
const UNTRUSTED = /^(?:DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_|ERR_TLS_CERT_)/
const NO_HTTP = /^(?:HPE_|UND_ERR_SOCKET|ECONNRESET|EPIPE)/

/** Code and words of the reason that `fetch` hides behind "fetch failed"; of several addresses the last one's. */
function reasonOf(error: unknown): { readonly code: string; readonly words: string } {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const reason: unknown = cause instanceof AggregateError ? (cause.errors.at(-1) ?? cause) : cause
  const code = reason instanceof Error && 'code' in reason ? String(reason.code) : ''
  return { code, words: reason instanceof Error ? reason.message : String(reason) }
}

/**
 * @param base URL of the API that was asked
 * @param error as `fetch` threw it
 */
export function apiFailure(base: string, error: unknown): CliError {
  const { code, words } = reasonOf(error)
  const end = { exitCode: EXIT.network, cause: error }
  if (NOT_TLS.test(code)) {
    return new CliError('E_NO_ANSWER', `what answers at ${base} does not speak TLS`, {
      why: `the handshake failed (${code})`,
      fix: `the API of a node is plain HTTP: write ${base.replace(/^https:/, 'http:')}`,
      ...end,
    })
  }
  if (UNTRUSTED.test(code)) {
    return new CliError('E_NO_ANSWER', `the certificate at ${base} is not trusted here`, {
      why: `the check of the certificate failed (${code})`,
      fix: 'name the API of the node (api.listen, plain HTTP); its CA endpoint, which has TLS, is for "validate --to"',
      ...end,
    })
  }
  if (base.startsWith('http:') && NO_HTTP.test(code)) {
    return new CliError('E_NO_ANSWER', `what answers at ${base} does not speak plain HTTP`, {
      why: words,
      fix: 'name the API of the node (api.listen); a CA endpoint, which has TLS, is for "validate --to"',
      ...end,
    })
  }
  const isBarred = words === 'bad port'
  return new CliError('E_NO_ANSWER', `no node answers at ${base}`, {
    why: isBarred
      ? `HTTP clients do not ask port ${new URL(base).port}: it belongs to another protocol`
      : words,
    fix: isBarred
      ? 'let the node listen on another port (api.listen)'
      : 'start it with "hypermesh start", or name another with --data or --api',
    ...end,
  })
}
