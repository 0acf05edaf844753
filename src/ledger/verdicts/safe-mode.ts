/**
 * Whether too little of the stake weighs for verdicts to be given (spec/commit-reveal.md 5.8). Exclusions alone never
 * lead here, they stay within a third; newcomers on probation, the bonds of those who are excluded, and validators that
 * leave or are punished can. Below two thirds, less than a third of all stake can be half of what weighs, and more.
 */
import type { Electors } from '../../types/voting.ts'
import { eligibleStakeOf } from './electors.ts'

/** Stake that weighs in verdicts in a period, and all stake of its set. */
export interface WeighingStake {
  readonly weighing: bigint
  readonly total: bigint
}

export function weighingStake({ members, stake }: Pick<Electors, 'members' | 'stake'>): WeighingStake {
  return { weighing: eligibleStakeOf(members), total: stake }
}

/**
 * Less than two thirds: operations that are put to the vote in such a period need more than three quarters, whenever it
 * is that they are decided, and nothing from outside is judged.
 */
export function isSafeMode(electors: Pick<Electors, 'members' | 'stake'>): boolean {
  const { weighing, total } = weighingStake(electors)
  return 3n * weighing < 2n * total
}
