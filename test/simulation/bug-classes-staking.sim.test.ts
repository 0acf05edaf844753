/**
 * Classes of bugs that other implementations had around evidence and changes of the validator set, each told in the
 * simulator. The class's name begins the title.
 */
import { describe, expect, it } from 'vitest'
import type { Cluster } from './cluster.ts'
import { growsBy, liar, make } from './scenario.ts'

/** Simulated in real time on a loaded machine; a test waits for its story, never for this. */
const TIMEOUT_MS = 120_000

/** Punishments on the ledger of every honest node that is up, as account ids. */
function punished(cluster: Cluster): string[][] {
  return cluster.honest
    .filter(({ process }) => process !== null)
    .map((node) => node.process?.chain.tip.staking.slashes.map(({ account }) => account) ?? [])
}

describe('bug class', { timeout: TIMEOUT_MS }, () => {
  it('evidence handling: a second vote is seen before and after a quorum, and its voter is punished once', async () => {
    const cluster = make({ byzantine: liar(3, { doubleVote: 1, equivocate: 1 }) })
    const isPunished = (): boolean => punished(cluster).every((accounts) => accounts.length > 0)
    expect(await cluster.runFor(20_000, isPunished)).toBe(true)
    // It goes on lying; what the honest ones see of it changes nothing any more.
    expect(await growsBy(cluster, 30)).toBe(true)
    const liarId = cluster.electorate.set.validators[3]?.id
    expect(punished(cluster)).toEqual([[liarId], [liarId], [liarId]])
    expect(cluster.violations).toEqual([])
  })

  it('evidence handling: a power cut while it waits for its block costs no punishment, and makes none twice', async () => {
    const cluster = make({ byzantine: liar(3, { doubleVote: 1, equivocate: 1 }) })
    const isSeen = (): boolean =>
      cluster.honest.some((node) => node.events.some(({ kind }) => kind === 'equivocation-seen'))
    expect(await cluster.runFor(20_000, isSeen)).toBe(true)
    cluster.powerCut()
    const isPunished = (): boolean => punished(cluster).every((accounts) => accounts.length > 0)
    expect(await cluster.runFor(20_000, isPunished)).toBe(true)
    expect(punished(cluster).every((accounts) => accounts.length === 1)).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('evidence handling: replays of what honest validators said convict nobody', async () => {
    const cluster = make({ byzantine: liar(3, { replay: 1, impersonate: 1, forgeCertificate: 1 }) })
    expect(await growsBy(cluster, 40)).toBe(true)
    expect(punished(cluster)).toEqual([[], [], []])
    expect(cluster.violations).toEqual([])
  })

  it('validator-set change: the set after the edge goes on with f of the old one dead at the switch', async () => {
    const cluster = make({ parameters: { epochBlocks: 8 } })
    const victim = cluster.node('v2')
    const isAtEdge = (): boolean => cluster.honest.some((node) => node.height % 8 === 7 && node.height > 8)
    expect(await cluster.runFor(20_000, isAtEdge)).toBe(true)
    cluster.kill(victim)
    const others = cluster.honest.filter((node) => node !== victim)
    const goal = Math.max(...others.map(({ height }) => height)) + 24
    expect(await cluster.runFor(60_000, () => others.every(({ height }) => height >= goal))).toBe(true)
    expect(others.every((node) => (node.look()?.epoch ?? 0) >= 3)).toBe(true)
    cluster.start(victim)
    const isBack = (): boolean => victim.height >= goal
    expect(await cluster.runFor(60_000, isBack)).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('validator-set change: a punished validator is out of the next set, and the quorum is of those who are left', async () => {
    const cluster = make({
      parameters: { epochBlocks: 8 },
      byzantine: liar(3, { doubleVote: 1, equivocate: 1 }),
    })
    const setSizes = (): number[] =>
      cluster.honest.map((node) => node.process?.chain.tip.staking.validators.length ?? 0)
    expect(await cluster.runFor(40_000, () => setSizes().every((size) => size === 3))).toBe(true)
    expect(await growsBy(cluster, 20)).toBe(true)
    expect(cluster.violations).toEqual([])
  })
})
