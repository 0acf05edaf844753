/** What the public API shows of accounts and notes, and the way of what it takes into the pool: the same for every engine. */
import type { ChainRules } from '../ledger/chain-rules.ts'
import type { Mempool } from '../mempool/mempool.ts'
import type { ApiPorts } from '../rpc/http/api-ports.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import { ShieldedViews } from './shielded-views.ts'
import { StakingViews } from './staking-views.ts'
import type { TransactionFlow } from './transaction-flow.ts'

export function ledgerViews(
  chain: ChainStore,
  rules: ChainRules,
  pool: Mempool,
  flow: TransactionFlow,
): Pick<ApiPorts, 'staking' | 'shielded'> {
  return {
    staking: new StakingViews({
      chain,
      isWaiting: (key) => pool.has(key),
      submit: (transaction) => flow.submit(transaction),
    }),
    shielded: new ShieldedViews(chain, rules),
  }
}
