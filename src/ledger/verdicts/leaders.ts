/**
 * Who leads in a period, as far as trust goes: those whose findings weigh (spec/commit-reveal.md 5.1, 5.7). Part of the
 * state that everybody shares, so that everybody agrees; what consensus makes of it is in consensus/leader-election.ts.
 */
import type { ChainParameters } from '../../types/genesis.ts'
import { asHeight, asValidatorIndex, type Height, type ValidatorIndex } from '../../types/primitives.ts'
import type { Validator } from '../../types/validator-set.ts'
import type { VerdictVoting } from '../../types/voting.ts'
import { isPeriodEnd, periodOf } from './windows.ts'

type Parameters = Pick<ChainParameters, 'epochBlocks'>

/**
 * Those of a set whose findings do not weigh in a period: on probation, excluded, punished.
 * @returns their places in the set, in order; none for a period whose electors the state does not name
 */
export function weightlessIn(
  period: number,
  { electors }: Pick<VerdictVoting, 'electors'>,
  validators: readonly Validator[],
): readonly ValidatorIndex[] {
  const members = electors.find((of) => of.period === period)?.members
  if (members === undefined) return []
  const weighing = new Set(members.flatMap(({ id, weighs }) => (weighs ? [id] : [])))
  return validators.flatMap(({ id }, i) => (weighing.has(id) ? [] : [asValidatorIndex(i)]))
}

/**
 * The same for the period that begins after a block; null when none does.
 * @param voting after the block
 * @param validators that decide the block after it
 */
export function weightlessAfter(
  height: Height,
  voting: Pick<VerdictVoting, 'electors'>,
  validators: readonly Validator[],
  parameters: Parameters,
): readonly ValidatorIndex[] | null {
  if (!isPeriodEnd(height, parameters)) return null
  return weightlessIn(periodOf(asHeight(height + 1), parameters), voting, validators)
}
