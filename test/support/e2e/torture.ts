/**
 * kill -9 of validators under load, again and again, and what must hold afterwards: nothing that was shown as final
 * and no verdict that was given is lost or changed, all chains are equal, nobody signed two contents for one slot,
 * and every node came back by itself.
 */

import { seededRandom } from '../seeded-random.ts'
import { compareChains } from './chains.ts'
import { FinalityWatch } from './finality-watch.ts'
import type { LocalNetwork } from './local-network.ts'
import type { NodeProcess } from './node-process.ts'
import { type Answered, changedAnswers, Trickle } from './trickle.ts'
import { until } from './until.ts'

/** Longest that a network may take to be ready after its nodes are started again, on a loaded machine. */
const RECOVERY_DEADLINE_MS = 60_000
const RUN_MS = { min: 500, max: 3_000 }
const DOWN_MS_MAX = 1_500
/** A second blow while a node is still coming up. */
const AGAIN_SHARE = 0.3
const AGAIN_MS_MAX = 800
/** Of earlier rounds' answers, asked again in each round; all are at the end. */
const OLD_ANSWERS_ASKED = 30

export interface Round {
  readonly killed: readonly string[]
  readonly struckAgain: readonly string[]
  /** From the start of the last node to all ready. */
  readonly recoveryMs: number
  readonly height: number
  /** Verdicts received up to now. */
  readonly answered: number
  /** What should not be; empty when all is well. */
  readonly problems: readonly string[]
}

export interface TortureReport {
  readonly rounds: readonly Round[]
  readonly height: number
  readonly answered: number
  readonly refused: number
  readonly signatures: { readonly files: number; readonly slots: number }
  readonly problems: readonly string[]
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** How the rounds are chosen: every third strikes all nodes at once, the others one, two or three of them. */
function victimsOf(round: number, nodes: readonly NodeProcess[], random: () => number): NodeProcess[] {
  if (round % 3 === 2) return [...nodes]
  const shuffled = nodes
    .map((node) => ({ node, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ node }) => node)
  return shuffled.slice(0, 1 + Math.floor(random() * (nodes.length - 1)))
}

export async function torture(
  network: LocalNetwork,
  rounds: number,
  seed: number,
  told: (round: Round, index: number) => void = () => undefined,
): Promise<TortureReport> {
  const random = seededRandom(seed)
  const { nodes, witness } = network
  const watch = new FinalityWatch(nodes)
  const trickle = new Trickle(nodes, random)
  const done: Round[] = []
  let compared = 0
  try {
    for (let i = 0; i < rounds; i++) {
      await until(() => trickle.answered.length > 0, 20_000, 'a first verdict')
      await pause(RUN_MS.min + random() * (RUN_MS.max - RUN_MS.min))
      const victims = victimsOf(i, nodes, random)
      const struckAgain = await strike(victims, random)
      const startedAt = performance.now()
      const highest = watch.highest
      await Promise.all(nodes.map((node) => node.ready(RECOVERY_DEADLINE_MS)))
      const recoveryMs = Math.round(performance.now() - startedAt)
      await until(
        async () => Math.min(...(await Promise.all(nodes.map((node) => node.height())))) > highest,
        RECOVERY_DEADLINE_MS,
        'blocks go on at every node',
      )
      const chains = await compareChains(nodes, Math.max(1, compared))
      compared = chains.height
      const asked = sample(trickle.answered, random)
      const round: Round = {
        killed: victims.map(({ name }) => name),
        struckAgain,
        recoveryMs,
        height: chains.height,
        answered: trickle.answered.length,
        problems: [
          ...chains.differences,
          ...(await lostBlocks(watch, nodes)),
          ...(await changedAnswers(asked, nodes)),
          ...victims.flatMap(complaints),
        ],
      }
      done.push(round)
      told(round, i)
    }
  } finally {
    await trickle.stop()
    await watch.stop()
  }
  const whole = await compareChains(nodes)
  const { files, slots, contradictions } = await witness.testify()
  return {
    rounds: done,
    height: whole.height,
    answered: trickle.answered.length,
    refused: trickle.refused,
    signatures: { files, slots },
    problems: [
      ...done.flatMap(({ problems }) => problems),
      ...whole.differences,
      ...(await changedAnswers(trickle.answered, nodes)),
      ...contradictions,
    ],
  }
}

/** Kills them in one moment, starts each after a while, and some a second time while they come up. */
async function strike(victims: readonly NodeProcess[], random: () => number): Promise<string[]> {
  const endings = await Promise.all(victims.map((node) => node.kill()))
  for (const { signal } of endings) if (signal !== 'SIGKILL') throw new Error('a node had ended by itself')
  const plans = victims.map((node) => ({
    node,
    downMs: random() * DOWN_MS_MAX,
    againMs: random() < AGAIN_SHARE ? random() * AGAIN_MS_MAX : null,
  }))
  await Promise.all(
    plans.map(async ({ node, downMs, againMs }) => {
      await pause(downMs)
      node.start()
      if (againMs === null) return
      await pause(againMs)
      await node.kill()
      node.start()
    }),
  )
  return plans.filter(({ againMs }) => againMs !== null).map(({ node }) => node.name)
}

/** Final blocks that a node showed and does not have any more. */
async function lostBlocks(watch: FinalityWatch, nodes: readonly NodeProcess[]): Promise<string[]> {
  const lost: string[] = []
  for (const node of nodes) {
    const seen = watch.of(node).slice(-200)
    for (const { height, hash } of seen) {
      const block = await node.block(height)
      if (block.hash !== hash) lost.push(`${node.name} had ${hash} final at ${height}, now ${block.hash}`)
    }
  }
  return lost
}

/** Errors in a node's log: a person would be wanted, and none must be. */
function complaints(node: NodeProcess): string[] {
  return node
    .log()
    .split('\n')
    .filter((line) => line.includes('"level":"error"') || /^E_[A-Z_]+: /.test(line))
    .map((line) => `${node.name}: ${line}`)
}

/** The last answers, and some of the earlier ones. */
function sample(answered: readonly Answered[], random: () => number): Answered[] {
  const late = answered.slice(-OLD_ANSWERS_ASKED)
  const early = answered.slice(0, -OLD_ANSWERS_ASKED)
  return [...late, ...Array.from({ length: OLD_ANSWERS_ASKED }, () => pick(early, random))].filter(
    (entry) => entry !== undefined,
  )
}

function pick(from: readonly Answered[], random: () => number): Answered | undefined {
  return from[Math.floor(random() * from.length)]
}
