/** Verdicts in told networks: partitions (T15), how long a verdict takes, and what the ballots cost on the wire. */
import { describe, expect, it } from 'vitest'
import { decodeMessage } from '../../src/codec/messages.ts'
import type { HashedTransaction } from '../../src/types/transaction.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import type { Cluster, ClusterOptions } from './cluster.ts'
import { make } from './scenario.ts'
import type { SimulatedNode } from './simulated-node.ts'
import { requestsNumbered } from './swarm.ts'

/** Simulated in real time on a loaded machine; a test waits for its story, never for this. */
const TIMEOUT_MS = 120_000

const REQUESTS = requestsNumbered(12)

/** Verdicts that a node holds. */
function verdictsAt(node: SimulatedNode, requests: readonly HashedTransaction[] = REQUESTS): VerdictRecord[] {
  return requests.flatMap(({ requestKey }) => node.process?.chain.state.verdict(requestKey) ?? [])
}

function trustAt(node: SimulatedNode): number[] {
  return [...(node.process?.chain.state.voting.trust.values() ?? [])].map(({ ppm }) => ppm)
}

/** Clients give requests, one every so often, to the first three in turn. */
function asked(options: Partial<ClusterOptions> = {}): Cluster {
  const cluster = make(options)
  REQUESTS.forEach((request, i) => {
    cluster.at(10 + i * 50, () => cluster.offer(request, cluster.node(`v${i % 3}`)))
  })
  return cluster
}

/** Some requests are decided, some are in the middle of their ballots, some come when it is cut. */
async function busy(isCalm = true): Promise<Cluster> {
  const cluster = asked({ isCalm })
  const isUnderWay = (): boolean => cluster.honest.every((node) => verdictsAt(node).length >= 3)
  expect(await cluster.runFor(5_000, isUnderWay)).toBe(true)
  return cluster
}

async function expectAllJudged(cluster: Cluster): Promise<void> {
  const isDone = (): boolean => cluster.honest.every((node) => verdictsAt(node).length === REQUESTS.length)
  expect(await cluster.runFor(20_000, isDone)).toBe(true)
  for (const node of cluster.honest) {
    expect(verdictsAt(node).every(({ status }) => status === 'valid')).toBe(true)
  }
  expect(cluster.violations).toEqual([])
}

describe('a partition', { timeout: TIMEOUT_MS }, () => {
  it('in halves: no verdict on either side, heights stand still, and nobody pays when it heals (T15)', async () => {
    const cluster = await busy()
    cluster.separate(cluster.nodes.slice(0, 2))
    await cluster.runFor(500)
    const still = cluster.nodes.map((node) => [node.height, verdictsAt(node).length])
    expect(verdictsAt(cluster.node('v0')).length).toBeLessThan(REQUESTS.length)
    await cluster.runFor(8_000)
    expect(cluster.nodes.map((node) => [node.height, verdictsAt(node).length])).toEqual(still)
    cluster.heal()
    await expectAllJudged(cluster)
    for (const node of cluster.honest) expect(trustAt(node)).toEqual([800_000, 800_000, 800_000, 800_000])
  })

  it('of three and one: the one has no verdict, the others all, and it has them when it heals (T15)', async () => {
    const cluster = await busy(false)
    const [alone, ...rest] = cluster.nodes.toReversed() as [SimulatedNode, ...SimulatedNode[]]
    cluster.separate([alone])
    await cluster.runFor(200)
    const before = verdictsAt(alone).length
    expect(
      await cluster.runFor(20_000, () => rest.every((node) => verdictsAt(node).length === REQUESTS.length)),
    ).toBe(true)
    expect(before).toBeLessThan(REQUESTS.length)
    expect(verdictsAt(alone)).toHaveLength(before)
    cluster.heal()
    await expectAllJudged(cluster)
    // What it was away from costs it at most one opening that it owed.
    expect(trustAt(alone).filter((ppm) => ppm === 800_000).length).toBeGreaterThanOrEqual(3)
    expect(Math.min(...trustAt(alone))).toBeGreaterThanOrEqual(640_000)
  })

  it('that comes and goes holds verdicts up, and costs nobody anything (T15)', async () => {
    const cluster = await busy()
    for (let i = 0; i < 8; i++) {
      cluster.separate(cluster.nodes.filter((_, at) => (at + i) % 4 < 2))
      await cluster.runFor(60 + 40 * i)
      cluster.heal()
      await cluster.runFor(30)
    }
    await expectAllJudged(cluster)
    for (const node of cluster.honest) expect(trustAt(node)).toEqual([800_000, 800_000, 800_000, 800_000])
  })
})

/** Blocks from the one that orders a request to the one with its verdict. */
function blocksTaken(node: SimulatedNode): number[] {
  return verdictsAt(node).map(({ height, decidedAt }) => decidedAt - height)
}

describe('a verdict', { timeout: TIMEOUT_MS }, () => {
  it('comes two blocks after its request, one more for a commit that was heard late, for a block that did not wait, for a closing not final at once', async () => {
    const cluster = await busy()
    await expectAllJudged(cluster)
    const taken = blocksTaken(cluster.node('v0'))
    expect(Math.min(...taken)).toBe(2)
    expect(Math.max(...taken)).toBeLessThanOrEqual(5)
  })

  it('waits for one that is silent until the fourth block closes, and no longer', async () => {
    const cluster = asked({ byzantine: new Map([[3, { kind: 'silent' }]]) })
    await expectAllJudged(cluster)
    const taken = blocksTaken(cluster.node('v0'))
    expect(Math.min(...taken)).toBeGreaterThanOrEqual(5)
    expect(Math.max(...taken)).toBeLessThanOrEqual(7)
  })
})

describe('ballots', { timeout: TIMEOUT_MS }, () => {
  it('cost no vote: no view has a signed message that it has not without them, and pre-commit votes are left out', async () => {
    const kindsByView = async (transactions: readonly HashedTransaction[]): Promise<string[][]> => {
      const cluster = make({ transactions, transactionEveryMs: 150 })
      const said = new Map<number, string[]>()
      const transmit = cluster.transmit.bind(cluster)
      cluster.transmit = (from, to, bytes) => {
        const message = decodeMessage(bytes)
        if (
          message.ok &&
          message.value.kind !== 'certificates' &&
          message.value.kind !== 'certificate-request' &&
          message.value.kind !== 'openings'
        ) {
          const { value } = message
          const view = value.kind === 'proposal' ? value.block.header.view : value.view
          said.set(view, [...(said.get(view) ?? []), `${from.name} ${value.kind}`])
        }
        transmit(from, to, bytes)
      }
      const isDone = (): boolean =>
        cluster.nodes.every((node) => node.height >= 30) &&
        verdictsAt(cluster.node('v0'), transactions).length === transactions.length
      expect(await cluster.runFor(20_000, isDone)).toBe(true)
      return Array.from({ length: 20 }, (_, i) => (said.get(i + 6) ?? []).toSorted())
    }
    const without = await kindsByView([])
    // Whoever leads a view prepares with its proposal.
    const isPrepared = (said: readonly string[]): boolean =>
      said.includes('v0 prepare') !== said.includes('v0 proposal')
    expect(without.every((said) => isPrepared(said) && said.includes('v3 pre-commit'))).toBe(true)
    const withBallots = await kindsByView(REQUESTS)
    // A commit vote is not made any more when there is a certificate already; who is that late differs by chance.
    const isLeftOut = (said: string): boolean => said.endsWith('commit')
    const others = (views: readonly string[][]) => views.map((said) => said.filter((one) => !isLeftOut(one)))
    expect(others(withBallots)).toEqual(others(without))
    for (const said of withBallots) expect(new Set(said).size).toBe(said.length)
    const preCommits = (said: readonly string[]): number =>
      said.filter((one) => one.endsWith(' pre-commit')).length
    expect(without.map(preCommits)).toEqual(without.map(() => 4))
    const fewer = withBallots.filter((said) => preCommits(said) < 4)
    expect(fewer.length).toBeGreaterThan(0)
  })
})
