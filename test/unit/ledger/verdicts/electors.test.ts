/** Who takes part: seats with an account behind them, weights, and what a quorum of them is. */
import { describe, expect, it } from 'vitest'
import {
  electorQuorum,
  electorsOf,
  electorsOfBatch,
  eligibleStakeOf,
  positionOf,
  seatsOf,
} from '../../../../src/ledger/verdicts/electors.ts'
import { newTrust } from '../../../../src/ledger/verdicts/trust.ts'
import { asHeight } from '../../../../src/types/primitives.ts'
import type { TrustStatus } from '../../../../src/types/voting.ts'
import { idOf as accountIdOf, StakingChain } from '../../../support/staking-chain.ts'
import { accountOf, batchWith, electorsIn, electorsWith, idOf, votingOf } from './fixtures.ts'

describe('seats', () => {
  it('are the validators of the set with the accounts behind their keys', () => {
    const { staking } = new StakingChain()
    expect(seatsOf(staking).map(({ account }) => account)).toEqual([0, 1, 2, 3].map(accountIdOf))
  })

  it('have no place for a punished account, nor for a key that is nobody’s', () => {
    const { staking } = new StakingChain()
    const accounts = new Map(staking.accounts)
    const punished = accounts.get(accountIdOf(1))
    if (punished === undefined) throw new Error('no account')
    accounts.set(punished.id, { ...punished, tombstonedAt: asHeight(3) })
    accounts.delete(accountIdOf(2))
    expect(seatsOf({ ...staking, accounts }).map(({ account }) => account)).toEqual([0, 3].map(accountIdOf))
  })
})

describe('electors', () => {
  const { staking } = new StakingChain()
  const seats = seatsOf(staking)
  const trustOf = (...statuses: readonly (TrustStatus | null)[]) =>
    new Map(
      statuses.flatMap((status, i) =>
        status === null ? [] : [[accountIdOf(i), newTrust(accountIdOf(i), 800_000, status)] as const],
      ),
    )

  it('weigh when they are active, take part without weight on probation, and are not there when excluded', () => {
    const { period, stake, members } = electorsOf(5, seats, trustOf('active', 'probation', 'excluded', null))
    // The set's stake is that of the excluded too.
    expect([period, stake]).toEqual([5, 4_000n])
    expect(members.map(({ account, stake, weighs }) => [account, stake, weighs])).toEqual([
      [accountIdOf(0), 1_000n, true],
      [accountIdOf(1), 1_000n, false],
      // Never seen before: as a newcomer.
      [accountIdOf(3), 1_000n, false],
    ])
  })

  it('are those of the period in which the attempt began', () => {
    const [early, late] = [electorsWith(1), electorsWith(1, 1)]
    const voting = {
      ...votingOf(early),
      electors: [electorsIn(3, early), electorsIn(4, late)],
    }
    expect(electorsOfBatch(voting, batchWith({ period: 3 }))).toBe(early)
    expect(electorsOfBatch(voting, batchWith({ period: 4 }))).toBe(late)
    expect(electorsOfBatch(voting, batchWith({ period: 9 }))).toEqual([])
    expect([positionOf(late, idOf(1)), positionOf(late, idOf(7))]).toEqual([1, null])
    expect(late[1]?.account).toBe(accountOf(1))
  })

  it.each([
    [[1, 1, 1, 1], 4n, 3n],
    [[1, 1, 1], 3n, 3n],
    [[10, 1, 1], 12n, 9n],
    [[100, 100, 100, 1], 301n, 201n],
    // One on probation counts neither above nor below.
    [[1, 1, 1, 1, -50], 4n, 3n],
    [[-1, -1], 0n, 1n],
  ])('of the stakes %j have %d that weighs and a quorum of %d', (stakes, eligible, quorum) => {
    const members = electorsWith(...stakes)
    expect([eligibleStakeOf(members), electorQuorum(members)]).toEqual([eligible, quorum])
  })
})
