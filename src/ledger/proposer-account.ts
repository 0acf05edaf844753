/** Whose a block is, for fees and the reward. */
import type { BlockHeader } from '../types/block.ts'
import type { AccountId } from '../types/primitives.ts'
import type { StakingState } from '../types/staking.ts'
import { ownerOfKey } from './staking/validator-keys.ts'

/**
 * The account of the validator that proposed a block; null for a mined one (view 0), which names nobody.
 * @param staking before the block
 */
export function proposerAccount(
  { view, proposer }: Pick<BlockHeader, 'view' | 'proposer'>,
  { validators, accounts }: Pick<StakingState, 'validators' | 'accounts'>,
): AccountId | null {
  const validator = view === 0 ? undefined : validators[proposer]
  return validator === undefined ? null : (ownerOfKey(validator.id, accounts)?.account.id ?? null)
}
