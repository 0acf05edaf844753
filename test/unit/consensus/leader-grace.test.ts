/** How long a leader waits for ballots that come after the quorum, and when it does not. */
import { describe, expect, it } from 'vitest'
import type { ConsensusEffect } from '../../../src/consensus/effect.ts'
import { Pacemaker } from '../../../src/consensus/pacemaker.ts'
import type { Ballots } from '../../../src/types/ballots.ts'
import {
  asEpoch,
  asHeight,
  asValidatorIndex,
  type BlockHash,
  type Hex32,
} from '../../../src/types/primitives.ts'
import {
  chainOf,
  type GENESIS,
  Harness,
  type HarnessOptions,
  PARAMETERS,
  proposal,
  timeout,
  vote,
} from './harness.ts'

type Block = typeof GENESIS
const BLOCKS = chainOf(3) as [Block, Block, Block]
const [B1, , B3] = BLOCKS
const BALLOTS: Ballots = {
  commits: [
    { height: asHeight(1), blockHash: B1.hash as BlockHash, round: 0, commit: '0a'.repeat(32) as Hex32 },
  ],
  openings: [],
}

/** Of those who do not lead the view: who votes in time, and who after the quorum. The leader's vote is its proposal. */
const votersOf = (block: Block): readonly [number, number] =>
  block === B3 ? [1, 2] : [block.header.proposer === 1 ? 2 : 1, 3]

/**
 * Replica 0 before its view 4: three views in which all votes carry ballots, and the last one comes so long after the
 * quorum (null: never). The prepare quorum of the third is there, without that last vote.
 */
function inItsView(lagMs: number | null, options: HarnessOptions = {}, ballots = BALLOTS): Harness {
  const h = new Harness({
    ballots: (kind) => (kind === 'prepare' ? ballots : { commits: [], openings: [] }),
    ...options,
  })
  h.feed({ kind: 'work-arrived' })
  for (const block of BLOCKS) {
    h.receive(proposal(block, null, ballots.commits), block.header.proposer)
    const [quick, late] = votersOf(block)
    h.receive(vote('prepare', quick, block, ballots), quick)
    if (block === B3) break
    if (lagMs !== null) h.later(lagMs).receive(vote('prepare', late, block, ballots), late)
  }
  return h
}

const timer = (h: Harness): ConsensusEffect | undefined =>
  h.effects.findLast((effect) => effect.kind === 'set-timer' && effect.timer === 'propose')

describe('a leader whose next block could hold ballots that are missing', () => {
  const missing = { isBallotMissing: () => true }

  it('waits for one and a half times the usual lag, then proposes without them', () => {
    const h = inItsView(3, missing)
    expect(h.view).toBe(4)
    expect(timer(h)).toMatchObject({ view: 4, delayMs: 4.5 })
    expect(h.effects.filter(({ kind }) => kind === 'build-block')).toMatchObject([{ mayAwaitBallots: true }])
    h.effects.length = 0
    h.later(4.5).expire('propose')
    expect(h.effects.filter(({ kind }) => kind === 'build-block')).toMatchObject([{ mayAwaitBallots: false }])
  })

  it('proposes as soon as the last of them is there', () => {
    let isMissing = true
    const h = inItsView(3, { isBallotMissing: () => isMissing })
    h.later(1)
    h.effects.length = 0
    isMissing = false
    h.receive(vote('prepare', 2, B3, BALLOTS), 2)
    expect(h.effects.map(({ kind }) => kind)).toContain('build-block')
    expect(timer(h)).not.toMatchObject({ delayMs: 3.5 })
  })

  it('goes on waiting for what is left of it when another vote comes', () => {
    const h = inItsView(3, { isBallotMissing: () => true })
    h.later(1).receive(vote('prepare', 2, B3, BALLOTS), 2)
    expect(timer(h)).toMatchObject({ delayMs: 3.5 })
  })

  it('waits no longer than it would gather under load', () => {
    expect(timer(inItsView(60, missing))).toMatchObject({ delayMs: PARAMETERS.viewTimeoutMinMs / 16 })
  })

  it('counts openings that come with pre-commit votes', () => {
    const h = new Harness({ ballots: () => BALLOTS, isBallotMissing: () => true })
    h.feed({ kind: 'work-arrived' })
    for (const block of BLOCKS) {
      h.receive(proposal(block, null, BALLOTS.commits), block.header.proposer)
      const [quick] = votersOf(block)
      h.receive(vote('prepare', quick, block, BALLOTS), quick)
      if (block === B3) break
      h.later(2)
      for (const voter of [1, 2]) h.receive(vote('pre-commit', voter, block, BALLOTS), voter)
      h.later(2).receive(vote('pre-commit', 3, block, BALLOTS), 3)
    }
    expect(timer(h)).toMatchObject({ view: 4, delayMs: 6 })
  })

  it('does not wait when nobody was late, or the late one never came', () => {
    for (const lagMs of [0, null]) {
      const h = inItsView(lagMs, missing)
      expect(h.effects.filter(({ kind }) => kind === 'build-block')).toMatchObject([
        { view: 4, mayAwaitBallots: false },
      ])
    }
  })

  it('does not wait where votes carry no ballots', () => {
    const h = inItsView(3, missing, { commits: [], openings: [] })
    expect(h.effects.filter(({ kind }) => kind === 'build-block')).toMatchObject([{ mayAwaitBallots: false }])
  })

  it('does not wait at the end of an epoch: a filler holds no ballots', () => {
    const h = inItsView(3, { ...missing, epochEnd: asHeight(3) })
    expect(h.effects.filter(({ kind }) => kind === 'build-block')).toMatchObject([{ mayAwaitBallots: false }])
  })
})

describe('a leader that has nothing for its block but openings of what its parent closed', () => {
  const OPENINGS_MS = PARAMETERS.viewTimeoutMinMs / 4
  const LATE_MS = PARAMETERS.viewTimeoutMinMs / 16
  const builds = (h: Harness) => h.effects.filter(({ kind }) => kind === 'build-block')
  const opening = (voter: number) =>
    ({ kind: 'openings', epoch: asEpoch(1), voter: asValidatorIndex(voter), openings: [] }) as const

  /** Replica 0 in its view 4: block 3 is certified and waits to be final. */
  function afterClosing(options: HarnessOptions = {}): Harness {
    const h = new Harness({ missingOpenings: () => 'openings-missing', ...options })
    h.feed({ kind: 'work-arrived' })
    for (const block of BLOCKS.slice(0, 2)) h.finalize(block)
    h.effects.length = 0
    h.receive(proposal(B3), 3)
    h.votes('prepare', B3)
    return h
  }

  it('waits for finality, then proposes', () => {
    const h = afterClosing()
    expect([h.view, timer(h)]).toMatchObject([4, { view: 4, delayMs: OPENINGS_MS }])
    expect(builds(h)).toMatchObject([{ awaitedOpenings: 'all' }])
    h.later(OPENINGS_MS).expire('propose')
    expect(builds(h)).toMatchObject([{}, { awaitedOpenings: 'none' }])
  })

  it('then as long for the openings of a quorum', () => {
    const h = afterClosing()
    h.later(10).votes('pre-commit', B3)
    expect(timer(h)).toMatchObject({ delayMs: OPENINGS_MS })
    h.later(2).receive(opening(1), 1)
    expect(timer(h)).toMatchObject({ delayMs: OPENINGS_MS - 2 })
    h.later(OPENINGS_MS - 2).expire('propose')
    expect(builds(h).at(-1)).toMatchObject({ awaitedOpenings: 'none' })
  })

  it('then for the others, no longer than it would gather under load', () => {
    let missing: 'openings-missing' | 'openings-late' = 'openings-missing'
    const h = afterClosing({ missingOpenings: () => missing })
    h.later(10).votes('pre-commit', B3)
    missing = 'openings-late'
    h.later(2).receive(opening(1), 1)
    expect(timer(h)).toMatchObject({ delayMs: LATE_MS })
    h.later(1).receive(opening(2), 2)
    expect(timer(h)).toMatchObject({ delayMs: LATE_MS - 1 })
    h.later(LATE_MS - 1).expire('propose')
    expect(builds(h).at(-1)).toMatchObject({ awaitedOpenings: 'quorum' })
  })

  it('proposes as soon as the last of them is there', () => {
    let missing: 'openings-missing' | null = 'openings-missing'
    const h = afterClosing({ missingOpenings: () => missing, parameters: { heartbeatMs: 0 } })
    h.votes('pre-commit', B3)
    missing = null
    expect(h.receive(opening(2), 2).map(({ kind }) => kind)).toContain('broadcast')
  })

  it('does not build anew for each of the messages that one validator sends', () => {
    const h = afterClosing()
    for (let i = 0; i < 100; i++) h.receive(opening(1), 1)
    // Once by itself, and four times for these.
    expect(builds(h)).toHaveLength(5)
    h.receive(opening(2), 2)
    expect(builds(h)).toHaveLength(6)
  })

  it('builds at once when something else comes for its block', () => {
    const said = afterClosing().later(1).feed({ kind: 'work-arrived' })
    expect(said.map(({ kind }) => kind)).toContain('build-block')
  })

  it('proposes within the shortest time that others give a view, also when it has just started', () => {
    const pacemaker = new Pacemaker(PARAMETERS)
    expect(2 * pacemaker.unfinalDelayMs() + pacemaker.gatheringMs()).toBeLessThan(PARAMETERS.viewTimeoutMinMs)
  })

  it('does not wait at the end of an epoch', () => {
    expect(builds(afterClosing({ epochEnd: asHeight(3) }))).toMatchObject([{ awaitedOpenings: 'none' }])
  })

  it('takes no openings of another epoch', () => {
    expect(afterClosing().receive({ ...opening(1), epoch: asEpoch(2) }, 1)).toEqual([])
  })
})

describe('openings', () => {
  it('go to the leader of the view when a block is final, and to the next one when a view fails', () => {
    const h = new Harness()
    h.receive(proposal(B1), 1)
    h.votes('prepare', B1)
    const opened = { kind: 'open-ballots', blockHash: B1.hash, height: 1 }
    expect(h.votes('pre-commit', B1)).toContainEqual({ ...opened, to: 2 })
    expect([2, 3].flatMap((voter) => h.receive(timeout(2, voter), voter))).toContainEqual({
      ...opened,
      to: 3,
    })
  })

  it('are nothing to one who follows', () => {
    const h = new Harness({ self: null })
    h.receive(proposal(B1), 1)
    h.votes('prepare', B1)
    expect(h.votes('pre-commit', B1).map(({ kind }) => kind)).not.toContain('open-ballots')
  })
})

describe('the pacemaker', () => {
  it('waits as long as nine of the last ten lags took, of sixteen', () => {
    const pacemaker = new Pacemaker({ ...PARAMETERS, viewTimeoutMinMs: 1_600 })
    expect(pacemaker.graceMs()).toBe(0)
    for (let i = 0; i < 14; i++) pacemaker.ballotsLagged(0)
    for (let i = 0; i < 2; i++) pacemaker.ballotsLagged(20)
    expect(pacemaker.graceMs()).toBe(30)
    for (let i = 0; i < 15; i++) pacemaker.ballotsLagged(0)
    expect(pacemaker.graceMs()).toBe(0)
  })

  it('is not made to wait by one view that was slow, nor longer than it would gather', () => {
    const pacemaker = new Pacemaker({ ...PARAMETERS, viewTimeoutMinMs: 1_600 })
    for (let i = 0; i < 15; i++) pacemaker.ballotsLagged(0)
    pacemaker.ballotsLagged(10_000)
    expect(pacemaker.graceMs()).toBe(0)
    pacemaker.ballotsLagged(10_000)
    expect(pacemaker.graceMs()).toBe(100)
  })

  it('gathers the longer the more the last block held, up to a quarter of the shortest T, whatever T is', () => {
    const parameters = { ...PARAMETERS, viewTimeoutMinMs: 1_600, viewTimeoutMaxMs: 25_600 }
    const pacemaker = new Pacemaker(parameters)
    const waits = () => [2, 12, 15, 30, 75, 1_000].map((orders) => pacemaker.gatheringUnderLoadMs(orders))
    expect(waits()).toEqual([100, 100, 100, 160, 400, 400])
    for (let i = 0; i < 64; i++) pacemaker.viewSucceeded(50)
    expect(pacemaker.viewTimeoutMs()).toBe(1_600)
    expect(waits()).toEqual([100, 100, 100, 160, 400, 400])
    expect(2 * pacemaker.gatheringUnderLoadMs(1_000)).toBeLessThan(pacemaker.viewTimeoutMs())
  })
})
