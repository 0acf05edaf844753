/** R14: who leads, and who is passed over, as a function of final blocks alone. */
import { describe, expect, it } from 'vitest'
import { LeaderElection } from '../../../src/consensus/leader-election.ts'
import { LeaderSchedule } from '../../../src/consensus/leader-schedule.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import { asValidatorIndex, asView } from '../../../src/types/primitives.ts'
import { Random } from '../../simulation/random.ts'
import { chainOf, Harness, leaderOf, validatorSet } from './harness.ts'

const electorate = new Electorate(validatorSet([1n, 1n, 1n, 1n]))

/** A chain in which every leader but the dead ones makes its block final in its view. */
function chainWith(dead: ReadonlySet<number>, views: number, election = new LeaderElection(electorate)) {
  const leaders: number[] = []
  let parentView = 0
  for (let view = 1; view <= views; view++) {
    const leader = election.leaderOf(asView(view))
    leaders.push(leader)
    if (dead.has(leader)) continue
    election.final({ view: asView(view), parentView: asView(parentView), proposer: leader })
    parentView = view
  }
  return { leaders, election }
}

describe('the leaders of an epoch', () => {
  it('are those of the schedule while nobody fails', () => {
    const schedule = new LeaderSchedule(electorate)
    const { leaders } = chainWith(new Set(), 40)
    expect(leaders).toEqual(Array.from({ length: 40 }, (_, i) => schedule.leaderOf(asView(i + 1))))
  })

  it('do without one that is dead, and try it less and less often', () => {
    const { leaders } = chainWith(new Set([2]), 2_000)
    const tries = leaders.flatMap((leader, i) => (leader === 2 ? [i + 1] : []))
    expect(tries.length).toBeGreaterThan(4)
    expect(tries.length).toBeLessThanOrEqual(14)
    const distances = tries.slice(1).map((view, i) => view - (tries[i] ?? 0))
    // A try may be two: the second comes before the first is known. Between tries 2 turns of 4 validators, twice as
    // many after each failure, up to 2^6 times as many.
    expect(distances[1]).toBeGreaterThanOrEqual(8)
    expect(Math.max(...distances)).toBeGreaterThanOrEqual(512)
  })

  it('have one that came back after its next block', () => {
    const { election } = chainWith(new Set([2]), 200)
    const dead = election.passedOverIn(asView(201))
    expect(dead).toEqual([2])
    election.final({ view: asView(201), parentView: asView(200), proposer: asValidatorIndex(2) })
    expect(election.passedOverIn(asView(210))).toEqual([])
  })

  it('are never without validators of a third of the stake or more', () => {
    // Two of four are half of the stake: one of them at the most is passed over.
    const { election } = chainWith(new Set([1, 2]), 300)
    expect(election.passedOverIn(asView(301)).length).toBeLessThanOrEqual(1)
    const heavy = new Electorate(validatorSet([5n, 1n, 1n, 1n]))
    const { election: ofHeavy } = chainWith(new Set([0]), 300, new LeaderElection(heavy))
    expect(ofHeavy.passedOverIn(asView(301))).toEqual([])
  })

  it('do not depend on what became final a moment ago, which not everybody knows', () => {
    const known = new LeaderElection(electorate)
    const behind = new LeaderElection(electorate)
    for (const election of [known, behind]) {
      election.final({ view: asView(1), parentView: asView(0), proposer: asValidatorIndex(1) })
    }
    known.final({ view: asView(6), parentView: asView(1), proposer: asValidatorIndex(2) })
    for (let view = 7; view < 10; view++) {
      expect(known.leaderOf(asView(view))).toBe(behind.leaderOf(asView(view)))
    }
    expect(known.passedOverIn(asView(10)).length).toBe(1)
  })

  it('are the same for whoever folds the same chain, at once or bit by bit', () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = new Random(seed)
      const turns: { view: number; parentView: number; proposer: number }[] = []
      const live = new LeaderElection(electorate)
      for (let view = 1, parentView = 0; view < 400; view++) {
        const proposer = live.leaderOf(asView(view))
        if (random.chance(0.3)) continue
        turns.push({ view, parentView, proposer })
        live.final({ view: asView(view), parentView: asView(parentView), proposer })
        parentView = view
      }
      const replayed = new LeaderElection(electorate)
      for (const { view, parentView, proposer } of turns) {
        replayed.final({
          view: asView(view),
          parentView: asView(parentView),
          proposer: asValidatorIndex(proposer),
        })
      }
      const next = (election: LeaderElection): number[] =>
        Array.from({ length: 64 }, (_, i) => election.leaderOf(asView(400 + i)))
      expect(next(replayed)).toEqual(next(live))
    }
  })

  it('survive a standstill of many views: only the last of them count', () => {
    const election = new LeaderElection(electorate)
    const start = performance.now()
    election.final({ view: asView(2 ** 40), parentView: asView(1), proposer: asValidatorIndex(1) })
    expect(performance.now() - start).toBeLessThan(1_000)
    expect(election.leaderOf(asView(2 ** 40 + 10))).toBeTypeOf('number')
  })
})

describe('leaders and trust', () => {
  const places = (...of: number[]) => of.map(asValidatorIndex)
  const led = (election: LeaderElection, from: number, count = 40): number[] =>
    [...new Set(Array.from({ length: count }, (_, i) => election.leaderOf(asView(from + i))))].sort()
  const turn = (view: number, proposer: number, weightless?: number[]) => ({
    view: asView(view),
    parentView: asView(view - 1),
    proposer: asValidatorIndex(proposer),
    weightless: weightless && places(...weightless),
  })

  it('go together: who does not weigh has no turn', () => {
    const election = new LeaderElection(electorate, { weightless: places(2), turns: [] })
    expect(led(election, 1)).toEqual([0, 1, 3])
  })

  it('share the turns of those without weight by stake', () => {
    const election = new LeaderElection(new Electorate(validatorSet([1n, 1n, 2n, 4n])), {
      weightless: places(1),
      turns: [],
    })
    const turns = [0, 0, 0, 0]
    for (let view = 1; view <= 70; view++) {
      const leader = election.leaderOf(asView(view))
      turns[leader] = (turns[leader] ?? 0) + 1
    }
    expect(turns).toEqual([10, 0, 20, 40])
  })

  it('are all, when those who weigh may all be dishonest: less than a third of the stake, or nobody', () => {
    for (const weightless of [places(0, 1, 2, 3), places(0, 1, 2)]) {
      expect(led(new LeaderElection(electorate, { weightless, turns: [] }), 1)).toEqual([0, 1, 2, 3])
    }
    expect(led(new LeaderElection(electorate, { weightless: places(0, 1), turns: [] }), 1)).toEqual([2, 3])
  })

  it('change four views after the last block of a period, and forget who failed before', () => {
    const election = new LeaderElection(electorate)
    // View 1 failed: 1 is passed over until its block.
    election.final({ view: asView(2), parentView: asView(0), proposer: asValidatorIndex(2) })
    expect(election.passedOverIn(asView(6))).toEqual([1])
    election.final(turn(3, 3, [0]))
    expect(election.passedOverIn(asView(6))).toEqual([1])
    expect(election.passedOverIn(asView(7))).toEqual([0])
  })

  it('are chosen without those who fail as long as a third of the stake leads', () => {
    const wide = new Electorate(validatorSet([1n, 1n, 1n, 1n, 1n, 1n, 1n]))
    const passedOverAfter = (weightless: number[]): number[] => {
      const election = new LeaderElection(wide, { weightless: places(...weightless), turns: [] })
      const { election: seen } = chainWith(new Set([5, 6]), 400, election)
      return seen.passedOverIn(asView(401))
    }
    expect(passedOverAfter([0])).toContain(0)
    // Three of seven lead at the least.
    expect(passedOverAfter([0, 1, 2, 3])).toEqual([0, 1, 2, 3])
    for (const weightless of [[], [0], [0, 1], [0, 1, 2]]) {
      expect(passedOverAfter(weightless).length).toBeLessThanOrEqual(4)
    }
  })

  it('change for a replica with the final block that ends a period, as its execution says', () => {
    const blocks = chainOf(8)
    const h = new Harness({ weightless: ({ header }) => (header.height === 2 ? places(3) : null) })
    const leaders: number[] = []
    for (const block of blocks.slice(0, 5)) {
      h.finalize(block)
      leaders.push(h.replica.look().leader)
    }
    // In view 6, four views after block 2, the schedule is another one.
    expect(leaders.slice(0, 4)).toEqual([2, 3, 4, 5].map(leaderOf))
    const expected = new LeaderElection(electorate, { weightless: places(3), turns: [] })
    expect(leaders[4]).toBe(expected.leaderOf(asView(6)))
  })
})
