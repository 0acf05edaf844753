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
 * Connections to one node at the most: without a bound a moment of waiting opens hundreds, and their TLS handshakes on
 * this same machine become the load. Waiting for one counts as latency. With so many, four nodes that take half a second
 * for an answer can still be asked 1,000 times a second.
 */
const CONNECTIONS_PER_NODE = 128

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

/** Sends a request or a batch of them; resolves to how many of the answers were Valid. */
function ask(
  base: string,
  route: 'certificate' | 'batch',
  body: string,
  waitSeconds?: number,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const headers = waitSeconds === undefined ? {} : { prefer: `wait=${waitSeconds}` }
  const call = httpsRequest(
    `${base}/consensus/validation/${route}`,
    { method: 'POST', agent, headers },
    (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve(response.statusCode === 200 ? countValid(text) : 0))
    },
  )
  call.on('error', () => resolve(0))
  call.end(body)
  return promise
}

/** Answers with the verdict Valid in the text of one answer, or of a batch of them. */
function countValid(text: string): number {
  return text.split('{"result":"Valid"').length - 1
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
    const valid = await ask(bases[i % bases.length] ?? '', 'certificate', body)
    latencies.push(performance.now() - start)
    if (valid === 0) failed++
  }
  return { ...percentiles(latencies), failed }
}

/**
 * Open loop: requests leave on schedule whether or not earlier ones were answered.
 * @param perCall requests in one call; above 1 they are a batch, which leaves when the last of them is due
 */
export async function offered(
  bases: readonly string[],
  perSecond: number,
  seconds: number,
  perCall = 1,
): Promise<LoadResult> {
  const calls = Math.floor((perSecond * seconds) / perCall)
  const total = calls * perCall
  const latencies: number[] = []
  let failed = 0
  const answers: Promise<void>[] = []
  const start = performance.now()
  let lastAnswer = start
  for (let i = 0; i < calls; i++) {
    // The first of a batch waits for the others: its latency is that of all.
    const due = start + (i * perCall * 1_000) / perSecond
    const wait = due + ((perCall - 1) * 1_000) / perSecond - performance.now()
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait))
    const base = bases[i % bases.length] ?? ''
    const answer =
      perCall === 1 ? ask(base, 'certificate', freshBody()) : ask(base, 'batch', freshBatch(perCall))
    answers.push(
      answer.then((valid) => {
        // From when it was due: a generator that falls behind must not hide waiting (coordinated omission).
        lastAnswer = performance.now()
        for (let n = 0; n < perCall; n++) latencies.push(lastAnswer - due)
        failed += perCall - valid
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

function freshBatch(count: number): string {
  return `[${Array.from({ length: count }, () => `{"certificate":${freshBody()}}`).join(',')}]`
}

/** Requests to a network that cannot answer: under way until their callers give up. */
export interface HeldRequests {
  /** Those without an answer so far. */
  readonly inFlight: () => number
  readonly settled: Promise<void>
}

/** Puts so many requests under way at once, in batches of 100, each to wait for 20 s. */
export function hold(base: string, count: number): HeldRequests {
  let inFlight = count
  const calls = Array.from({ length: Math.ceil(count / 100) }, async (_, i) => {
    const size = Math.min(100, count - i * 100)
    await ask(base, 'batch', freshBatch(size), 20)
    inFlight -= size
  })
  return { inFlight: () => inFlight, settled: Promise.all(calls).then(() => undefined) }
}

/** Ends the kept connections. */
export function closeConnections(): void {
  agent.destroy()
}
