/**
 * `npm run bench:stoq`: what STOQ adds to a call, one JSON object. The caller is a process of its own; the answering
 * side has the real handler and listener, and verdicts that are there at once, so that what is left is the carrier.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { handleEnvelope } from '../src/rpc/call-handler.ts'
import { ClientLimiter } from '../src/rpc/client-limiter.ts'
import { encodeEnvelopeRequest } from '../src/rpc/envelope.ts'
import { makeSelfSigned } from '../src/rpc/http/self-signed.ts'
import { StoqClient } from '../src/rpc/stoq/stoq-client.ts'
import { StoqListener } from '../src/rpc/stoq/stoq-listener.ts'
import { ValidationService } from '../src/validation/validation-service.ts'
import { FakeClock, FakeNetwork } from '../test/support/fake-network.ts'
import { vector } from '../test/support/requests.ts'
import { type Percentiles, percentiles } from './bench/load.ts'

const CALLS = { warmUp: 500, oneInFlight: 3_000, atOnce: [10, 100, 500] }
const DEADLINE_MS = 30_000

const envelope = (method: string, json: string): Uint8Array =>
  encodeEnvelopeRequest({
    id: 'bench',
    service: 'hypermesh',
    method,
    payload: Buffer.from(json),
    metadata: [],
  })
const REQUESTS: Readonly<Record<string, Uint8Array>> = {
  health: envelope('consensus/health', 'null'),
  // The same request again and again: answered from the verdict that is kept.
  certificate: envelope('consensus/validate_certificate', vector('certreq_json')),
}

async function times(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = []
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now()
    await call()
    taken.push(performance.now() - startedMs)
  }
  return taken
}

async function inFlight(client: StoqClient, request: Uint8Array) {
  const rounds = []
  for (const count of CALLS.atOnce) {
    const startedMs = performance.now()
    const taken = await Promise.all(
      Array.from({ length: count }, () => times(4, () => client.exchange(request, DEADLINE_MS))),
    )
    const seconds = (performance.now() - startedMs) / 1_000
    rounds.push({
      inFlight: count,
      callsPerSecond: Math.round((4 * count) / seconds),
      latencyMs: percentiles(taken.flat()),
    })
  }
  return rounds
}

/** In the process of the caller. */
async function callFrom(port: number): Promise<object> {
  const client = await StoqClient.connect({ host: '::1', port }, DEADLINE_MS)
  const results: Record<string, object> = {}
  for (const [name, request] of Object.entries(REQUESTS)) {
    const exchange = (): Promise<Uint8Array> => client.exchange(request, DEADLINE_MS)
    await times(CALLS.warmUp, exchange)
    const alone = percentiles(await times(CALLS.oneInFlight, exchange))
    results[name] = { oneInFlightMs: alone, load: await inFlight(client, request) }
  }
  await client.close()
  return results
}

if (process.send !== undefined) {
  process.send(await callFrom(Number(process.argv[2])))
  process.disconnect()
} else {
  const network = new FakeNetwork()
  network.answersAtOnce = true
  const clock = new FakeClock()
  const service = new ValidationService({ ...network, clock, nodeName: 'bench', version: '0' })
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const options = { service, limiter: new ClientLimiter(() => performance.now()), logger: silent }
  const handler: Record<string, Percentiles> = {}
  for (const [name, request] of Object.entries(REQUESTS)) {
    const handle = (): Promise<Uint8Array> => handleEnvelope(request, options, '::1')
    await times(CALLS.warmUp, handle)
    handler[name] = percentiles(await times(CALLS.oneInFlight, handle))
  }
  const listener = new StoqListener({
    ...options,
    listen: { host: '::1', port: 0 },
    tls: makeSelfSigned(['hypermesh'], Date.now()),
    observe: { connection: () => {}, closed: () => {}, call: () => {} },
  })
  await listener.start()
  const child = fork(import.meta.filename, [new URL(listener.url).port])
  const [stoq] = (await once(child, 'message')) as [Record<string, { oneInFlightMs: Percentiles }>]
  await listener.close()
  const overheadMs = Object.entries(stoq).map(([name, { oneInFlightMs }]) => [
    name,
    Math.round((oneInFlightMs.p50 - (handler[name]?.p50 ?? 0)) * 100) / 100,
  ])
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.versions.node }
  const report = { machine, handlerMs: handler, stoq, overheadP50Ms: Object.fromEntries(overheadMs) }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
}
