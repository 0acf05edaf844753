/**
 * One fault on a running network and the outside verdict: the others went on meanwhile, everyone was back within
 * 20 s, all chains and state roots are equal, nothing final and no answer was lost, nobody signed two contents.
 */

import { loadavg } from 'node:os'
import { compareChains } from '../e2e/chains.ts'
import type { NodeProcess } from '../e2e/node-process.ts'
import { changedAnswers } from '../e2e/trickle.ts'
import { until } from '../e2e/until.ts'
import { type ChaosNetwork, ComplaintReader } from './chaos-network.ts'
import { type Fault, notRun } from './faults.ts'
import { LostBlocks } from './lost-blocks.ts'

/** CometBFT's rule for its end-to-end networks (spec/testing.md). */
export const RECOVERY_MS_MAX = 20_000
/** Slow is told apart from stuck. */
const PATIENCE_MS = 120_000
/** New final blocks of each node that count as going on. */
const NEW_BLOCKS = 3
/** Answers asked again after each fault; all are at the end of a campaign. */
const ANSWERS_ASKED = 20

export interface Trial {
  readonly name: string
  readonly fabric: 'namespaces' | 'relays'
  /** Validators in the network. */
  readonly nodes: number
  /** Names of those that were hurt. */
  readonly victims: readonly string[]
  /** How long the fault lasted, with what was waited for meanwhile. */
  readonly appliedMs: number
  /** From the beginning of taking it back until every node was ready and had new final blocks; null: never. */
  readonly recoveryMs: number | null
  /** Blocks that became final meanwhile at those who were not hurt, the least of them. */
  readonly blocksMeanwhile: number | null
  /** Of the machine at the end, over one minute: a recovery is also the time that processes wait for a core. */
  readonly load: number
  readonly problems: readonly string[]
  /** Why it could not be done here. */
  readonly notRun?: string
}

/** What was found over all of a network's history. */
export interface Whole {
  /** Blocks that all honest nodes have, equal in hash and state root. */
  readonly height: number
  /** Verdicts that were received, and asked again. */
  readonly answered: number
  /** Slots of honest validators with a signature. */
  readonly slots: number
  readonly problems: readonly string[]
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const loadNow = (): number => Math.round((loadavg()[0] ?? 0) * 10) / 10
const said = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function lowest(nodes: readonly NodeProcess[]): Promise<number> {
  return Math.min(...(await Promise.all(nodes.map((node) => node.height()))))
}

/** Carries out the trials of one network, and looks at all of its history at the end. */
export class Trials {
  readonly #network: ChaosNetwork
  readonly #complaints = new ComplaintReader()
  readonly #lost: LostBlocks
  #compared = 1

  constructor(network: ChaosNetwork) {
    this.#network = network
    this.#lost = new LostBlocks(network.watch, network.honest)
  }

  async run(fault: Fault): Promise<Trial> {
    const network = this.#network
    const reason = notRun(fault, network)
    const about = { name: fault.name, fabric: network.fabric.kind, nodes: network.nodes.length }
    if (reason !== null) {
      const nothing = { victims: [], appliedMs: 0, recoveryMs: null, blocksMeanwhile: null, problems: [] }
      return { ...about, ...nothing, load: loadNow(), notRun: reason }
    }
    const problems: string[] = []
    let victims: readonly number[] = []
    let hurt: readonly NodeProcess[] = []
    let blocksMeanwhile: number | null = null
    const appliedAt = performance.now()
    try {
      victims = await fault.victims(network)
      hurt = victims.map((victim) => network.node(victim))
      await fault.apply(network, victims)
      const others = network.honest.filter((node) => !hurt.includes(node))
      if (fault.goesOn) blocksMeanwhile = await this.#goOn(others, fault.lastsMs)
      else await pause(fault.lastsMs)
    } catch (error) {
      problems.push(said(error))
    }
    const liftedAt = performance.now()
    // Before anything can come back: what becomes final from here on is new.
    const { highest } = network.watch
    let recoveryMs: number | null = null
    try {
      await fault.lift(network, victims)
      await this.#recovered(highest)
      recoveryMs = Math.round(performance.now() - liftedAt)
      if (recoveryMs > RECOVERY_MS_MAX) problems.push(`recovered after ${recoveryMs} ms only`)
    } catch (error) {
      problems.push(said(error))
    }
    problems.push(...(await this.#verdict(fault.mayComplain === true ? hurt : [])))
    return {
      ...about,
      victims: hurt.map(({ name }) => name),
      appliedMs: Math.round(liftedAt - appliedAt),
      recoveryMs,
      blocksMeanwhile,
      load: loadNow(),
      problems,
    }
  }

  /** Blocks become final at all of these while the fault lasts. @returns how many, at the slowest */
  async #goOn(nodes: readonly NodeProcess[], lastsMs: number): Promise<number> {
    const startedAt = performance.now()
    const before = Math.max(...(await Promise.all(nodes.map((node) => node.height()))))
    const enough = async (): Promise<boolean> => (await lowest(nodes)) >= before + NEW_BLOCKS
    await until(enough, Math.max(lastsMs, RECOVERY_MS_MAX), 'those who are not hurt go on')
    await pause(Math.max(0, lastsMs - (performance.now() - startedAt)))
    return (await lowest(nodes)) - before
  }

  async #recovered(highest: number): Promise<void> {
    const { honest } = this.#network
    await until(
      async () => {
        if ((await lowest(honest)) < highest + NEW_BLOCKS) return false
        return (await Promise.all(honest.map((node) => node.readiness()))).every(
          ({ status }) => status === 200,
        )
      },
      PATIENCE_MS,
      () => `every node is ready and has ${NEW_BLOCKS} blocks above ${highest}`,
    )
  }

  /** What the chains, signatures, answers and logs of all honest nodes say, each as far as it is new. */
  async #verdict(mayComplain: readonly NodeProcess[]): Promise<string[]> {
    const { honest, trickle, witness, hasMaverick } = this.#network
    const complaints = honest
      .map((node) => ({ node, lines: this.#complaints.of(node) }))
      .flatMap(({ node, lines }) => (mayComplain.includes(node) ? [] : lines))
    try {
      const chains = await compareChains(honest, this.#compared)
      this.#compared = Math.max(1, chains.height)
      return [
        ...complaints,
        ...chains.differences,
        ...(await this.#lost.find()),
        ...(await changedAnswers(trickle.answered.slice(-ANSWERS_ASKED), honest)),
        ...(await witness.testify(hasMaverick)).contradictions,
      ]
    } catch (error) {
      return [...complaints, `the verdict was not reached: ${said(error)}`]
    }
  }

  /** Everything from the first block on, at all honest nodes that run. */
  async whole(): Promise<Whole> {
    const { trickle, witness, hasMaverick } = this.#network
    await trickle.stop()
    const honest = this.#network.honest.filter(({ isRunning }) => isRunning)
    const problems = this.#network.honest
      .filter(({ isRunning }) => !isRunning)
      .map(({ name }) => `${name} does not run at the end`)
    const { slots, contradictions } = await witness.testify(hasMaverick)
    problems.push(...contradictions)
    let height = 0
    try {
      const chains = await compareChains(honest)
      height = chains.height
      const answered = trickle.answered.filter(({ node }) => node.isRunning)
      problems.push(...chains.differences, ...(await changedAnswers(answered, honest)))
    } catch (error) {
      problems.push(`the verdict was not reached: ${said(error)}`)
    }
    if (slots === 0 || height === 0) problems.push('there is nothing to judge: no blocks or no signatures')
    return { height, answered: trickle.answered.length, slots, problems }
  }
}
