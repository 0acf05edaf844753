/**
 * Sends a validation request over HTTP or HTTPS, the bytes as they are, and hands back the answer's bytes. Whether
 * the request is well formed is the node's to say; only its kind is looked at, to find the route.
 */

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { JSON_BYTES_MAX, parseJson } from '../rpc/lossless-json.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'

/** What a request asks for. */
export type RequestKind = 'certificate' | 'four-proof'

/** @throws CliError `E_REQUEST` (65) when the bytes are no JSON, or neither kind of request */
export function kindOfRequest(bytes: Uint8Array): RequestKind {
  const value = parseJson(bytes)
  if (!value.ok) {
    throw new CliError('E_REQUEST', 'the request is not JSON', {
      why: value.detail,
      fix: 'make one with "hypermesh request certificate"',
      exitCode: EXIT.data,
    })
  }
  if (value.value instanceof Map) {
    if (value.value.has('certificate_request')) return 'certificate'
    if (value.value.has('proof_set')) return 'four-proof'
  }
  throw new CliError('E_REQUEST', 'the document is no validation request', {
    why: 'it has neither "certificate_request" nor "proof_set"',
    fix: 'make one with "hypermesh request certificate" or "hypermesh request four-proof"',
    exitCode: EXIT.data,
  })
}

/** Whether a URL's host is this machine by its name alone. */
export const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

/** What a caller decides about a call. */
export interface HttpCall {
  readonly timeoutMs: number
  /** Accept any certificate; on loopback any is accepted anyway, the node makes its own. */
  readonly insecure: boolean
}

/**
 * POSTs a request to a node's CA endpoint.
 * @param base `https://[::1]:8080`, with or without a slash at the end
 * @returns the body of the answer, whatever the status: errors are answers too
 * @throws CliError `E_NO_ANSWER` (69)
 */
export function postRequest(
  base: URL,
  kind: RequestKind,
  bytes: Uint8Array,
  { timeoutMs, insecure }: HttpCall,
): Promise<Uint8Array> {
  const url = new URL(`${base.pathname.replace(/\/+$/, '')}/consensus/validation/${kind}`, base)
  const isTls = url.protocol === 'https:'
  const send = isTls ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(noAnswer(base, error))
    const request = send(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': bytes.length },
        signal: AbortSignal.timeout(timeoutMs),
        agent: false,
        ...(isTls && (insecure || LOOPBACK.test(url.hostname)) ? { rejectUnauthorized: false } : {}),
      },
      (response) => {
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > JSON_BYTES_MAX) request.destroy(new Error('the answer is too long'))
          else chunks.push(chunk)
        })
        response.on('end', () => resolve(Buffer.concat(chunks)))
        response.on('error', fail)
      },
    )
    request.on('error', fail)
    request.end(bytes)
  })
}

function noAnswer(base: URL, cause: Error): CliError {
  const isTlsRefusal = 'code' in cause && /CERT|SELF_SIGNED/.test(String(cause.code))
  return new CliError('E_NO_ANSWER', `no answer from ${base.origin}`, {
    why: cause.name === 'AbortError' || cause.name === 'TimeoutError' ? 'it took too long' : causeText(cause),
    fix: isTlsRefusal
      ? 'add --insecure if you trust who answers there'
      : 'start a node there, or name another with --to',
    exitCode: EXIT.network,
    cause,
  })
}

/** Node leaves the message of an AggregateError empty and the reasons in its errors. */
function causeText(cause: Error): string {
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause]
  return causes.map((entry) => (entry instanceof Error ? entry.message : String(entry))).join('; ')
}
