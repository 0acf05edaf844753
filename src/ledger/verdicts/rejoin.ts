/** When a validator that was excluded from verdicts may come back, on probation (spec/commit-reveal.md 5.7). */
import { type Refusal, refuse } from '../../types/errors.ts'
import type { ChainParameters } from '../../types/genesis.ts'
import type { AccountId, Height } from '../../types/primitives.ts'
import type { ValidatorTrust } from '../../types/voting.ts'
import { periodOf } from './windows.ts'

export type RejoinRefusal = Refusal<'staking-not-excluded' | 'staking-cool-down'>

/**
 * @param trust of the account; undefined when it never had any
 * @param height of the block that would take it back
 * @returns why that block cannot; null when it can
 */
export function rejoinRefusal(
  trust: ValidatorTrust | undefined,
  account: AccountId,
  height: Height,
  parameters: Pick<ChainParameters, 'epochBlocks'>,
): RejoinRefusal | null {
  if (trust?.status !== 'excluded') {
    return refuse('staking-not-excluded', `account ${account} is not excluded from verdicts`)
  }
  const period = periodOf(height, parameters)
  return period < trust.untilPeriod
    ? refuse(
        'staking-cool-down',
        `it may come back from period ${trust.untilPeriod} on, this one is ${period}`,
      )
    : null
}
