/** Who can take part in verdicts, fixed for a period, and what a quorum of them is. */

import type { AccountId, ValidatorId } from '../../types/primitives.ts'
import { quorumOf } from '../../types/quorum.ts'
import type { StakingState } from '../../types/staking.ts'
import type { Validator } from '../../types/validator-set.ts'
import type { Elector, Electors, OpenBatch, ValidatorTrust, VerdictVoting } from '../../types/voting.ts'
import { ownerOfKey } from '../staking/validator-keys.ts'

/** A validator of the set with the account that stands behind it. */
export interface Seat {
  readonly validator: Validator
  readonly account: AccountId
}

/** The set's validators with their accounts; one that lost its account's key has none and takes no part. */
export function seatsOf({ validators, accounts }: Pick<StakingState, 'validators' | 'accounts'>): Seat[] {
  return validators.flatMap((validator) => {
    const owner = ownerOfKey(validator.id, accounts)
    return owner === null || owner.account.tombstonedAt !== null
      ? []
      : [{ validator, account: owner.account.id }]
  })
}

/** The electors of a period, in the order of the set: all but those excluded. */
export function electorsOf(
  period: number,
  seats: readonly Seat[],
  trust: ReadonlyMap<AccountId, ValidatorTrust>,
): Electors {
  const members: Elector[] = seats.flatMap(({ validator, account }) => {
    const status = trust.get(account)?.status ?? 'probation'
    const { id, stake } = validator
    return status === 'excluded' ? [] : [{ id, account, stake, weighs: status === 'active' }]
  })
  return { period, stake: seats.reduce((sum, { validator }) => sum + validator.stake, 0n), members }
}

/** The electors that a batch's ballots are of. */
export function electorsOfBatch(
  voting: Pick<VerdictVoting, 'electors'>,
  batch: Pick<OpenBatch, 'period'>,
): readonly Elector[] {
  return periodOfBatch(voting, batch).members
}

/** The period in which a batch began: who could take part, and how much stake there was. */
export function periodOfBatch(
  { electors }: Pick<VerdictVoting, 'electors'>,
  { period }: Pick<OpenBatch, 'period'>,
): Electors {
  return electors.find((of) => of.period === period) ?? { period, stake: 0n, members: [] }
}

/** Position of a validator among electors; null for one who is none. */
export function positionOf(members: readonly Elector[], id: ValidatorId): number | null {
  let index = positions.get(members)
  if (index === undefined) {
    index = new Map(members.map((member, i) => [member.id, i]))
    positions.set(members, index)
  }
  return index.get(id) ?? null
}

/** Electors stay the same object for a period, so they are indexed once. */
const positions = new WeakMap<readonly Elector[], ReadonlyMap<ValidatorId, number>>()

/** Stake that weighs, all together: the denominator of every tally. */
export function eligibleStakeOf(members: readonly Elector[]): bigint {
  const known = eligibleStakes.get(members)
  if (known !== undefined) return known
  const stake = members.reduce((sum, { stake, weighs }) => (weighs ? sum + stake : sum), 0n)
  eligibleStakes.set(members, stake)
  return stake
}

/** Asked for with every request of a block. */
const eligibleStakes = new WeakMap<readonly Elector[], bigint>()

/** Weight of a quorum among them: two of these always share an honest one while less than a third lies. */
export function electorQuorum(members: readonly Elector[]): bigint {
  return quorumOf(eligibleStakeOf(members))
}
