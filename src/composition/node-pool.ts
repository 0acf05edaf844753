/** The pool of a node: as large as its configuration says, with the final state to ask. Decides nothing. */

import type { Config } from '../config/schema.ts'
import { idHashOf } from '../ledger/request-identity.ts'
import { isOpen } from '../ledger/verdicts/open-requests.ts'
import { Mempool } from '../mempool/mempool.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { ChainStore } from '../storage/chain-store.ts'
import { isValidation } from '../types/transaction.ts'
import type { StakingAdmission } from './staking-admission.ts'
import type { SystemClock } from './system-clock.ts'

const TIME_TO_LIVE_MS = 600_000

export interface PoolParts {
  readonly config: Config['mempool']
  readonly chain: Pick<ChainStore, 'state' | 'heightOfTransaction'>
  readonly admission: StakingAdmission
  readonly metrics: Pick<Metrics, 'ledger'>
  readonly clock: SystemClock
  /** How long a transaction may wait; ten minutes. */
  readonly timeToLiveMs?: number
}

/** An empty pool. */
export function buildPool(parts: PoolParts): Mempool {
  const { config, chain, admission, metrics, clock, timeToLiveMs = TIME_TO_LIVE_MS } = parts
  return new Mempool(
    {
      countMax: config.maxItems,
      bytesMax: config.maxBytes,
      countPerSourceMax: config.maxItems,
      bytesPerSourceMax: config.maxBytes,
      timeToLiveMs,
    },
    {
      now: () => clock.monotonicMs(),
      isFinal: (requestKey, transaction) =>
        chain.state.storedVerdict(
          requestKey,
          isValidation(transaction) ? idHashOf(transaction) : undefined,
        ) !== null ||
        isOpen(chain.state.voting, requestKey) ||
        (!isValidation(transaction) && chain.heightOfTransaction(requestKey) !== null),
      refusal: (transaction) => admission.refusal(transaction),
      expired: (transactions) =>
        metrics.ledger.mempoolRejected.add(transactions.length, { reason: 'expired' }),
    },
  )
}
