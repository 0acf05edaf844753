/**
 * Sends validation requests and asks for receipts over HTTP or HTTPS; hands bytes on as they are both ways. Whether
 * the request is well formed is the node's to say; only its kind is looked at, to find the route.
 */

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { RECEIPT_JSON_BYTES_MAX } from '../codec/receipt-json.ts'
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

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

/** What a caller decides about a call. */
export interface HttpCall {
  readonly timeoutMs: number
  /** Accept any certificate; on loopback any is accepted anyway, the node makes its own. */
  readonly insecure: boolean
}

/** What came back. */
export interface HttpReply {
  readonly status: number
  readonly body: Uint8Array
}

/**
 * POSTs a request to a node's CA endpoint.
 * @param base `https://[::1]:8080`, with or without a slash at the end
 * @returns the body of the answer, whatever the status: errors are answers too
 * @throws CliError `E_NO_ANSWER` (69)
 */
export async function postRequest(
  base: URL,
  kind: RequestKind,
  bytes: Uint8Array,
  call: HttpCall,
): Promise<Uint8Array> {
  const { body } = await exchange(base, `/consensus/validation/${kind}`, bytes, JSON_BYTES_MAX, call)
  return body
}

/**
 * GETs the receipt of a request from a node's CA endpoint.
 * @param query of the route, without the question mark
 * @throws CliError `E_NO_ANSWER` (69)
 */
export function getReceipt(base: URL, requestId: string, query: string, call: HttpCall): Promise<HttpReply> {
  const route = `/consensus/validation/receipt/${encodeURIComponent(requestId)}?${query}`
  return exchange(base, route, null, RECEIPT_JSON_BYTES_MAX, call)
}

/** One request on a connection of its own; POST when there is a body, else GET. */
function exchange(
  base: URL,
  route: string,
  body: Uint8Array | null,
  answerBytesMax: number,
  { timeoutMs, insecure }: HttpCall,
): Promise<HttpReply> {
  const url = new URL(`${base.pathname.replace(/\/+$/, '')}${route}`, base)
  const isTls = url.protocol === 'https:'
  const send = isTls ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(noAnswer(base, error))
    const request = send(
      url,
      {
        method: body === null ? 'GET' : 'POST',
        headers: body === null ? {} : { 'content-type': 'application/json', 'content-length': body.length },
        signal: AbortSignal.timeout(timeoutMs),
        agent: false,
        ...(isTls && (insecure || LOOPBACK.test(url.hostname)) ? { rejectUnauthorized: false } : {}),
      },
      (response) => {
        const chunks: Buffer[] = []
        let length = 0
        response.on('data', (chunk: Buffer) => {
          length += chunk.length
          if (length > answerBytesMax) request.destroy(new Error('the answer is too long'))
          else chunks.push(chunk)
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }))
        response.on('error', fail)
      },
    )
    request.on('error', fail)
    if (body === null) request.end()
    else request.end(body)
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
