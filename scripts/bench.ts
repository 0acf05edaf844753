/**
 * `npm run bench`: four real validators on this machine, one JSON object on standard output. Takes about nine
 * minutes; `npm run bench -- --only verdicts` (or another of its parts) prints that part alone. Figures are of the whole
 * machine shared by four nodes and the load; what counts is CPU per block and per request.
 */
import { cpus, totalmem } from 'node:os'
import { Option } from 'commander'
import { BUILD } from '../src/config/build-info.ts'
import { alone } from './bench/alone.ts'
import { ballotBytes, SIZES } from './bench/ballot-bytes.ts'
import { closeConnections, offered, oneInFlight, percentiles } from './bench/load.ts'
import { oneValidatorDown } from './bench/one-validator-down.ts'
import { BenchNetwork, type Usage } from './bench/processes.ts'
import { storedBytes } from './bench/stored-bytes.ts'
import { verdicts } from './bench/verdicts.ts'
import { scriptCommand } from './script-command.ts'

const VALIDATORS = 4
const SETTINGS = {
  warmUpSeconds: 3,
  // What a validator does once it has run for a minute. Until then V8 compiles what it runs, in threads that take the
  // CPU from the validators: the first of these requests are measured too, for comparison.
  warmUpRequests: 1_000,
  firstRequests: 200,
  loadWarmUpSeconds: 20,
  backToBackSeconds: 15,
  down: { healthySeconds: 10, settleSeconds: 5, measuredSeconds: 20 },
  settleSeconds: 10,
  idleSeconds: 15,
  oneInFlight: 300,
  loadSeconds: 10,
  rates: [100, 300, 1_000],
  shielded: { proofs: 15, verifications: 300, block: { unseen: 15, seen: 30 } },
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const round = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits
const cpuMs = (usage: readonly Usage[]): number => usage.reduce((sum, { cpuMs }) => sum + cpuMs, 0)

async function backToBack() {
  const network = await BenchNetwork.start(VALIDATORS, 31_000, { heartbeatMs: 0 })
  try {
    await sleep(SETTINGS.warmUpSeconds * 1_000)
    const from = await network.height()
    const before = network.usage()
    await sleep(SETTINGS.backToBackSeconds * 1_000)
    const to = await network.height()
    const after = network.usage()
    const times = (await network.blocks(from, to)).map(({ time }) => time)
    const blocks = to - from
    const written = after.map(({ writtenBytes }, i) => writtenBytes - (before[i]?.writtenBytes ?? 0))
    await network.stopProcesses()
    return {
      blocks,
      blockIntervalMs: percentiles(times.slice(1).map((time, i) => time - (times[i] ?? time))),
      meanIntervalMs: round((SETTINGS.backToBackSeconds * 1_000) / blocks),
      cpuMsPerBlockAllNodes: round((cpuMs(after) - cpuMs(before)) / blocks),
      stored: await storedBytes(network.databaseFolder),
      // Everything: log, tables, the tip's certificate again and again, the safety record.
      writtenBytesPerBlockAndNode: Math.round(
        written.reduce((sum, bytes) => sum + bytes, 0) / written.length / blocks,
      ),
      rssMiB: after.map(({ rssBytes }) => Math.round(rssBytes / 2 ** 20)),
    }
  } finally {
    await network.stop()
  }
}

async function validations() {
  const network = await BenchNetwork.start(VALIDATORS, 31_100, {})
  try {
    // What a start costs (compiling, finding peers) is not what an idle node costs.
    await sleep(SETTINGS.settleSeconds * 1_000)
    const idleBefore = network.usage()
    await sleep(SETTINGS.idleSeconds * 1_000)
    const idleAfter = network.usage()
    const idleCorePercent = idleAfter.map(({ cpuMs }, i) =>
      round((cpuMs - (idleBefore[i]?.cpuMs ?? 0)) / (SETTINGS.idleSeconds * 10)),
    )
    const first = await oneInFlight(network.cas, SETTINGS.firstRequests)
    await oneInFlight(network.cas, SETTINGS.warmUpRequests - SETTINGS.firstRequests)
    const single = await oneInFlight(network.cas, SETTINGS.oneInFlight)
    const loads = []
    for (const rate of SETTINGS.rates) {
      const before = cpuMs(network.usage())
      const load = await offered(network.cas, rate, SETTINGS.loadSeconds)
      const used = cpuMs(network.usage()) - before
      loads.push({ ...load, cpuMsPerValidationAllNodes: round(used / Math.max(1, load.valid)) })
    }
    const rssMiB = network.usage().map(({ rssBytes }) => Math.round(rssBytes / 2 ** 20))
    return { idleCorePercent, afterStartLatencyMs: first, oneInFlightLatencyMs: single, loads, rssMiB }
  } finally {
    closeConnections()
    await network.stop()
  }
}

const PARTS: Readonly<Record<string, () => Promise<object>>> = {
  backToBack,
  oneValidatorDown: () =>
    oneValidatorDown(VALIDATORS, { warmUpSeconds: SETTINGS.warmUpSeconds, ...SETTINGS.down }),
  validation: validations,
  verdicts: () => verdicts(VALIDATORS, SETTINGS),
  ballotBytes: async () => SIZES.map(ballotBytes),
  shielded: async () => ({
    ...(await alone('shielded', SETTINGS.shielded)),
    block: await alone('shieldedBlock', SETTINGS.shielded.block),
  }),
}

const { only } = scriptCommand(
  'bench',
  'Measures four real validators on this machine, for about nine minutes, and prints one JSON object.',
)
  .addOption(new Option('--only <part>', 'that part alone').choices(Object.keys(PARTS)))
  .parse()
  .opts<{ only?: string }>()

async function measuredParts(): Promise<Record<string, object>> {
  const measured: Record<string, object> = {}
  for (const [name, measure] of Object.entries(PARTS)) {
    if (only === undefined || only === name) measured[name] = await measure()
  }
  return measured
}

const report = {
  machine: {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: round(totalmem() / 2 ** 30, 1),
    node: process.version,
  },
  ...BUILD,
  settings: {
    validators: VALIDATORS,
    ...SETTINGS,
    transport: 'tcp over loopback',
    carrier: 'https keep-alive, round robin',
  },
  finality: 'answers and blocks are final and durable (pre-commit certificate, batch written with sync)',
  ...(await measuredParts()),
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
