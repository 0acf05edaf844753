/** What is not counted as it happens but looked at now and then. */
import type { Mempool } from '../mempool/mempool.ts'
import type { Network } from '../network/network.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { RangeSync } from '../sync/range-sync.ts'
import type { Check } from './readiness.ts'

export function setGauges(
  metrics: Metrics,
  pool: Mempool,
  checks: readonly Check[],
  network: Network,
  sync: RangeSync,
): void {
  metrics.ledger.mempoolItems.set(pool.size)
  metrics.ledger.mempoolBytes.set(pool.bytes)
  metrics.ledger.syncTargetHeight.set(sync.status.targetHeight)
  const { isSyncing } = sync.status
  const isAlone = network.peers.count() === 0
  metrics.ledger.syncState.set(isSyncing ? 1 : 0, { state: 'catching-up' })
  metrics.ledger.syncState.set(isAlone ? 1 : 0, { state: 'alone' })
  metrics.ledger.syncState.set(!isSyncing && !isAlone ? 1 : 0, { state: 'following' })
  for (const { name, ok } of checks) metrics.http.ready.set(ok ? 1 : 0, { check: name })
}
