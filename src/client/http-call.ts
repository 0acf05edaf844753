/** The calls as HTTP: routes, and what a status means. Knows no HTTP library; both carriers of HTTP use it. */
import { TEXT_BYTES_MAX } from '../codec/limits.ts'
import { utf8ToBytes } from '../codec/utf8.ts'
import { readJson } from '../rpc/json-shape.ts'
import { receiptCall } from '../rpc/receipt-ask.ts'
import { statusRequest } from '../rpc/trustchain-json-request.ts'
import { assert } from '../types/assert.ts'
import type { CarrierReply, ClientMethod } from './carrier.ts'

/** One request of HTTP. */
export interface HttpCall {
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** Null for a GET. */
  readonly body: Uint8Array | null
}

const POSTED: Readonly<Record<string, string>> = {
  validate_certificate: 'validation/certificate',
  validate_proofs: 'validation/four-proof',
  validate_batch: 'validation/batch',
}

/** @param base `https://[::1]:8080`, with or without a path and a slash at the end */
export function httpCall(base: string, method: ClientMethod, payload: Uint8Array): HttpCall {
  const root = `${base.replace(/\/+$/, '')}/consensus`
  const posted = POSTED[method]
  if (posted !== undefined) return { method: 'POST', url: `${root}/${posted}`, body: payload }
  if (method === 'health') return { method: 'GET', url: `${root}/health`, body: null }
  if (method === 'receipt') return receiptHttpCall(root, payload)
  const request = readJson(statusRequest, payload)
  assert(request.ok, 'a status call carries a request id')
  return {
    method: 'GET',
    url: `${root}/validation/status/${encodeURIComponent(request.value.requestId)}`,
    body: null,
  }
}

/** The id is a part of the path, everything else of the query. */
function receiptHttpCall(root: string, payload: Uint8Array): HttpCall {
  const call = readJson(receiptCall(TEXT_BYTES_MAX), payload)
  assert(call.ok, 'a receipt call carries a request id')
  const { requestId, ...numbers } = call.value
  const query = new URLSearchParams()
  const { waitMs, fromHeight, fromEpoch } = numbers
  for (const [name, value] of Object.entries({
    wait_ms: waitMs,
    from_height: fromHeight,
    from_epoch: fromEpoch,
  })) {
    if (value !== null) query.set(name, String(value))
  }
  return {
    method: 'GET',
    url: `${root}/validation/receipt/${encodeURIComponent(requestId)}?${query}`,
    body: null,
  }
}

/** Statuses that pass: too early, too slow, too often. Of the server's own faults (5xx) all may. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429])
const SECONDS = /^\d{1,6}$/

/** @param retryAfter the header as it came; only whole seconds count */
export function httpReply(
  method: ClientMethod,
  status: number,
  retryAfter: string | null,
  payload: Uint8Array,
): CarrierReply {
  return {
    payload,
    standing: standingOf(method, status),
    note: `HTTP ${status}`,
    retryAfterMs: retryAfter !== null && SECONDS.test(retryAfter) ? Number(retryAfter) * 1_000 : null,
  }
}

function standingOf(method: ClientMethod, status: number): CarrierReply['standing'] {
  if (status >= 200 && status < 300) return 'success'
  if (method === 'validate_batch' && (status === 404 || status === 405)) return 'unsupported'
  return status >= 500 || PASSING.has(status) ? 'try-again' : 'lasting'
}

/** A redirect is not followed: who is asked for a verdict is the caller's choice alone. */
export function redirectReply(): CarrierReply {
  return {
    payload: utf8ToBytes(''),
    standing: 'lasting',
    note: 'a redirect, which is not followed',
    retryAfterMs: null,
  }
}
