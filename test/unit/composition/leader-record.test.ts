/** What a node knows of leaders after a start: the same as one that never stopped. */
import { describe, expect, it } from 'vitest'
import { leaderRecordOf } from '../../../src/composition/epochs.ts'
import { type FinalTurn, LeaderElection } from '../../../src/consensus/leader-election.ts'
import { Electorate } from '../../../src/consensus/validator-set.ts'
import { PERIOD_BLOCKS } from '../../../src/ledger/verdicts/windows.ts'
import type { ChainStore } from '../../../src/storage/chain-store.ts'
import { asEpoch, asHeight, asValidatorIndex, asView } from '../../../src/types/primitives.ts'
import { Random } from '../../simulation/random.ts'
import { electorsWith, validatorsOf } from '../ledger/verdicts/fixtures.ts'

const members = electorsWith(1, 1, 1, 1, 1)
const validators = validatorsOf(members)
const electorate = new Electorate({ epoch: asEpoch(0), validators })
/** In period p the validator p + 1 does not weigh. */
const electorsOf = (period: number) => ({
  period,
  members: members.map((member, i) => ({ ...member, weighs: i !== period + 1 })),
})
const weightlessIn = (period: number) => [asValidatorIndex(period + 1)]

interface Header {
  readonly height: number
  readonly view: number
  readonly justify: { readonly view: number }
  readonly proposer: number
}

/** A chain without end in which views fail now and then, and the election of one who saw all of it. */
function chainOf(heights: number) {
  const random = new Random(7)
  const live = new LeaderElection(electorate, { weightless: weightlessIn(0), turns: [] })
  const headers: Header[] = []
  for (let view = 1, parentView = 0; headers.length < heights; view++) {
    const proposer = live.leaderOf(asView(view))
    if (random.chance(0.2)) continue
    const height = headers.length + 1
    headers.push({ height, view, justify: { view: parentView }, proposer })
    const weightless = height % PERIOD_BLOCKS === 0 ? weightlessIn(height / PERIOD_BLOCKS) : undefined
    const turn: FinalTurn = { view: asView(view), parentView: asView(parentView), proposer, weightless }
    live.final(turn)
    parentView = view
  }
  return { headers, live }
}

/** As much of a store as is asked. @param lowest height of which there is a header */
function store(headers: readonly Header[], lowest = 1): ChainStore {
  const period = Math.floor(headers.length / PERIOD_BLOCKS)
  const electors = [period - 1, period].filter((of) => of >= 0).map(electorsOf)
  return {
    tip: { height: asHeight(headers.length) },
    state: { voting: { electors }, staking: { validators } },
    headerAt: (height: number) => (height < lowest ? null : (headers[height - 1] ?? null)),
  } as unknown as ChainStore
}

const next = (election: LeaderElection, headers: readonly Header[]): number[] =>
  Array.from({ length: 64 }, (_, i) => election.leaderOf(asView((headers.at(-1)?.view ?? 0) + 1 + i)))

describe('what a start knows of leaders', () => {
  it('is what one knows who saw the chain grow, about the end of a period and far from it', () => {
    for (const heights of [1, 3, 599, 600, 601, 603, 900, 1_199, 1_200, 1_202, 1_500]) {
      const { headers, live } = chainOf(heights)
      const started = new LeaderElection(electorate, leaderRecordOf(store(headers), { epochBlocks: 0 }))
      expect(next(started, headers)).toEqual(next(live, headers))
    }
  })

  it('is who weighs, when the node has no headers of before', () => {
    const { headers } = chainOf(1_210)
    const record = leaderRecordOf(store(headers, 1_211), { epochBlocks: 0 })
    expect(record).toEqual({ weightless: weightlessIn(2), turns: [] })
  })

  it('is of this epoch alone where epochs end', () => {
    const { headers } = chainOf(25)
    const chain = {
      ...store(headers),
      state: { voting: { electors: [electorsOf(2)] }, staking: { validators } },
    } as unknown as ChainStore
    const { weightless, turns } = leaderRecordOf(chain, { epochBlocks: 10 })
    expect(weightless).toEqual(weightlessIn(2))
    expect([...turns].map(({ view }) => view)).toEqual(headers.slice(20).map(({ view }) => view))
  })
})
