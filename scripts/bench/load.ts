/** Load on the CA endpoints: one request at a time, or an open loop at an offered rate. Every request is new. */
import { Agent, request as httpsRequest } from 'node:https'
import { freshCertificateRequest } from '../../src/cli/fresh-request.ts'
import { freshness } from '../../src/cli/request.ts'
import { writeJson } from '../../src/rpc/json-shape.ts'
import { certificateValidationRequest } from '../../src/rpc/trustchain-json-request.ts'

export interface LoadResult {
  readonly offeredPerSecond: number
  readonly seconds: number
  readonly sent: number
  readonly valid: number
  readonly failed: number
  readonly answeredPerSecond: number
  readonly latencyMs: Percentiles
}

export interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/**
 * Connections to one node at the most, as a client's pool has them: without a bound a moment of waiting opens
 * hundreds, and their TLS handshakes on this same machine become the load. Waiting for one counts as latency.
 */
const CONNECTIONS_PER_NODE = 64

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_PER_NODE, rejectUnauthorized: false })

/** Nearest-rank percentiles, rounded to a hundredth. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0) * 100) / 100
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) }
}

let requests = 0

/** A name for each: request ids hold the name and the millisecond, and two alike would be a reused id. */
function freshBody(): string {
  requests++
  return writeJson(
    certificateValidationRequest,
    freshCertificateRequest(freshness(null), `bench-${requests}.hypermesh.online`),
  )
}

/** Sends one request; resolves to whether the answer was Valid. */
function ask(base: string, body: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const call = httpsRequest(
    `${base}/consensus/validation/certificate`,
    { method: 'POST', agent },
    (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve(response.statusCode === 200 && text.startsWith('{"result":"Valid"')))
    },
  )
  call.on('error', () => resolve(false))
  call.end(body)
  return promise
}

/** One validation in flight: the next is sent when the last is answered. */
export async function oneInFlight(
  bases: readonly string[],
  count: number,
): Promise<Percentiles & { failed: number }> {
  const latencies: number[] = []
  let failed = 0
  for (let i = 0; i < count; i++) {
    const body = freshBody()
    const start = performance.now()
    const isValid = await ask(bases[i % bases.length] ?? '', body)
    latencies.push(performance.now() - start)
    if (!isValid) failed++
  }
  return { ...percentiles(latencies), failed }
}

/** Open loop: requests leave on schedule whether or not earlier ones were answered. */
export async function offered(
  bases: readonly string[],
  perSecond: number,
  seconds: number,
): Promise<LoadResult> {
  const total = perSecond * seconds
  const latencies: number[] = []
  let failed = 0
  const answers: Promise<void>[] = []
  const start = performance.now()
  let lastAnswer = start
  for (let i = 0; i < total; i++) {
    const due = start + (i * 1_000) / perSecond
    const wait = due - performance.now()
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait))
    answers.push(
      ask(bases[i % bases.length] ?? '', freshBody()).then((isValid) => {
        // From when it was due: a generator that falls behind must not hide waiting (coordinated omission).
        lastAnswer = performance.now()
        latencies.push(lastAnswer - due)
        if (!isValid) failed++
      }),
    )
  }
  await Promise.all(answers)
  return {
    offeredPerSecond: perSecond,
    seconds,
    sent: total,
    valid: total - failed,
    failed,
    answeredPerSecond: Math.round((total - failed) / ((lastAnswer - start) / 1_000)),
    latencyMs: percentiles(latencies),
  }
}

/** Ends the kept connections. */
export function closeConnections(): void {
  agent.destroy()
}
