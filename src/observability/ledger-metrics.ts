/** Metrics of the chain this node keeps: catching up, what waits, the database, snapshots and pruning. */
import type { MetricRegistry } from './metric-registry.ts'

const NONE = {}

export function ledgerMetrics(r: MetricRegistry) {
  return {
    syncState: r.gauge('hypermesh_sync_state', '1 for the state that holds.', {
      state: ['following', 'catching-up', 'alone'],
    }),
    syncTargetHeight: r.gauge(
      'hypermesh_sync_target_height',
      'Highest certified height that we know of.',
      NONE,
    ),
    syncBlocks: r.counter(
      'hypermesh_sync_blocks_total',
      'Blocks fetched to catch up: handed to consensus, or of a range that does not hold.',
      {
        result: ['taken', 'refused'],
      },
    ),
    mempoolItems: r.gauge('hypermesh_mempool_items', 'Transactions waiting.', NONE),
    mempoolBytes: r.gauge('hypermesh_mempool_bytes', 'Their size.', NONE),
    mempoolRejected: r.counter('hypermesh_mempool_rejected_total', 'Transactions not taken in.', {
      reason: ['known', 'full', 'malformed', 'nullifier-spent', 'expired', 'rules'],
    }),
    transactionsFinal: r.counter(
      'hypermesh_ledger_transactions_total',
      'Transactions in final blocks.',
      NONE,
    ),
    dbOperation: r.histogram(
      'hypermesh_db_op_duration_seconds',
      'Database operations: every durable batch, and a sample of the reads.',
      {
        op: ['read', 'commit'],
      },
    ),
    dbSize: r.gauge(
      'hypermesh_db_size_bytes',
      'Tables of the database on disk, approximately; its log is not counted.',
      NONE,
    ),
    snapshots: r.counter('hypermesh_snapshots_total', 'Snapshots of the state.', {
      result: ['taken', 'failed', 'uncertified'],
    }),
    snapshotHeight: r.gauge('hypermesh_snapshot_height', 'Height of the newest snapshot on offer.', NONE),
    snapshotDuration: r.histogram('hypermesh_snapshot_seconds', 'Writing a snapshot.', NONE),
    prunedBlocks: r.counter('hypermesh_pruned_blocks_total', 'Blocks deleted below the window.', NONE),
    pruneSlice: r.gauge(
      'hypermesh_prune_slice_seconds',
      'The longest that one slice of pruning held the event loop, in the last run.',
      NONE,
    ),
    lowestBlock: r.gauge('hypermesh_lowest_block_height', 'From here on every block is kept.', NONE),
    walFsync: r.histogram('hypermesh_wal_fsync_seconds', 'Syncing safety records to the disk.', NONE),
  }
}
