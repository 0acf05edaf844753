/** All trials on networks of one size and fabric: the faults in an order that the seed gives, then the mavericks. */

import { seededRandom } from '../seeded-random.ts'
import { ChaosNetwork, type ChaosNetworkOptions } from './chaos-network.ts'
import { FAULTS } from './faults.ts'
import type { Kernel } from './kernel.ts'
import { MAVERICKS, maverickFault } from './mavericks.ts'
import { NamespaceFabric } from './namespace-fabric.ts'
import type { Namespaces } from './namespaces.ts'
import { type Trial, Trials, type Whole } from './trial.ts'

/** What one process carries out; plain data, so that it can be handed to a process inside the hub. */
export interface CampaignPlan {
  readonly validators: number
  readonly seed: number
  readonly heartbeatMs: number
  /** Null: relays on loopback. */
  readonly inside: { readonly namespaces: Namespaces; readonly kernel: Kernel } | null
  /** Only faults whose names hold this. */
  readonly only: string
  readonly withMavericks: boolean
}

export interface CampaignReport {
  readonly trials: readonly Trial[]
  readonly networks: readonly NetworkEnd[]
}

/** What was checked when a network ended. */
export interface NetworkEnd extends Whole {
  readonly validators: number
  readonly fabric: 'namespaces' | 'relays'
  /** Where the nodes' folders are left when something was wrong. */
  readonly leftIn?: string
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed)
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

export async function campaign(plan: CampaignPlan, told: (trial: Trial) => void): Promise<CampaignReport> {
  const { validators, seed, heartbeatMs, inside, only } = plan
  const options: ChaosNetworkOptions = {
    validators,
    seed,
    heartbeatMs,
    withSmallDisk: true,
    ...(inside === null
      ? {}
      : {
          fabric: (peerIds: readonly string[]) =>
            new NamespaceFabric(inside.namespaces, inside.kernel, peerIds),
        }),
  }
  const faults = shuffled(FAULTS, seed).filter(({ name }) => name.includes(only))
  const mavericks = plan.withMavericks ? MAVERICKS.filter(({ name }) => name.includes(only)) : []
  const trials: Trial[] = []
  const networks: NetworkEnd[] = []
  /** @returns whether the network came up at all */
  const on = async (
    how: ChaosNetworkOptions,
    work: (trials: Trials) => Promise<Trial[]>,
  ): Promise<boolean> => {
    let network: ChaosNetwork
    try {
      network = await ChaosNetwork.start(how)
    } catch (error) {
      const problems = [`the network did not start: ${String(error)}`]
      const fabric = inside === null ? 'relays' : 'namespaces'
      networks.push({ validators, fabric, height: 0, answered: 0, slots: 0, problems })
      return false
    }
    let isWell = false
    try {
      const run = new Trials(network)
      const done = await work(run)
      trials.push(...done)
      const whole = await run.whole()
      isWell = [...done, whole].every(({ problems }) => problems.length === 0)
      const end = { validators, fabric: network.fabric.kind, ...whole }
      networks.push(isWell ? end : { ...end, leftIn: network.home })
    } finally {
      if (isWell) await network.destroy()
      else await network.end()
    }
    return true
  }
  const left = [...faults]
  let isUp = true
  while (isUp && left.length > 0) {
    isUp = await on(options, async (run) => {
      const done: Trial[] = []
      for (let fault = left.shift(); fault !== undefined; fault = left.shift()) {
        const trial = await run.run(fault)
        told(trial)
        done.push(trial)
        // On a network that did not recover nothing more can be learnt: the others have a new one.
        if (trial.recoveryMs === null && trial.notRun === undefined) break
      }
      return done
    })
  }
  for (const { name, habits } of mavericks) {
    await on({ ...options, maverick: habits, withSmallDisk: false }, async (run) => {
      const trial = await run.run(maverickFault(name))
      told(trial)
      return [trial]
    })
  }
  return { trials, networks }
}
