/** The report of `npm run chaos`. Nothing that was not run counts as well: it is listed by name and reason. */

import type { CampaignReport, NetworkEnd } from './campaign.ts'
import type { Trial } from './trial.ts'

export interface ChaosSummary {
  /** At least one fault was run, and nothing was wrong anywhere. */
  readonly isWell: boolean
  readonly run: number
  readonly failed: number
  /** Kinds of faults that were run nowhere, with the reasons. */
  readonly nowhere: readonly { readonly name: string; readonly why: readonly string[] }[]
  /** Longest recovery. */
  readonly recoveryMsMax: number | null
}

export interface ChaosReport {
  readonly summary: ChaosSummary
  readonly trials: readonly Trial[]
  readonly networks: readonly NetworkEnd[]
}

export function summaryOf(trials: readonly Trial[], networks: readonly NetworkEnd[]): ChaosSummary {
  const run = trials.filter(({ notRun }) => notRun === undefined)
  const failed = run.filter(({ problems, recoveryMs }) => problems.length > 0 || recoveryMs === null)
  const names = new Set(trials.map(({ name }) => name))
  for (const { name } of run) names.delete(name)
  const recoveries = run.flatMap(({ recoveryMs }) => (recoveryMs === null ? [] : [recoveryMs]))
  return {
    isWell: run.length > 0 && failed.length === 0 && networks.every(({ problems }) => problems.length === 0),
    run: run.length,
    failed: failed.length,
    nowhere: [...names].map((name) => ({
      name,
      why: [...new Set(trials.flatMap((trial) => (trial.name === name ? [trial.notRun ?? ''] : [])))],
    })),
    recoveryMsMax: recoveries.length === 0 ? null : Math.max(...recoveries),
  }
}

/** @param about machine, commit and settings, put before the rest */
export function reportOf<T extends object>(reports: readonly CampaignReport[], about: T): T & ChaosReport {
  const trials = reports.flatMap((report) => report.trials)
  const networks = reports.flatMap((report) => report.networks)
  return { ...about, summary: summaryOf(trials, networks), trials, networks }
}
