/** Stories of notes: spent on both sides of a cut, spent twice by a leader, and transactions whose time runs out. */
import { describe, expect, it } from 'vitest'
import type { Cluster, ClusterOptions } from '../cluster.ts'
import { lostTransactions } from '../final-checks.ts'
import { growsBy, liar, make } from '../scenario.ts'
import type { NoteClients } from './note-clients.ts'

/** Simulated in real time on a loaded machine; a test waits for its story, never for this. */
const TIMEOUT_MS = 120_000

/** Four validators, and clients that do nothing by themselves. */
function told(options: Partial<ClusterOptions> = {}): { cluster: Cluster; clients: NoteClients } {
  const notes = { everyMs: 1e9, countMax: 0, blockReward: 7n, isPatient: true }
  const cluster = make({ notes, ...options })
  const clients = cluster.noteClients
  if (clients === null) throw new Error('a network with notes')
  return { cluster, clients }
}

const waiting = ({ honest }: Cluster): number[] => honest.map((node) => node.waiting)

async function expectFinal(cluster: Cluster, count: number): Promise<void> {
  const isDone = (): boolean =>
    cluster.noteChecker.finalCount === count && waiting(cluster).every((left) => left === 0)
  expect(await cluster.runFor(20_000, isDone)).toBe(true)
  expect(lostTransactions(cluster.taken)).toEqual([])
  expect(cluster.violations).toEqual([])
}

describe('a note', { timeout: TIMEOUT_MS }, () => {
  it('that is spent on both sides of a cut is spent where there is a quorum, and the other side gives up its own', async () => {
    const { cluster, clients } = told()
    expect(await growsBy(cluster, 3)).toBe(true)
    const lone = cluster.node('v3')
    cluster.separate([lone])
    clients.act('double', [lone, cluster.node('v0')])
    expect(await cluster.runFor(20_000, () => cluster.noteChecker.finalCount === 1)).toBe(true)
    expect(clients.figures).toEqual({ asked: 2, taken: 2, refused: 0 })
    expect(lone.waiting).toBe(1)
    cluster.heal()
    await expectFinal(cluster, 1)
  })

  it('is spent once when two nodes that hear each other are given two transactions', async () => {
    const { cluster, clients } = told()
    expect(await growsBy(cluster, 2)).toBe(true)
    for (let i = 0; i < 5; i++) {
      clients.act('double')
      await cluster.runFor(300)
    }
    await expectFinal(cluster, 5)
  })

  it('that a leader spends twice, or out of nothing, is in no final block, and the chain goes on', async () => {
    const { cluster, clients } = told({ byzantine: liar(1, { illegal: 1 }) })
    for (let i = 0; i < 12; i++) {
      clients.act(i % 3 === 0 ? 'double' : i % 3 === 1 ? 'forge' : 'pay')
      await cluster.runFor(400)
    }
    expect(await growsBy(cluster, 12)).toBe(true)
    const refused = cluster.honest.flatMap(({ events }) =>
      events.filter((event) => event.kind === 'proposal-refused' && event.reason === 'invalid-payload'),
    )
    expect(refused.length).toBeGreaterThan(0)
    expect(cluster.noteChecker.finalCount).toBeGreaterThan(4)
    expect(cluster.violations).toEqual([])
  })
})

describe('a transaction', { timeout: TIMEOUT_MS }, () => {
  it('whose last height is the next one is final there, or waits no more, also where a block is made for work only', async () => {
    const { cluster, clients } = told({
      parameters: { heartbeatMs: 800 },
      healAtMs: 4_000,
      notes: { everyMs: 40, countMax: 30, blockReward: 0n },
    })
    expect(await cluster.runFor(6_000, () => clients.figures.asked > 20)).toBe(true)
    const isEmpty = (): boolean => waiting(cluster).every((left) => left === 0)
    expect(await cluster.runFor(20_000, isEmpty)).toBe(true)
    expect(lostTransactions(cluster.taken)).toEqual([])
    expect(cluster.noteChecker.finalCount).toBeGreaterThan(5)
    expect(cluster.violations).toEqual([])
  })

  it('that was taken before a power cut is given again, and is final once', async () => {
    const { cluster, clients } = told()
    expect(await growsBy(cluster, 2)).toBe(true)
    clients.act('pay')
    await cluster.runFor(60)
    cluster.powerCut()
    await cluster.runFor(500)
    clients.act('join')
    clients.act('burn')
    expect(await growsBy(cluster, 6)).toBe(true)
    expect(waiting(cluster)).toEqual([0, 0, 0, 0])
    expect(cluster.noteChecker.finalCount).toBeGreaterThan(0)
    expect(cluster.violations).toEqual([])
  })
})
