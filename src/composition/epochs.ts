/** What consensus asks of the chain about epochs: who decides next, where an epoch ends, who has had a turn. */
import type { FinalTurn } from '../consensus/leader-election.ts'
import { validatorSetRoot } from '../ledger/staking/staking-root.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import type { BlockHeader } from '../types/block.ts'
import { epochEndHeight } from '../types/epochs.ts'
import { asEpoch, asHeight } from '../types/primitives.ts'
import type { Validator, ValidatorSet } from '../types/validator-set.ts'

/** Blocks that are looked back on in an epoch without end. All of an epoch that has one are. */
const TURNS_MAX = 4_096

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

/** The final blocks of the epoch that is going on, oldest first (R14). */
export function finalTurnsOf(chain: ChainStore, epochBlocks: number): FinalTurn[] {
  const { epoch } = chain.state.staking
  const before = epoch === 0 ? 0 : (epochEndHeight(asEpoch(epoch - 1), epochBlocks) ?? 0)
  const first = epochBlocks === 0 ? Math.max(1, chain.tip.height - TURNS_MAX + 1) : before + 1
  const turns: FinalTurn[] = []
  for (let height = first; height <= chain.tip.height; height++) {
    const header = chain.headerAt(asHeight(height))
    // Below what a pruned node keeps.
    if (header === null) continue
    turns.push({ view: header.view, parentView: header.justify.view, proposer: header.proposer })
  }
  return turns
}
