/**
 * Classes of bugs that other implementations had around restarts and disks, each told in the simulator. The class's
 * name begins the title.
 */
import { describe, expect, it } from 'vitest'
import type { Cluster } from './cluster.ts'
import { givenUp, growsBy, hasVoted, liar, make } from './scenario.ts'
import type { SimulatedNode } from './simulated-node.ts'
import { TRANSACTIONS } from './swarm.ts'

/** Two views' worth of one validator's effects. */
const EFFECTS = 40
/** Simulated in real time on a loaded machine; a test waits for its story, never for this. */
const TIMEOUT_MS = 120_000

/** A view takes as long as it needs: nobody gives one up because of a restart. */
const PATIENT = { viewTimeoutMinMs: 3_000, viewTimeoutMaxMs: 3_000, unreachableLeaderTimeoutMs: 3_000 }

async function restart(cluster: Cluster, nodes: readonly SimulatedNode[], downMs = 5): Promise<void> {
  for (const node of nodes) cluster.kill(node)
  await cluster.runFor(downMs)
  for (const node of nodes) cluster.start(node)
}

describe('bug class', { timeout: TIMEOUT_MS }, () => {
  it('vote after restart: a node that dies before any of its effects votes for nothing else in that view', async () => {
    const died = new Set<number>()
    for (let effect = 1; effect <= EFFECTS; effect++) {
      const cluster = make({
        seed: effect,
        byzantine: liar(3, { equivocate: 1, doubleVote: 1, replay: 0.3 }),
        diesAt: (node, at) => node.name === 'v0' && at === effect,
        downMaxMs: 10,
        tearChance: 0.5,
      })
      const hasDied = (): boolean => cluster.node('v0').incarnation > 1
      if (await cluster.runUntil(3_000, hasDied)) died.add(effect)
      expect(await growsBy(cluster, 2), `effect ${effect}`).toBe(true)
      expect(cluster.violations, `effect ${effect}`).toEqual([])
    }
    expect(died.size).toBe(EFFECTS)
  })

  it('barrier that lies: after a failed write or sync, or a torn record, a process stops and never says it', async () => {
    const failing = { diskFailChance: 0.04, tearChance: 1, powerCutEveryMs: 300, downMaxMs: 60 }
    let stops = 0
    for (let seed = 1; seed <= 4; seed++) {
      const cluster = make({ seed, ...failing, healAtMs: 2_000, diskMaxMs: 8 })
      await cluster.runUntil(2_000)
      stops += cluster.nodes.reduce((sum, { incarnation }) => sum + incarnation - 1, 0)
      expect(await growsBy(cluster, 3), `seed ${seed}`).toBe(true)
      expect(cluster.violations, `seed ${seed}`).toEqual([])
    }
    expect(stops).toBeGreaterThan(16)
  })

  it('refuses own vote after restart: with half of the stake restarted inside a view, the view still ends', async () => {
    const cluster = make({ parameters: PATIENT })
    await cluster.runUntil(300)
    const view = (cluster.node('v0').look()?.view ?? 0) + 1
    const half = [cluster.node('v1'), cluster.node('v2')]
    const areBothInside = (): boolean =>
      half.every((node) => hasVoted(node, 'prepare', view) && (node.look()?.view ?? 0) === view)
    expect(await cluster.runFor(2_000, areBothInside)).toBe(true)
    await restart(cluster, half)
    expect(await growsBy(cluster, 3, cluster.honest, 2_000)).toBe(true)
    expect(cluster.node('v0').finalBlocks.map(({ header }) => header.view)).toContain(view)
    expect(cluster.nodes.flatMap(givenUp)).not.toContain(view)
    expect(cluster.violations).toEqual([])
  })

  it('recovery ignores TC: a node that restarts in a view entered by timeouts is in that view again', async () => {
    const cluster = make()
    await cluster.runUntil(500)
    const dead = cluster.node('v3')
    cluster.kill(dead)
    const node = cluster.node('v0')
    const entered = (): number[] =>
      node.events.flatMap((event) =>
        event.kind === 'view-entered' && event.by === 'timeout-certificate' ? [event.view] : [],
      )
    const isInside = (): boolean => {
      const view = entered().at(-1)
      return view !== undefined && node.look()?.view === view && hasVoted(node, 'prepare', view)
    }
    expect(await cluster.runFor(10_000, isInside)).toBe(true)
    const view = node.look()?.view ?? 0
    // The vote is on its way to the disk, and the certificate in its record with it.
    await cluster.runFor(3)
    await restart(cluster, [node])
    await cluster.runFor(0)
    expect(node.look()?.view).toBeGreaterThanOrEqual(view)
    expect(await growsBy(cluster, 3, [node, cluster.node('v1'), cluster.node('v2')])).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('WAL replay equivocation: a leader that restarts with other requests says its old proposal again', async () => {
    const [first, ...others] = TRANSACTIONS
    if (first === undefined) throw new Error('no transactions')
    const cluster = make({ parameters: { ...PATIENT, heartbeatMs: 1_000 } })
    const leader = cluster.node('v1')
    const proposalsOf = (view: number | undefined): number =>
      leader.events.filter((event) => event.kind === 'proposed' && event.view === view).length
    // Its own view, and it waits for something to do.
    const isWaiting = (): boolean => {
      const look = leader.look()
      return look !== null && look.leader === leader.index && look.view > 2 && proposalsOf(look.view) === 0
    }
    expect(await cluster.runFor(10_000, isWaiting)).toBe(true)
    const view = leader.look()?.view ?? 0
    const proposals = (): number => proposalsOf(view)
    // Nobody else knows the request: only the leader can put it into a block.
    cluster.separate([leader], false)
    leader.submit(first)
    expect(await cluster.runFor(2_000, () => proposals() === 1)).toBe(true)
    await cluster.runFor(5)
    cluster.kill(leader)
    cluster.heal()
    cluster.start(leader)
    await cluster.runFor(0)
    for (const other of others) leader.submit(other)
    expect(await growsBy(cluster, 2)).toBe(true)
    expect(proposals()).toBe(1)
    const block = leader.finalBlocks.find(({ header }) => header.view === view)
    expect(block?.transactions.map(({ requestKey }) => requestKey)).toEqual([first.requestKey])
    expect(cluster.violations).toEqual([])
  })
})
