/**
 * Blocks back to back, then one of the validators is killed: how fast the others go on, and how long the longest
 * wait for a block is. The first seconds after the blow are left out; what a dead leader costs for good is asked.
 */
import { type Percentiles, percentiles } from './load.ts'
import { BenchNetwork, type BlockFigures } from './processes.ts'

/** What issue 3 asks: "What it must show", 4. */
const TARGET = { rateRatioMin: 0.6, gapMsMax: 250 }
const BASE_PORT = 31_200

export interface DownSettings {
  readonly warmUpSeconds: number
  readonly healthySeconds: number
  /** After the kill, not measured. */
  readonly settleSeconds: number
  readonly measuredSeconds: number
}

interface Phase {
  readonly blocks: number
  readonly blocksPerSecond: number
  /** From each block to the next, by the proposers' clocks, which are one here. */
  readonly intervalMs: Percentiles
  /** Views that ended without a block, of all views. */
  readonly failedViewShare: number
  /** Intervals over which a view failed: what a dead leader costs. */
  readonly intervalWithFailedViewMs: Percentiles | null
  readonly gapsAboveTarget: number
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const rounded = (value: number): number => Math.round(value * 100) / 100

/** What blocks that follow each other say of the time that they were made in. */
export function phaseOf(blocks: readonly BlockFigures[], seconds: number): Phase {
  const steps = blocks.slice(1).map(({ time, view }, i) => {
    const before = blocks[i] ?? { time, view }
    return { ms: time - before.time, views: view - before.view }
  })
  const views = steps.reduce((sum, step) => sum + step.views, 0)
  const overFailed = steps.filter((step) => step.views > 1).map(({ ms }) => ms)
  return {
    blocks: steps.length,
    blocksPerSecond: rounded(steps.length / seconds),
    intervalMs: percentiles(steps.map(({ ms }) => ms)),
    failedViewShare: views === 0 ? 0 : rounded((views - steps.length) / views),
    intervalWithFailedViewMs: overFailed.length === 0 ? null : percentiles(overFailed),
    gapsAboveTarget: steps.filter(({ ms }) => ms > TARGET.gapMsMax).length,
  }
}

async function phase(network: BenchNetwork, seconds: number): Promise<Phase> {
  const from = await network.height()
  const startedAt = performance.now()
  await sleep(seconds * 1_000)
  const to = await network.height()
  const tookSeconds = (performance.now() - startedAt) / 1_000
  return phaseOf(await network.blocks(from, to), tookSeconds)
}

/** The last of so many validators is killed with -9. */
export async function oneValidatorDown(validators: number, settings: DownSettings) {
  const network = await BenchNetwork.start(validators, BASE_PORT, { heartbeatMs: 0 })
  try {
    await sleep(settings.warmUpSeconds * 1_000)
    const healthy = await phase(network, settings.healthySeconds)
    await network.kill(validators - 1)
    await sleep(settings.settleSeconds * 1_000)
    const down = await phase(network, settings.measuredSeconds)
    const rateRatio = rounded(down.blocksPerSecond / healthy.blocksPerSecond)
    const largestGapMs = down.intervalMs.max
    return {
      settings,
      target: TARGET,
      healthy,
      down,
      rateRatio,
      largestGapMs,
      meetsTarget: rateRatio >= TARGET.rateRatioMin && largestGapMs <= TARGET.gapMsMax,
    }
  } finally {
    await network.stop()
  }
}
