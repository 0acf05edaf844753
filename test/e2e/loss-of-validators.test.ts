/**
 * Four nodes from `testnet init`, started by hand. One is killed: blocks go on without a stall. A second is killed:
 * nothing is final, and the others say why. Both come back: everything goes on, and nobody signed two things.
 */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../support/cli/processes.ts'
import { ask } from '../support/e2e/ca-client.ts'
import { blocksOf, compareChains, intervalsMs } from '../support/e2e/chains.ts'
import { FinalityWatch } from '../support/e2e/finality-watch.ts'
import { certificate, certificateBody } from '../support/e2e/fresh.ts'
import { LocalNetwork } from '../support/e2e/local-network.ts'
import { HYPERMESH, type NodeProcess } from '../support/e2e/node-process.ts'
import { Trickle } from '../support/e2e/trickle.ts'
import { until } from '../support/e2e/until.ts'
import { seededRandom } from '../support/seeded-random.ts'

/** The heartbeat of a local network, and what the issue calls a stall. */
const STALL_MS = 2_000
/** Within what an answer is promised by default. A verdict takes some blocks, and none of them is late. */
const ANSWER_MS = 8_000
/** A look every 20 ms, and what five processes on two cores add to it. */
const SIGHT_SLACK_MS = 100

let network: LocalNetwork

const running = (): NodeProcess[] => network.nodes.filter(({ isRunning }) => isRunning)

beforeAll(async () => {
  network = await LocalNetwork.create({
    make: async (out, basePort) => {
      const args = ['testnet', 'init', '--validators', '4', '--out', out, '--base-port', String(basePort)]
      args.push('--assurance', 'declared')
      const { code, stderr } = await run([...HYPERMESH, ...args]).ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return [0, 1, 2, 3].map((i) => join(out, `node-${i}`))
    },
  })
  await network.startAll()
})

afterAll(async () => {
  await network?.destroy()
})

/** Blocks at every running node, from a little before until now: their times and when they were seen. */
async function longestGaps(
  watch: FinalityWatch,
  since: { height: number; at: number },
): Promise<{ byBlocks: number; bySight: number }> {
  const now = performance.now()
  const gaps = await Promise.all(
    running().map(async (node) => ({
      byBlocks: Math.max(...intervalsMs(await blocksOf(node, since.height, await node.height()))),
      bySight: watch.longestGapMs(node, since.at, now),
    })),
  )
  return {
    byBlocks: Math.max(...gaps.map(({ byBlocks }) => byBlocks)),
    bySight: Math.max(...gaps.map(({ bySight }) => bySight)),
  }
}

/** The node whose turn it is: the one whose loss is felt at once. */
async function leaderOfNow(): Promise<NodeProcess> {
  const { leader } = await network.node(0).status()
  if (leader === null) throw new Error('a BFT network has leaders')
  return network.node(leader.validatorIndex)
}

describe('one of four killed', () => {
  it('while nothing is asked: the heartbeat is kept', { timeout: 60_000 }, async () => {
    const watch = new FinalityWatch(network.nodes)
    const first = await network.node(0).height()
    await until(async () => (await network.node(0).height()) >= first + 2, 10_000, 'two idle blocks')
    // In the middle of its wait: what is left of the delay is the next leader's to wait, no more.
    const { final } = await network.node(0).status()
    await until(() => Date.now() > final.time + STALL_MS / 2, 5_000, 'half a heartbeat')
    const victim = await leaderOfNow()
    // From the block before the kill: how soon the first blocks follow each other tells how long the processes start.
    const since = { height: final.height, at: performance.now() }
    await victim.kill()
    const [witness] = running()
    await until(async () => ((await witness?.height()) ?? 0) >= first + 7, 20_000, 'five blocks without it')
    const gaps = await longestGaps(watch, since)
    await watch.stop()
    victim.start()
    await victim.ready()
    expect(gaps.byBlocks).toBeLessThanOrEqual(STALL_MS)
    expect(gaps.bySight).toBeLessThanOrEqual(STALL_MS + SIGHT_SLACK_MS)
  })

  it('while requests come: every request is answered, and no block is late', {
    timeout: 60_000,
  }, async () => {
    const watch = new FinalityWatch(network.nodes)
    const survivors = network.nodes.slice(0, 3)
    const victim = network.node(3)
    const since = { height: await network.node(0).height(), at: performance.now() }
    const trickle = new Trickle(survivors, seededRandom(4))
    await until(() => trickle.answered.length >= 10, 20_000, 'ten verdicts from four validators')
    await victim.kill()
    const killedAt = performance.now()
    const isLate = ({ sentAt }: { sentAt: number }): boolean => sentAt > killedAt
    await until(
      () => trickle.answered.filter(isLate).length >= 60,
      30_000,
      'sixty verdicts from three validators',
    )
    const gaps = await longestGaps(watch, since)
    await trickle.stop()
    await watch.stop()
    expect(trickle.refused).toBe(0)
    expect(gaps.byBlocks).toBeLessThanOrEqual(STALL_MS)
    expect(gaps.bySight).toBeLessThanOrEqual(STALL_MS + SIGHT_SLACK_MS)
    expect(Math.max(...trickle.answered.map(({ latencyMs }) => latencyMs))).toBeLessThanOrEqual(ANSWER_MS)
    for (const node of survivors) expect((await node.readiness()).status).toBe(200)
  })
})

describe('two of four killed', () => {
  it('nothing is final, and those who are left say why', { timeout: 60_000 }, async () => {
    await network.node(1).kill()
    const [one, other] = running()
    if (one === undefined || other === undefined) throw new Error('two nodes run')
    const pending = certificateBody(certificate())
    const unanswered = ask(one.ca, 'certificate', pending)
    // What was on its way when the node died may still become final.
    await until(async () => (await one.readiness()).status === 503, 20_000, 'node 0 is not ready')
    const height = await one.height()
    for (const node of [one, other]) {
      const { status, checks } = await until(
        async () => {
          const readiness = await node.readiness()
          const failing = readiness.checks.filter(({ ok }) => !ok).map(({ name }) => name)
          return failing.includes('quorum') && failing.includes('finality') ? readiness : null
        },
        20_000,
        `${node.name} says what is missing`,
      )
      expect(status).toBe(503)
      const reasons = Object.fromEntries(checks.map(({ name, reason }) => [name, reason]))
      expect(reasons['quorum']).toBe(
        'connected to stake 2000 of 4000, a quorum is 2667; 2 of 4 validators, missing 1, 3',
      )
      expect(reasons['finality']).toMatch(
        new RegExp(`^no block final for \\d+\\.\\d s .*; last is height ${height}, now in view \\d+$`),
      )
      const { ready, notReadyBecause } = await node.status()
      expect(ready).toBe(false)
      expect(notReadyBecause.join()).toContain('missing 1, 3')
    }
    const late = JSON.parse((await unanswered).text).result
    expect(late.Error.error_code).toMatch(/^(?:VALIDATION_TIMEOUT|CONSENSUS_NOT_INITIALIZED)$/)
    const refused = await ask(other.ca, 'certificate', certificateBody(certificate()))
    expect(refused.status).toBe(503)
    expect(JSON.parse(refused.text).result.Error.message).toContain('no block final for')
    expect(await one.height()).toBe(height)
    expect(await other.height()).toBe(height)

    for (const i of [1, 3]) network.node(i).start()
    await Promise.all(network.nodes.map((node) => node.ready()))
    const answered = await ask(one.ca, 'certificate', pending)
    expect(JSON.parse(answered.text).result).toBe('Valid')
  })

  it('leaves equal chains, and no two signatures for one slot', { timeout: 60_000 }, async () => {
    const last = await network.node(0).height()
    await until(
      async () => (await Promise.all(network.nodes.map((node) => node.height()))).every((h) => h > last + 1),
      20_000,
      'blocks go on at all four',
    )
    const { height, differences } = await compareChains(network.nodes)
    expect(differences).toEqual([])
    expect(height).toBeGreaterThan(last)
    const testimony = await network.witness.testify()
    expect(testimony.contradictions).toEqual([])
    expect(testimony.slots).toBeGreaterThan(4 * height)
    for (const node of network.nodes) expect(node.log()).not.toContain('"level":"error"')
  })
})
