/** What consensus asks of the chain about epochs: who decides next, where an epoch ends, who has had a turn. */
import type { FinalTurn, LeaderRecord } from '../consensus/leader-election.ts'
import { validatorSetRoot } from '../ledger/staking/staking-root.ts'
import { weightlessIn } from '../ledger/verdicts/leaders.ts'
import { isPeriodEnd, periodBlocks, periodOf } from '../ledger/verdicts/windows.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { BlockHeader } from '../types/block.ts'
import type { ChainParameters } from '../types/genesis.ts'
import { asHeight, nextHeight } from '../types/primitives.ts'
import type { Validator, ValidatorSet } from '../types/validator-set.ts'

/** The validators that decide the block after the tip. */
export function nextSetOf(chain: ChainStore): ValidatorSet {
  const { epoch, validators } = chain.state.staking
  return { epoch, validators }
}

/**
 * The set that follows a block's epoch, when the block ends it and the set changes; null for any other block, and
 * when a later epoch has ended since.
 */
export function changedSetOf(chain: ChainStore, header: BlockHeader): readonly Validator[] | null {
  const { epoch, validators } = chain.state.staking
  if (epoch !== header.epoch + 1 || validatorSetRoot(validators) !== header.validatorSetRoot) return null
  const before = chain.headerAt(asHeight(header.height - 1))
  return before === null || before.validatorSetRoot === header.validatorSetRoot ? null : validators
}

/**
 * What leaders are judged by (R14): the final blocks of this period of trust, oldest first. In an epoch without end
 * also those of the period before, because the first views of a period still have its leaders.
 */
export function leaderRecordOf(
  chain: ChainStore,
  parameters: Pick<ChainParameters, 'epochBlocks'>,
): LeaderRecord {
  const { voting, staking } = chain.state
  const weightlessOf = (period: number) => weightlessIn(period, voting, staking.validators)
  const period = periodOf(nextHeight(chain.tip.height), parameters)
  const first = parameters.epochBlocks === 0 ? Math.max(0, period - 1) : period
  const turns: FinalTurn[] = []
  // Below what a pruned node keeps there are no headers.
  let isWhole = true
  for (let height = first * periodBlocks(parameters) + 1; height <= chain.tip.height; height++) {
    const header = chain.headerAt(asHeight(height))
    if (header === null) {
      isWhole = false
      continue
    }
    const { view, justify, proposer } = header
    const weightless = isPeriodEnd(header.height, parameters) ? weightlessOf(period) : undefined
    if (weightless !== undefined) isWhole = true
    turns.push({ view, parentView: justify.view, proposer, weightless })
  }
  return { weightless: weightlessOf(isWhole ? first : period), turns }
}
