/**
 * Whether too little of the stake weighs for verdicts to be given (spec/commit-reveal.md 5.8). Exclusions alone never
 * lead here, they stay within a third; newcomers on probation, the bonds of those who are excluded, and validators that
 * leave or are punished can. Below two thirds, less than a third of all stake can be half of what weighs, and more.
 */
import type { StakingState } from '../../types/staking.ts'
import type { VerdictVoting } from '../../types/voting.ts'
import { eligibleStakeOf } from './electors.ts'

/** Stake that weighs in verdicts in this period, and all stake of the set. */
export interface WeighingStake {
  readonly weighing: bigint
  readonly total: bigint
}

export function weighingStake(
  { electors }: Pick<VerdictVoting, 'electors'>,
  { validators }: Pick<StakingState, 'validators'>,
): WeighingStake {
  return {
    weighing: eligibleStakeOf(electors.at(-1)?.members ?? []),
    total: validators.reduce((sum, { stake }) => sum + stake, 0n),
  }
}

/** Less than two thirds: operations need more than three quarters, and nothing from outside is judged. */
export function isSafeMode({ weighing, total }: WeighingStake): boolean {
  return 3n * weighing < 2n * total
}
