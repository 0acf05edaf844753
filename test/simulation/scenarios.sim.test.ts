/** Single stories in the simulator: what the swarm draws by chance, told on purpose. */

import { describe, expect, it } from 'vitest'
import { isValidation } from '../../src/types/transaction.ts'
import type { Misbehaviour } from './adversary.ts'
import { growsBy, heightsOf, liar, make } from './scenario.ts'
import { TRANSACTIONS } from './swarm.ts'
import { ownerOf } from './toy-signatures.ts'

describe('without faults', { timeout: 120_000 }, () => {
  it('every view brings a block, and no view is given up', async () => {
    const cluster = make()
    await cluster.runUntil(200)
    const failed = (): number =>
      cluster.nodes.flatMap(({ events }) => events).filter(({ kind }) => kind === 'view-timed-out').length
    const atStart = failed()
    expect(await growsBy(cluster, 50)).toBe(true)
    expect(failed()).toBe(atStart)
    const looks = cluster.nodes.map((node) => node.look()?.view ?? 0)
    expect(Math.max(...looks) - Math.min(...looks)).toBeLessThanOrEqual(1)
    expect(cluster.violations).toEqual([])
  })

  it('transactions on an idle chain cost no view and wait for no heartbeat', async () => {
    const cluster = make({
      parameters: { heartbeatMs: 2_000 },
      transactions: TRANSACTIONS,
      transactionEveryMs: 700,
    })
    await cluster.runUntil(12_000)
    expect(
      cluster.nodes.flatMap(({ events }) => events).filter(({ kind }) => kind === 'view-timed-out'),
    ).toEqual([])
    const [first] = cluster.nodes
    const carried = first?.finalBlocks.flatMap(({ transactions }) => transactions.filter(isValidation)) ?? []
    expect(carried.map(({ requestKey }) => requestKey).toSorted()).toEqual(
      TRANSACTIONS.map(({ requestKey }) => requestKey).toSorted(),
    )
    expect(cluster.violations).toEqual([])
  })

  it('an idle chain has its heartbeat and is otherwise quiet', async () => {
    const cluster = make({ parameters: { heartbeatMs: 2_000 } })
    await cluster.runUntil(5_000)
    const [height, effects] = [cluster.nodes[0]?.height ?? 0, cluster.checker.effects]
    await cluster.runFor(60_000)
    const blocks = (cluster.nodes[0]?.height ?? 0) - height
    expect(blocks).toBeGreaterThanOrEqual(29)
    expect(blocks).toBeLessThanOrEqual(33)
    // Some twenty effects for each node and block, and nothing in between.
    expect((cluster.checker.effects - effects) / blocks / 4).toBeLessThan(30)
  })

  it('a validator alone is a network', async () => {
    const cluster = make({ stakes: [5n] })
    expect(await growsBy(cluster, 10)).toBe(true)
    cluster.powerCut()
    expect(await growsBy(cluster, 10)).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('followers take every final block and say nothing', async () => {
    const cluster = make({ followers: 2 })
    const followers = [cluster.node('f0'), cluster.node('f1')]
    expect(await growsBy(cluster, 30, [...cluster.honest, ...followers])).toBe(true)
    expect(cluster.violations).toEqual([])
  })
})

describe('a validator that is lost', { timeout: 120_000 }, () => {
  it('costs its views, and no more; a second one stops finality; both come back', async () => {
    const cluster = make({ parameters: { heartbeatMs: 500 } })
    await cluster.runUntil(2_000)
    const [a, b] = [cluster.node('v0'), cluster.node('v1')]
    const rest = [cluster.node('v2'), cluster.node('v3')]
    cluster.kill(a)
    expect(await growsBy(cluster, 6, [b, ...rest])).toBe(true)
    cluster.kill(b)
    await cluster.runFor(1_000)
    const still = heightsOf(rest)
    await cluster.runFor(10_000)
    expect(heightsOf(rest)).toEqual(still)
    cluster.start(b)
    expect(await growsBy(cluster, 3, [b, ...rest])).toBe(true)
    cluster.start(a)
    expect(await growsBy(cluster, 3)).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('for long is behind by hundreds of blocks, and catches up while the others go on', async () => {
    const cluster = make()
    await cluster.runUntil(500)
    const away = cluster.node('v3')
    cluster.separate([away])
    await cluster.runFor(15_000)
    expect(Math.max(...heightsOf(cluster.nodes)) - away.height).toBeGreaterThan(150)
    cluster.heal()
    expect(await growsBy(cluster, 3)).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('in one direction only is no loss to the others, and none to itself when it is heard again', async () => {
    const cluster = make()
    await cluster.runUntil(500)
    const deaf = cluster.node('v2')
    for (const other of cluster.nodes) if (other !== deaf) cluster.mute(other, deaf)
    expect(
      await growsBy(
        cluster,
        20,
        cluster.nodes.filter((node) => node !== deaf),
      ),
    ).toBe(true)
    cluster.heal()
    expect(await growsBy(cluster, 3)).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('with more than a third of the stake stands in an older view, and is answered (R11)', async () => {
    // The other two together are less than A: only an answer to its repeated timeouts can bring it forward.
    const cluster = make({ stakes: [4n, 2n, 2n, 2n], parameters: { unreachableLeaderTimeoutMs: 2_000 } })
    await cluster.runUntil(1_000)
    const heavy = cluster.node('v0')
    cluster.kill(cluster.node('v3'))
    const others = [cluster.node('v1'), cluster.node('v2')]
    for (const other of others) cluster.mute(other, heavy)
    await cluster.runFor(6_000)
    cluster.heal()
    expect(await growsBy(cluster, 3, [heavy, ...others])).toBe(true)
    expect(cluster.violations).toEqual([])
  })
})

describe('all nodes at once', { timeout: 120_000 }, () => {
  it.each([0, 300])(
    'lose power again and again, and go on from their disks (heartbeat %i)',
    async (heartbeatMs) => {
      const cluster = make({ seed: 7, diskMaxMs: 20, followers: 1, parameters: { heartbeatMs } })
      for (let i = 0; i < 25; i++) {
        await cluster.runFor(20 + cluster.random.below(400))
        cluster.powerCut(30)
      }
      expect(await growsBy(cluster, 3, cluster.nodes)).toBe(true)
      expect(cluster.violations).toEqual([])
    },
  )

  it('lose power in the middle of a turn, before every effect in turn', async () => {
    for (let seed = 0; seed < 12; seed++) {
      const cluster = make({ seed, crashChance: 0.03, downMaxMs: 20, healAtMs: 2_000, diskMaxMs: 10 })
      await cluster.runUntil(2_000)
      expect(await growsBy(cluster, 3), `seed ${seed}`).toBe(true)
      expect(cluster.violations, `seed ${seed}`).toEqual([])
    }
  })
})

describe('a Byzantine validator', { timeout: 120_000 }, () => {
  const stories: [string, Partial<Misbehaviour>][] = [
    ['proposes two blocks, each to some', { equivocate: 1, withhold: 0.2 }],
    ['votes for everything', { equivocate: 1, doubleVote: 1 }],
    ['shows its proposals and certificates to one other at most (hidden lock)', { withhold: 0.75 }],
    ['reports views that it has not seen', { forgeTimeout: 1, withhold: 0.3 }],
    ['builds on the lowest certificate it may', { stale: 1, equivocate: 0.5, withhold: 0.4 }],
    ['sends certificates that only look like some', { forgeCertificate: 1 }],
    ['repeats old messages of everybody', { replay: 0.8 }],
    ['sends garbage', { garbage: 0.8 }],
  ]
  it.each(stories)('that %s harms nobody', async (_, habits) => {
    for (let seed = 0; seed < 3; seed++) {
      const cluster = make({ seed, byzantine: liar(3, habits), drop: 0.1, delayMaxMs: 80, healAtMs: 2_000 })
      await cluster.runUntil(2_000)
      expect(await growsBy(cluster, 5, cluster.honest, 60_000), `seed ${seed}`).toBe(true)
      expect(cluster.violations, `seed ${seed}`).toEqual([])
    }
  })

  it('that runs twice with one key harms nobody, on whichever sides of a cut the two are', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const cluster = make({
        seed,
        byzantine: new Map([[0, { kind: 'twins' }]]),
        partitionEveryMs: 300,
        isCutNoticed: seed % 2 === 0,
        healAtMs: 3_000,
      })
      await cluster.runUntil(3_000)
      expect(await growsBy(cluster, 5, cluster.honest, 60_000), `seed ${seed}`).toBe(true)
      expect(cluster.violations, `seed ${seed}`).toEqual([])
    }
  })

  it('that equivocates is seen by those it shows both to', async () => {
    const cluster = make({ byzantine: liar(3, { equivocate: 1, doubleVote: 1 }) })
    expect(await growsBy(cluster, 20)).toBe(true)
    const seen = new Set(
      cluster.honest
        .flatMap(({ events }) => events)
        .flatMap((event) =>
          event.kind === 'equivocation-seen' ? [`${event.validator} ${event.phase}`] : [],
        ),
    )
    expect(seen).toContain('3 prepare')
    expect([...seen].every((word) => word.startsWith('3 '))).toBe(true)
    // And it stands in the chain, against it alone (I12).
    const accused = cluster.nodes[0]?.finalBlocks
      .flatMap(({ transactions }) => transactions)
      .flatMap(({ transaction }) =>
        transaction.kind === 'evidence' ? [ownerOf(transaction.evidence.publicKey)] : [],
      )
    expect(accused).toContain(3)
    expect(cluster.violations).toEqual([])
  })

  it('that commits to two things is proven to, alone, and pays with its trust', async () => {
    // One seed in fifty, 1 among them, has whoever is told the second commits count the first vote before.
    for (const seed of [0, 2, 3]) {
      const cluster = make({
        seed,
        byzantine: liar(3, { pair: 1 }),
        transactions: TRANSACTIONS,
        transactionEveryMs: 100,
      })
      const accused = (): number[] =>
        (cluster.honest[0]?.finalBlocks ?? [])
          .flatMap(({ transactions }) => transactions)
          .flatMap(({ transaction }) =>
            transaction.kind === 'commit-pair' ? [ownerOf(transaction.pair.publicKey)] : [],
          )
      expect(await cluster.runFor(60_000, () => accused().length > 0), `seed ${seed}`).toBe(true)
      expect(await growsBy(cluster, 20, cluster.honest, 60_000), `seed ${seed}`).toBe(true)
      expect(new Set(accused())).toEqual(new Set([3]))
      const trust = [...(cluster.honest[0]?.process?.chain.state.voting.trust.values() ?? [])]
      const halved = trust.filter(({ commitPairs }) => commitPairs.length > 0)
      expect(halved).toHaveLength(1)
      expect(halved[0]?.ppm).toBeLessThanOrEqual(400_000)
      expect(trust.filter(({ ppm }) => ppm >= 790_000)).toHaveLength(3)
      expect(cluster.violations, `seed ${seed}`).toEqual([])
    }
  })

  it('with garbage and forgeries is turned away at the ingress', async () => {
    const cluster = make({ byzantine: liar(3, { garbage: 0.5, forgeCertificate: 0.8 }) })
    expect(await growsBy(cluster, 20)).toBe(true)
    const outcomes = cluster.honest.flatMap((node) => [...node.outcomes.keys()])
    expect(outcomes).toContain('malformed')
    expect(outcomes).toContain('bad-signature')
    expect(outcomes).toContain('accepted')
  })
})

describe('a hidden lock', { timeout: 120_000 }, () => {
  it('that one node alone holds does not stop the others, and binds when it comes back', async () => {
    const cluster = make({ parameters: { heartbeatMs: 200 } })
    await cluster.runUntil(1_000)
    const [holder, ...rest] = cluster.honest
    if (holder === undefined) throw new Error('no node')
    // It hears all, and is not heard: it alone may have the highest certificate.
    for (const other of rest) cluster.mute(holder, other)
    await cluster.runFor(60)
    cluster.separate([holder], true)
    expect(await growsBy(cluster, 5, rest)).toBe(true)
    cluster.heal()
    expect(await growsBy(cluster, 5)).toBe(true)
    expect(cluster.violations).toEqual([])
  })
})
