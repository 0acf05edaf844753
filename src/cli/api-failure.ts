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
  const failure = (what: string, why: string, fix: string): CliError =>
    new CliError('E_NO_ANSWER', what, { why, fix, exitCode: EXIT.network, cause: error })
  if (words === 'bad port') {
    return failure(
      `port ${new URL(base).port} is not asked`,
      'it belongs to another protocol, and HTTP clients refuse it',
      'let the node listen on another port (api.listen)',
    )
  }
  const plain = base.replace(/^https:/, 'http:')
  if (NOT_TLS.test(code)) {
    return failure(
      `what answers at ${base} does not speak TLS`,
      `the handshake failed (${code})`,
      `the API of a node is plain HTTP: write ${plain}`,
    )
  }
  if (UNTRUSTED.test(code)) {
    return failure(
      `the certificate at ${base} is not trusted here`,
      `the check of the certificate failed (${code})`,
      'name the API of the node (api.listen, plain HTTP); its CA endpoint, which has TLS, is for "validate --to"',
    )
  }
  if (base.startsWith('http:') && NO_HTTP.test(code)) {
    return failure(
      `what answers at ${base} does not speak plain HTTP`,
      words,
      'name the API of the node (api.listen); a CA endpoint, which has TLS, is for "validate --to"',
    )
  }
  return failure(
    `no node answers at ${base}`,
    words,
    'start it with "hypermesh start", or name another with --data or --api',
  )
}
