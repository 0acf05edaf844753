/**
 * `npm run chaos`: real nodes, real faults, an outside verdict. Prints a line per fault on standard error and one
 * JSON report on standard output; exits 1 when anything was wrong. Makes network namespaces where that is permitted
 * and removes them at the end; what it does to them is in test/support/chaos.
 */

import { cpus, loadavg, totalmem } from 'node:os'
import { BUILD } from '../src/config/build-info.ts'
import { type CampaignPlan, campaign } from '../test/support/chaos/campaign.ts'
import { destroyChaosNetworks } from '../test/support/chaos/chaos-network.ts'
import { inHub } from '../test/support/chaos/in-hub.ts'
import { type Kernel, lookAtKernel } from '../test/support/chaos/kernel.ts'
import { namespaceNames, trialName } from '../test/support/chaos/namespaces.ts'
import { reportOf } from '../test/support/chaos/report.ts'
import type { Trial } from '../test/support/chaos/trial.ts'
import { countOption, scriptCommand, seedOption } from './script-command.ts'

const DESCRIPTION =
  'Real faults in real networks: 4 and 7 nodes in network namespaces, then 4 on loopback behind relays, then mavericks ' +
  'on both. About 15 minutes on two cores; without namespaces the loopback part with 4 and 7.'

const REQUIREMENTS = `
Namespaces need root, ip, tc and nsenter; the clock jumps libfaketime; the full disk root and tmpfs. What is
missing is in the report as notRun, with the reason. Nothing is installed, nothing outside the namespaces changed.`

interface ChaosOptions {
  readonly quick?: true
  readonly seed: number
  readonly only?: string
  readonly heartbeatMs: number
}

const {
  quick = false,
  seed,
  only = '',
  heartbeatMs,
} = scriptCommand('chaos', DESCRIPTION)
  .option('--quick', '4 nodes on loopback behind relays, and mavericks: about 5 minutes')
  .addOption(seedOption('order of the faults and choice of the victims'))
  .option('--only <text>', 'only faults whose name holds this')
  .option('--heartbeat-ms <n>', 'of the networks', countOption, 1_000)
  .addHelpText('after', REQUIREMENTS)
  .parse()
  .opts<ChaosOptions>()

function told({ fabric, nodes, name, victims, recoveryMs, problems, notRun }: Trial): void {
  const who = victims.length === 0 ? '' : ` (${victims.join(' ')})`
  const outcome =
    notRun === undefined
      ? `recovered after ${recoveryMs ?? 'never:'} ms, ${problems.length} problems`
      : `not run: ${notRun}`
  process.stderr.write(`${nodes} nodes, ${fabric}: ${name}${who}: ${outcome}\n`)
  for (const problem of problems) process.stderr.write(`  ${problem}\n`)
}

const NAMESPACED_SIZES = [4, 7]
const kernel: Kernel | string = quick ? 'not asked for with --quick' : lookAtKernel(trialName(process.pid))
if (typeof kernel === 'string') process.stderr.write(`no network namespaces: ${kernel}\n`)
process.stderr.write(`seed ${seed}\n`)

const plan = (validators: number, inside: CampaignPlan['inside']): CampaignPlan => ({
  validators,
  seed,
  heartbeatMs,
  inside,
  only,
  withMavericks: validators === 4,
})
const startedAt = performance.now()
const reports = []
if (typeof kernel !== 'string') {
  const namespaces = namespaceNames(process.pid, Math.max(...NAMESPACED_SIZES))
  const plans = NAMESPACED_SIZES.map((size) =>
    plan(size, { kernel, namespaces: { ...namespaces, nodes: namespaces.nodes.slice(0, size) } }),
  )
  reports.push(...(await inHub(namespaces, plans, told)))
}
// From here on the networks are this process's own to end.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void destroyChaosNetworks().finally(() => process.exit(1)))
}
const relaySizes = quick || typeof kernel !== 'string' ? [4] : NAMESPACED_SIZES
for (const size of relaySizes) reports.push(await campaign(plan(size, null), told))

const report = reportOf(reports, {
  machine: {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[2],
    node: process.version,
  },
  ...BUILD,
  settings: {
    seed,
    quick,
    only,
    heartbeatMs,
    namespaces: kernel,
  },
  tookS: Math.round((performance.now() - startedAt) / 1_000),
})
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
process.exit(report.summary.isWell ? 0 : 1)
