/** What goes on beside the chain while it grows: snapshots of the state at epoch ends, and pruning to the window. */
import type { StorageConfig } from '../config/schema.ts'
import type { Metrics } from '../observability/metrics.ts'
import { Pruner } from '../storage/pruner.ts'
import { SnapshotFiles } from '../storage/snapshot-files.ts'
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
  readonly storage: Pick<NodeStorage, 'chain' | 'database' | 'directory'>
  readonly config: StorageConfig
  /** Blocks per epoch; 0: one epoch without end, and no snapshots. */
  readonly epochBlocks: number
  readonly changedSet: (header: BlockHeader) => readonly Validator[] | null
  readonly metrics: Pick<Metrics, 'ledger'>
  readonly now: () => number
  readonly onFatal: (error: unknown) => void
  readonly logger: Logger
}

export interface ChainUpkeep {
  readonly snapshots: StateSnapshots
  /** Blocks became final and durable. */
  finalized(): void
  stop(): Promise<void>
}

/** @throws Error of the file system when the snapshots' directory cannot be read */
export async function openChainUpkeep(options: ChainUpkeepOptions): Promise<ChainUpkeep> {
  const { storage, config, epochBlocks, metrics, now, onFatal, logger } = options
  const { chain, database } = storage
  const { ledger } = metrics
  const files = await SnapshotFiles.open(snapshotsPath(storage.directory.root))
  const every = epochBlocks * config.snapshotEpochs
  const snapshots = new StateSnapshots({
    database,
    chain,
    files,
    isDue: (height: Height) => every > 0 && height % every === 0,
    keptCount: config.snapshotsKept,
    changedSet: options.changedSet,
    observe: (result, seconds) => {
      ledger.snapshots.add(1, { result })
      if (result !== 'failed') ledger.snapshotDuration.observe(seconds)
      ledger.snapshotHeight.set(files.manifests()[0]?.header.height ?? 0)
    },
    now,
    logger,
  })
  // Whoever takes the oldest snapshot goes on by blocks from there.
  const floor = (): Height => asHeight((snapshots.oldestHeight ?? chain.tip.height) + 1)
  const pruner = new Pruner({ database, chain, windowBlocks: config.pruneBlocks, floor, now })
  const prune = async (): Promise<void> => {
    const { blocks, slices, longestSliceMs } = await pruner.run()
    ledger.prunedBlocks.add(blocks)
    ledger.pruneSlice.set(longestSliceMs / 1_000)
    ledger.lowestBlock.set(chain.lowestHeight)
    logger.debug({ blocks, slices, longestSliceMs, lowest: chain.lowestHeight }, 'pruned')
  }
  ledger.lowestBlock.set(chain.lowestHeight)
  ledger.snapshotHeight.set(files.manifests()[0]?.header.height ?? 0)
  return {
    snapshots,
    finalized: () => {
      if (config.pruneBlocks > 0 && pruner.excess() >= PRUNE_SLACK_BLOCKS) prune().catch(onFatal)
    },
    stop: async () => {
      await pruner.stop()
      await snapshots.stop()
    },
  }
}
