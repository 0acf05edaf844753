/**
 * What is done to a network, one fault after the other. Each says whom it hurts, so that it can be checked that the
 * others go on when they are a quorum, and how it is taken back. What must hold afterwards is trial.ts's business.
 */

import { until } from '../e2e/until.ts'
import type { ChaosNetwork } from './chaos-network.ts'
import type { FabricNeed } from './fabric.ts'
import { FakeClock } from './fake-clock.ts'
import { SmallDisk } from './small-disk.ts'

export interface Fault {
  readonly name: string
  readonly needs: readonly (FabricNeed | 'clock' | 'small-disk')[]
  /** Whether enough of the others stay unhurt for blocks to go on meanwhile. */
  readonly goesOn: boolean
  /** Who is hurt, as validator indexes. */
  readonly victims: (network: ChaosNetwork) => Promise<readonly number[]> | readonly number[]
  readonly apply: (network: ChaosNetwork, victims: readonly number[]) => Promise<void>
  /** How long it lasts, at least. */
  readonly lastsMs: number
  /** Takes it back. Resolves at once: recovery is measured from the beginning of this. */
  readonly lift: (network: ChaosNetwork, victims: readonly number[]) => Promise<void>
  /** Whether the victims may say that a person is needed. */
  readonly mayComplain?: boolean
}

const heal = (network: ChaosNetwork): Promise<void> => network.fabric.heal()
const everyone = ({ nodes }: ChaosNetwork): number[] => [...nodes.keys()]
const nobody = (): number[] => []
const anyone = ({ nodes, random }: ChaosNetwork): number[] => [Math.floor(random() * nodes.length)]
const last = ({ nodes }: ChaosNetwork): number[] => [nodes.length - 1]

/** The validator whose turn it is, as one of the others sees it. */
async function leader({ nodes }: ChaosNetwork): Promise<number[]> {
  const [first] = nodes
  if (first === undefined) return []
  const { leader: current } = await first.status()
  return current === null ? [] : [current.validatorIndex]
}

/** So many that no side has a quorum. */
function half({ nodes }: ChaosNetwork): number[] {
  return [...nodes.keys()].slice(0, Math.ceil(nodes.length / 2))
}

async function separate({ nodes, fabric }: ChaosNetwork, some: readonly number[]): Promise<void> {
  for (const one of some) {
    for (const other of nodes.keys()) {
      if (some.includes(other)) continue
      await fabric.cut(one, other)
      await fabric.cut(other, one)
    }
  }
}

async function jump(network: ChaosNetwork, victims: readonly number[], seconds: number): Promise<void> {
  const { clock } = network
  if (!(clock instanceof FakeClock)) throw new Error(clock)
  for (const victim of victims) {
    const node = network.node(victim)
    clock.jump(0)
    node.environment = clock.environment
    await node.terminate()
    node.start()
    await node.ready(60_000)
  }
  clock.jump(seconds)
}

async function setClockRight({ clock }: ChaosNetwork): Promise<void> {
  if (clock instanceof FakeClock) clock.jump(0)
}

function shaped(
  name: string,
  needs: readonly FabricNeed[],
  shape: Parameters<ChaosNetwork['fabric']['shape']>[1],
  victims: Fault['victims'] = nobody,
): Fault {
  return {
    name,
    needs,
    goesOn: true,
    victims,
    apply: async (network, hurt) => {
      for (const node of hurt.length === 0 ? everyone(network) : hurt) await network.fabric.shape(node, shape)
    },
    lastsMs: 8_000,
    lift: heal,
  }
}

/** Everything but the maverick, in the order in which a person would try it. */
export const FAULTS: readonly Fault[] = [
  shaped('delay of 60 ms with jitter of 20', ['delay'], { delayMs: 60, jitterMs: 20 }),
  shaped('loss of 5 %', ['loss'], { lossPercent: 5 }),
  shaped('one-way loss of 50 %', ['loss'], { lossPercent: 50 }, anyone),
  shaped('slow link of 1 Mbit/s', ['rate'], { bitsPerSecond: 1_000_000 }, anyone),
  {
    name: 'one-way cut',
    needs: ['cut'],
    goesOn: true,
    victims: anyone,
    apply: async ({ nodes, fabric }, victims) => {
      for (const victim of victims) {
        for (const other of nodes.keys()) if (other !== victim) await fabric.cut(victim, other)
      }
    },
    lastsMs: 10_000,
    lift: heal,
  },
  {
    name: 'partition into halves',
    needs: ['cut'],
    goesOn: false,
    victims: half,
    apply: separate,
    lastsMs: 10_000,
    lift: heal,
  },
  {
    name: 'isolated leader',
    needs: ['cut'],
    goesOn: true,
    victims: leader,
    apply: separate,
    lastsMs: 10_000,
    lift: heal,
  },
  {
    name: 'connection resets',
    needs: ['reset'],
    goesOn: true,
    victims: nobody,
    apply: async ({ nodes, fabric }) => {
      for (const node of nodes.keys()) {
        await fabric.reset(node)
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    },
    lastsMs: 2_000,
    lift: heal,
  },
  {
    name: 'kill -9 of one',
    needs: [],
    goesOn: true,
    victims: anyone,
    apply: async (network, victims) => {
      for (const victim of victims) await network.node(victim).kill()
    },
    lastsMs: 5_000,
    lift: async (network, victims) => {
      for (const victim of victims) network.node(victim).start()
    },
  },
  {
    name: 'kill -9 of all',
    needs: [],
    goesOn: false,
    victims: everyone,
    apply: async ({ nodes }) => {
      await Promise.all(nodes.map((node) => node.kill()))
    },
    lastsMs: 1_000,
    lift: async ({ nodes }) => {
      for (const node of nodes) node.start()
    },
  },
  {
    name: 'SIGSTOP for 10 s',
    needs: [],
    goesOn: true,
    victims: anyone,
    apply: async (network, victims) => {
      for (const victim of victims) network.node(victim).pause()
    },
    lastsMs: 10_000,
    lift: async (network, victims) => {
      for (const victim of victims) network.node(victim).resume()
    },
  },
  {
    name: 'clock jump forward by 60 s',
    needs: ['clock'],
    goesOn: true,
    victims: last,
    apply: (network, victims) => jump(network, victims, 60),
    lastsMs: 10_000,
    lift: setClockRight,
  },
  {
    name: 'clock jump back by 60 s',
    needs: ['clock'],
    goesOn: true,
    victims: last,
    apply: (network, victims) => jump(network, victims, -60),
    lastsMs: 10_000,
    lift: setClockRight,
  },
  {
    name: 'disk full',
    needs: ['small-disk'],
    goesOn: true,
    victims: last,
    apply: fillDisk,
    lastsMs: 2_000,
    lift: async (network, victims) => {
      if (network.disk instanceof SmallDisk) network.disk.free()
      for (const victim of victims) network.node(victim).start()
    },
    mayComplain: true,
  },
]

/** Fills it and waits until the node has stopped by itself, saying why. */
async function fillDisk(network: ChaosNetwork, victims: readonly number[]): Promise<void> {
  const { disk } = network
  if (!(disk instanceof SmallDisk)) throw new Error(disk)
  const node = network.node(victims[0] ?? 0)
  disk.fill()
  await until(() => !node.isRunning, 30_000, 'the node stops when its disk is full')
  const { code, signal } = await node.ended
  if (signal !== null || code === 0) throw new Error(`it ended with code ${code}, signal ${signal}`)
  if (!/ENOSPC|no space left/i.test(node.log())) {
    throw new Error(`it did not say that the disk is full; its last words: ${node.log().slice(-500)}`)
  }
}

/** Why a network has not what a fault needs; null when it has. */
export function notRun({ needs }: Fault, { fabric, clock, disk }: ChaosNetwork): string | null {
  const reasons = needs.map((need) => {
    if (need === 'clock') return clock instanceof FakeClock ? null : clock
    if (need === 'small-disk') return disk instanceof SmallDisk ? null : disk
    return fabric.missing(need)
  })
  return reasons.find((reason) => reason !== null) ?? null
}
