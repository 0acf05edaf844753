/** What goes on beside the chain while it grows: snapshots of the state at epoch ends, and pruning to the window. */
import type { StorageConfig } from '../config/schema.ts'
import { appendLeaves } from '../ledger/frontier.ts'
import { stateBranch } from '../ledger/state-root.ts'
import type { Metrics } from '../observability/metrics.ts'
import { Pruner } from '../storage/pruner.ts'
import { ReceiptIndex } from '../storage/receipt-index.ts'
import { SnapshotFiles } from '../storage/snapshot-files.ts'
import { TrustHistory } from '../storage/trust-history.ts'
import type { BlockHeader } from '../types/block.ts'
import type { Logger } from '../types/logger.ts'
import { asHeight, type Height } from '../types/primitives.ts'
import type { Validator } from '../types/validator-set.ts'
import type { NodeStorage } from './node-storage.ts'
import { snapshotsPath } from './snapshot-opening.ts'
import { StateSnapshots } from './state-snapshots.ts'

/** Blocks above the window that are left to gather, so that a run has something to do. */
const PRUNE_SLACK_BLOCKS = 64

export interface ChainUpkeepOptions {
  readonly storage: Pick<NodeStorage, 'chain' | 'database' | 'directory' | 'genesisState'>
  readonly config: StorageConfig
  /** Blocks per epoch; 0: one epoch without end, and no snapshots. */
  readonly epochBlocks: number
  /** Whether this node gathers commit certificates: a snapshot that nobody certifies is worth nothing. */
  readonly isValidator: () => boolean
  readonly changedSet: (header: BlockHeader) => readonly Validator[] | null
  readonly metrics: Pick<Metrics, 'ledger'>
  readonly now: () => number
  readonly onFatal: (error: unknown) => void
  readonly logger: Logger
}

export interface ChainUpkeep {
  readonly snapshots: StateSnapshots
  /** What receipts are made from. */
  readonly receipts: ReceiptIndex
  /** How trust in each validator changed. */
  readonly trust: TrustHistory
  /** Blocks became final and durable. */
  finalized(): void
  /** Blocks that are kept and need not be. */
  excessBlocks(): number
  /** The longest that one slice of pruning has held the event loop so far. */
  longestSliceMs(): number
  /** Resolves when nothing is left to be written or deleted, the chain being as it is. */
  settled(): Promise<void>
  stop(): Promise<void>
}

/** @throws Error of the file system when the snapshots' directory cannot be read; StorageError E_DB_CORRUPT, E_DB_WRITE */
export async function openChainUpkeep(options: ChainUpkeepOptions): Promise<ChainUpkeep> {
  const { storage, config, epochBlocks, metrics, now, onFatal, logger } = options
  const { chain, database, genesisState } = storage
  const { ledger } = metrics
  const receipts = await ReceiptIndex.open({
    database,
    tip: chain.tip,
    append: appendLeaves,
    branchOf: (accumulators, staking, voting) =>
      stateBranch(accumulators, staking, voting, genesisState.rules.fixedRoots),
    logger,
  })
  const trust = new TrustHistory(database, chain.tip.voting)
  const files = await SnapshotFiles.open(snapshotsPath(storage.directory.root))
  const every = epochBlocks * config.snapshotEpochs
  const snapshots = new StateSnapshots({
    database,
    chain,
    files,
    isDue: (height: Height) => every > 0 && height % every === 0 && options.isValidator(),
    keptCount: config.snapshotsKept,
    changedSet: options.changedSet,
    receipts,
    trust,
    observe: (result, seconds) => {
      ledger.snapshots.add(1, { result })
      if (result !== 'failed') ledger.snapshotDuration.observe(seconds)
      ledger.snapshotHeight.set(files.manifests()[0]?.header.height ?? 0)
      // The blocks before the snapshot that went are of no use to anyone now.
      if (result === 'taken') pruneIfWorthIt()
    },
    now,
    logger,
  })
  // Whoever takes the oldest snapshot goes on by blocks from there.
  const floor = (): Height => asHeight((snapshots.oldestHeight ?? chain.tip.height) + 1)
  const pruner = new Pruner({ database, chain, windowBlocks: config.pruneBlocks, floor, now })
  let longest = 0
  const prune = async (): Promise<void> => {
    const { blocks, slices, longestSliceMs } = await pruner.run()
    longest = Math.max(longest, longestSliceMs)
    ledger.prunedBlocks.add(blocks)
    ledger.pruneSlice.set(longestSliceMs / 1_000)
    ledger.lowestBlock.set(chain.lowestHeight)
    logger.debug({ blocks, slices, longestSliceMs, lowest: chain.lowestHeight }, 'pruned')
  }
  const pruneIfWorthIt = (): void => {
    if (config.pruneBlocks > 0 && pruner.excess() >= PRUNE_SLACK_BLOCKS) prune().catch(onFatal)
  }
  ledger.lowestBlock.set(chain.lowestHeight)
  ledger.snapshotHeight.set(files.manifests()[0]?.header.height ?? 0)
  return {
    snapshots,
    receipts,
    trust,
    finalized: pruneIfWorthIt,
    excessBlocks: () => (config.pruneBlocks > 0 ? pruner.excess() : 0),
    longestSliceMs: () => longest,
    settled: async () => {
      await snapshots.settled()
      if (config.pruneBlocks > 0) await prune()
    },
    stop: async () => {
      await pruner.stop()
      await snapshots.stop()
    },
  }
}
