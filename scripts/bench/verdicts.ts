/**
 * What is asked of verdicts by commit and reveal: latency of one in flight, a rate that is kept up, what STOQ adds,
 * memory of a request in flight; each with the target beside it.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { closeConnections, hold, type LoadResult, offered, oneInFlight, type Percentiles } from './load.ts'
import { BenchNetwork } from './processes.ts'

const TARGET = {
  oneInFlightP50MsMax: 100,
  perSecondMin: 1_000,
  seconds: 60,
  p99MsMax: 1_000,
  stoqOverheadP50MsMax: 2,
  memoryPerRequestMiBMax: 1,
}
/** More than is asked for: what counts is the rate up to the last answer, and that one comes after the last request. */
const OFFERED_PER_SECOND = 1_020
const BASE_PORT = 31_300
/** Requests of one call of a CA that has many; 100 are allowed. */
const PER_BATCH = 50
const HELD = 2_000
const BENCH_STOQ = join(import.meta.dirname, '..', 'bench-stoq.ts')

export interface VerdictSettings {
  readonly settleSeconds: number
  readonly oneInFlight: number
  readonly warmUpRequests: number
  /** At half of the rate. */
  readonly loadWarmUpSeconds: number
}

interface Cost {
  /** CPU time of all nodes together. */
  readonly cpuMsPerRequest: number
  readonly blocksPerRequest: number
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const rounded = (value: number): number => Math.round(value * 100) / 100

/** @param validators of the networks; of one of them two are killed, for the memory of what waits */
export async function verdicts(validators: number, settings: VerdictSettings) {
  const stoqOverheadP50Ms = await stoqOverhead()
  const answers = await answering(validators, settings)
  const report = { ...answers, stoqOverheadP50Ms, memory: await memoryInFlight(validators, settings) }
  return { target: TARGET, ...report, meetsTarget: meets(report) }
}

/** Latency and rate of a network that does nothing else. */
async function answering(validators: number, settings: VerdictSettings) {
  const network = await BenchNetwork.start(validators, BASE_PORT, {})
  try {
    await sleep(settings.settleSeconds * 1_000)
    await oneInFlight(network.cas, settings.warmUpRequests)
    const single = await measured(
      network,
      () => oneInFlight(network.cas, settings.oneInFlight),
      settings.oneInFlight,
    )
    const sustained = []
    // Single calls take more: on a machine that they are too much for, what comes after them would be measured with what
    // they leave waiting.
    for (const perCall of [PER_BATCH, 1]) {
      await offered(network.cas, TARGET.perSecondMin / 2, settings.loadWarmUpSeconds, perCall)
      const load = () => offered(network.cas, OFFERED_PER_SECOND, TARGET.seconds, perCall)
      sustained.push({
        requestsPerCall: perCall,
        ...(await measured(network, load, OFFERED_PER_SECOND * TARGET.seconds)),
      })
    }
    return { oneInFlight: single, sustained }
  } finally {
    closeConnections()
    await network.stop()
  }
}

/** Which of the targets hold. */
export function meets(report: {
  readonly oneInFlight: Percentiles
  readonly sustained: readonly LoadResult[]
  readonly stoqOverheadP50Ms: Readonly<Record<string, number>>
  readonly memory: { readonly perRequestMiB: number }
}) {
  const { oneInFlightP50MsMax, p99MsMax, perSecondMin, stoqOverheadP50MsMax, memoryPerRequestMiBMax } = TARGET
  return {
    oneInFlight: report.oneInFlight.p50 <= oneInFlightP50MsMax,
    sustained: report.sustained.map(
      ({ failed, answeredPerSecond, latencyMs }) =>
        failed === 0 && answeredPerSecond >= perSecondMin && latencyMs.p99 < p99MsMax,
    ),
    stoqOverhead: Object.values(report.stoqOverheadP50Ms).every((ms) => ms < stoqOverheadP50MsMax),
    memory: report.memory.perRequestMiB < memoryPerRequestMiBMax,
  }
}

async function measured<T>(
  network: BenchNetwork,
  run: () => Promise<T>,
  requests: number,
): Promise<T & Cost> {
  const cpuMs = (): number => network.usage().reduce((sum, usage) => sum + usage.cpuMs, 0)
  const [cpuBefore, from] = [cpuMs(), await network.height()]
  const result = await run()
  const [cpuAfter, to] = [cpuMs(), await network.height()]
  return {
    ...result,
    cpuMsPerRequest: rounded((cpuAfter - cpuBefore) / requests),
    blocksPerRequest: rounded((to - from) / requests),
  }
}

/**
 * Without a quorum nothing is answered: what many requests take, at the node that was asked and at one that was not. In a
 * network of its own: in heaps that have grown under load they would find room.
 */
async function memoryInFlight(validators: number, { settleSeconds, oneInFlight: few }: VerdictSettings) {
  const network = await BenchNetwork.start(validators, BASE_PORT + 50, {})
  try {
    await sleep(settleSeconds * 1_000)
    await oneInFlight(network.cas, few)
    await network.kill(validators - 1)
    await network.kill(validators - 2)
    await sleep(2_000)
    const alive = validators - 2
    const rss = (): number[] => network.usage(alive).map(({ rssBytes }) => rssBytes)
    const before = rss()
    const held = hold(network.cas[0] ?? '', HELD)
    let most = before
    let inFlight = 0
    for (let i = 0; i < 20; i++) {
      await sleep(500)
      if (held.inFlight() < HELD) break
      inFlight = held.inFlight()
      most = rss().map((bytes, node) => Math.max(bytes, most[node] ?? 0))
    }
    const grownMiB = most.map((bytes, node) => rounded((bytes - (before[node] ?? 0)) / 2 ** 20))
    return {
      inFlight,
      grownMiB,
      perRequestMiB: inFlight === 0 ? Number.NaN : Math.max(...grownMiB) / inFlight,
    }
  } finally {
    closeConnections()
    await network.stop()
  }
}

async function stoqOverhead(): Promise<Readonly<Record<string, number>>> {
  const { stdout } = await promisify(execFile)(process.execPath, [BENCH_STOQ])
  const report = JSON.parse(stdout) as { overheadP50Ms: Readonly<Record<string, number>> }
  return report.overheadP50Ms
}
