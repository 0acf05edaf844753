/** What a leader that waits for openings does when others flood it, when work comes, and when it has just started. */
import { describe, expect, it } from 'vitest'
import { Pacemaker } from '../../../src/consensus/pacemaker.ts'
import { asEpoch, asValidatorIndex } from '../../../src/types/primitives.ts'
import { blockOn, chainOf, type GENESIS, Harness, PARAMETERS, proposal, GENESIS as ROOT } from './harness.ts'

type Block = typeof GENESIS
const BLOCKS = chainOf(3) as [Block, Block, Block]
const B3 = BLOCKS[2]
const builds = (h: Harness) => h.effects.filter(({ kind }) => kind === 'build-block')
const openings = (voter: number) =>
  ({ kind: 'openings', epoch: asEpoch(1), voter: asValidatorIndex(voter), openings: [] }) as const

/** Replica 0 in its view 4, which waits for block 3 to be final. */
function waiting(): Harness {
  const pacemaker = new Pacemaker(PARAMETERS)
  for (let i = 0; i < 64; i++) pacemaker.viewSucceeded(50)
  const h = new Harness({ missingOpenings: () => 'openings-missing', pacemaker })
  h.feed({ kind: 'work-arrived' })
  for (const block of BLOCKS.slice(0, 2)) h.finalize(block)
  h.effects.length = 0
  h.receive(proposal(B3), 3)
  h.votes('prepare', B3)
  return h
}

describe('a leader that waits for openings', () => {
  it('does not build anew for each of the empty messages that one validator sends', () => {
    const h = waiting()
    for (let i = 0; i < 100; i++) h.receive(openings(1), 1)
    expect(builds(h).length).toBeLessThan(20)
  })

  it('builds at once when something else comes for its block', () => {
    const h = waiting()
    expect(
      h
        .later(1)
        .feed({ kind: 'work-arrived' })
        .map(({ kind }) => kind),
    ).toContain('build-block')
  })

  it('proposes within the shortest time that others give a view, also when it has just started', () => {
    const pacemaker = new Pacemaker(PARAMETERS)
    expect(2 * pacemaker.openingsMs() + pacemaker.gatheringMs()).toBeLessThan(PARAMETERS.viewTimeoutMinMs)
  })
})

describe('the proposals of one who does not lead', () => {
  it('are verified twice in a view, and no third time (R16)', () => {
    const h = new Harness()
    // Validator 3 does not lead view 1.
    const [one, other, third] = [1, 2, 3].map((i) =>
      proposal(blockOn(ROOT, 1, { proposer: 3, timestamp: ROOT.header.timestamp + i })),
    ) as [ReturnType<typeof proposal>, ReturnType<typeof proposal>, ReturnType<typeof proposal>]
    h.receive(one, 3)
    h.receive(other, 3)
    expect(h.replica.triage(third)).toBe('ignore')
  })
})
