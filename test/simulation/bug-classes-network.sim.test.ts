/**
 * Classes of bugs that other implementations had around views, locks and certificates, each told in the simulator.
 * The class's name begins the title.
 */
import { describe, expect, it } from 'vitest'
import { encodeMessage } from '../../src/codec/messages.ts'
import type { CertificateBundle } from '../../src/types/messages.ts'
import { asHeight } from '../../src/types/primitives.ts'
import { Cluster } from './cluster.ts'
import { growsBy, hasVoted, liar, make } from './scenario.ts'
import { siege } from './siege.ts'

/** The network of a story stays in the story's hand. */
const NEVER = 1_000_000
/** Simulated in real time on a loaded machine; a test waits for its story, never for this. */
const TIMEOUT_MS = 120_000

describe('bug class', { timeout: TIMEOUT_MS }, () => {
  it('forged high view in timeout: reports of views without a certificate move and hold up nobody', async () => {
    const cluster = make({ byzantine: liar(3, { forgeTimeout: 1, withhold: 0.5 }) })
    expect(await growsBy(cluster, 30)).toBe(true)
    for (const node of cluster.honest) expect(node.look()?.view).toBeLessThan(200)
    expect(cluster.violations).toEqual([])
  })

  it('QC for an unknown block: one who sees certificates and no blocks asks for them and keeps up', async () => {
    const fetched: string[] = []
    const cluster = make({
      healAtMs: NEVER,
      isHeard: (_from, to, view, kind) => to.index !== 2 || kind !== 'proposal' || view < 5 || view > 25,
    })
    cluster.checker.onEffect = (line) => void (line.includes('v2 fetch-block') && fetched.push(line))
    expect(await growsBy(cluster, 20)).toBe(true)
    expect(fetched.length).toBeGreaterThan(0)
    expect(cluster.violations).toEqual([])
  })

  it('TC not relayed: a timeout certificate that one node alone can form reaches all', async () => {
    const view = 8
    const cluster = make({
      healAtMs: NEVER,
      isHeard: (_from, to, at, kind) =>
        at !== view || (kind !== 'proposal' && (kind !== 'timeout' || to.index === 1)),
    })
    const areThrough = (): boolean => cluster.honest.every((node) => (node.look()?.view ?? 0) > view)
    expect(await cluster.runFor(5_000, areThrough)).toBe(true)
    const formed = cluster.honest.filter((node) =>
      node.events.some((event) => event.kind === 'timeout-certificate-formed' && event.view === view),
    )
    expect(formed.map(({ name }) => name)).toEqual(['v1'])
    expect(await growsBy(cluster, 3)).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('liveness clause missing: one who alone held the highest certificate votes on with the others', async () => {
    const view = 8
    const cluster = make({
      healAtMs: NEVER,
      // The votes of the view make a certificate at v1 and nowhere else; v1 is not heard for the next few.
      isHeard: (from, to, at, kind) =>
        at < view ||
        at > view + 3 ||
        (at === view ? kind !== 'prepare' || to.index === 1 : from.index !== 1 && to.index !== 1),
    })
    const holder = cluster.node('v1')
    const isHidden = (): boolean => holder.look()?.highQcView === view
    expect(await cluster.runFor(5_000, isHidden)).toBe(true)
    for (const other of cluster.honest) {
      if (other !== holder) expect(other.look()?.highQcView).toBeLessThan(view)
    }
    expect(await growsBy(cluster, 4)).toBe(true)
    // Now its vote is needed.
    cluster.kill(cluster.node('v3'))
    const rest = [cluster.node('v0'), holder, cluster.node('v2')]
    expect(await growsBy(cluster, 3, rest)).toBe(true)
    expect(
      hasVoted(holder, 'prepare', Math.max(...holder.finalBlocks.map(({ header }) => header.view))),
    ).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it.each([1, 2] as const)(
    'hidden lock: a liar that leads %i views after a block became final in one place cannot undo it',
    async (length) => {
      let cutOff = 0
      for (let seed = 1; seed <= 3; seed++) {
        const cluster = new Cluster({ seed, ...siege(seed, length) } as ConstructorParameters<
          typeof Cluster
        >[0])
        const isAlone = (): boolean => {
          const heights = cluster.honest.map(({ height }) => height).toSorted((a, b) => b - a)
          return (heights[0] ?? 0) > (heights[1] ?? 0)
        }
        if (await cluster.runUntil(2_500, isAlone)) cutOff++
        await cluster.runUntil(2_500)
        expect(await growsBy(cluster, 3), `seed ${seed}`).toBe(true)
        expect(cluster.violations, `seed ${seed}`).toEqual([])
      }
      expect(cutOff).toBe(3)
    },
  )

  it('timeout desynchronisation: nodes that start minutes apart, with wrong clocks, find each other', async () => {
    const cluster = make({ clockSkewMaxMs: 4_000, parameters: { heartbeatMs: 1_000 } })
    const late = [cluster.node('v1'), cluster.node('v2'), cluster.node('v3')]
    await cluster.runFor(0)
    for (const node of late) cluster.kill(node)
    for (const node of late) {
      await cluster.runFor(60_000)
      expect(node.height).toBe(0)
      cluster.start(node)
    }
    // A quorum since the last but one: what it built is there for the last.
    expect(await growsBy(cluster, 3, cluster.honest, 10_000)).toBe(true)
    const views = cluster.honest.map((node) => node.look()?.view ?? 0)
    expect(Math.max(...views) - Math.min(...views)).toBeLessThanOrEqual(1)
    expect(cluster.violations).toEqual([])
  })

  it('non-consecutive views counted: certificates of many views make nothing final without pre-commit votes', async () => {
    const cluster = make({ healAtMs: 2_000, isHeard: (_from, _to, _view, kind) => kind !== 'pre-commit' })
    await cluster.runUntil(1_999)
    for (const node of cluster.honest) {
      expect(node.look()?.highQcView).toBeGreaterThan(20)
      expect(node.height).toBe(0)
    }
    expect(await growsBy(cluster, 3)).toBe(true)
    expect(cluster.violations).toEqual([])
  })

  it('order of update and check: a bundle with one wrong part changes nothing, its right part alone does', async () => {
    const cluster = make()
    await cluster.runUntil(300)
    const behind = cluster.node('v3')
    const ahead = cluster.node('v0')
    cluster.separate([behind])
    await cluster.runFor(1_500)
    const finality = ahead.process?.chain.tip.finality
    if (finality === undefined || ahead.id === null) throw new Error('nothing is final')
    const wrong = { ...finality, height: asHeight(finality.height + 1) }
    const before = behind.look()
    const say = (bundle: Omit<CertificateBundle, 'kind'>): number => {
      behind.receive(
        ahead.id as NonNullable<typeof ahead.id>,
        encodeMessage({ kind: 'certificates', ...bundle }),
      )
      return behind.look()?.highQcView ?? 0
    }
    expect(say({ highQc: finality, highTc: null, finality: wrong })).toBe(before?.highQcView)
    expect(behind.look()?.view).toBe(before?.view)
    expect(behind.outcomes.get('bad-signature')).toBe(1)
    expect(say({ highQc: finality, highTc: null, finality: null })).toBe(finality.view)
    cluster.heal()
    expect(await growsBy(cluster, 3)).toBe(true)
    expect(cluster.violations).toEqual([])
  })
})
