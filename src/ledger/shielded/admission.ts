/** Whether a shielded transaction may wait for a block: the next one could hold it, judged on the final state. No rule of the chain. */
import type { Refusal } from '../../types/errors.ts'
import type { Height } from '../../types/primitives.ts'
import type { ShieldedTransaction } from '../../types/shielded.ts'
import type { ChainRules } from '../chain-rules.ts'
import type { StateReader } from '../state-reader.ts'
import { checkShielded } from './check-shielded.ts'
import type { ShieldedRefusal } from './shielded-refusals.ts'

/**
 * @param state the final one
 * @param height of the block after the last final one
 * @returns why it cannot be in a block soon; null when it can
 */
export function shieldedRefusal(
  transaction: ShieldedTransaction,
  state: Pick<StateReader, 'accumulators' | 'staking' | 'hasNullifier'>,
  height: Height,
  rules: Pick<ChainRules, 'genesisHash' | 'shielded' | 'verifySignature' | 'verifyShielded'>,
): Refusal<ShieldedRefusal> | null {
  const place = {
    shielded: state.accumulators.shielded,
    accounts: state.staking.accounts,
    hasNullifier: (nullifier: Parameters<StateReader['hasNullifier']>[0]) => state.hasNullifier(nullifier),
    height,
  }
  const outcome = checkShielded(transaction, place, rules)
  return outcome.ok ? null : outcome
}
