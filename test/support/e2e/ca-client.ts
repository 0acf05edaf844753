/** TrustChain's calls over HTTPS, the bytes as they are both ways. */

import { Agent, request as httpsRequest } from 'node:https'

const CALL_DEADLINE_MS = 20_000

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

const agent = new Agent({ keepAlive: true, maxSockets: 64, rejectUnauthorized: false })

function call(url: string, method: string, body: string | Uint8Array | null): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      url,
      {
        method,
        agent,
        signal: AbortSignal.timeout(CALL_DEADLINE_MS),
        headers: body === null ? {} : { 'content-type': 'application/json' },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
        )
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(body ?? undefined)
  })
}

/** @param ca base URL of a CA endpoint */
export function ask(
  ca: string,
  kind: 'certificate' | 'four-proof' | 'batch',
  body: string | Uint8Array,
): Promise<HttpAnswer> {
  return call(`${ca}/consensus/validation/${kind}`, 'POST', body)
}

export function askStatus(ca: string, requestId: string): Promise<HttpAnswer> {
  return call(`${ca}/consensus/validation/status/${encodeURIComponent(requestId)}`, 'GET', null)
}

/** `/consensus/metrics`, by the names of the wire. */
export async function askMetrics(ca: string): Promise<Record<string, number>> {
  return JSON.parse((await call(`${ca}/consensus/metrics`, 'GET', null)).text) as Record<string, number>
}

/** What an answer says, without what is the answering node's own: its name and its figures. */
export function verdictOf(text: string): object {
  const { result, proof_hash, validated_at, details } = JSON.parse(text) as Record<string, unknown>
  const { proof_results } = details as Record<string, unknown>
  return { result, proof_hash, validated_at, proof_results }
}
