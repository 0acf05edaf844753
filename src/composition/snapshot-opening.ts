/**
 * What is done with snapshots when the database is opened, before anything is built on it: one that was fetched is
 * installed, one that was half installed is begun anew.
 */
import { join } from 'node:path'
import type { GenesisState } from '../ledger/genesis-state.ts'
import { snapshotBlockHash } from '../ledger/snapshot-check.ts'
import { SnapshotReplay } from '../ledger/snapshot-replay.ts'
import type { Database } from '../storage/database.ts'
import { HandOvers } from '../storage/hand-overs.ts'
import { IncomingSnapshot } from '../storage/incoming-snapshot.ts'
import { clearHalfInstalled, installSnapshot, isEmpty, isHalfInstalled } from '../storage/snapshot-install.ts'
import { StorageError } from '../storage/storage-error.ts'
import type { AnswerFigures, StateRootOf } from '../types/ledger-state.ts'

import type { SnapshotManifest } from '../types/snapshot.ts'

/** Where snapshots lie in a data directory. */
export function snapshotsPath(root: string): string {
  return join(root, 'snapshots')
}

/** Where one lies that is being fetched. */
export function incomingPath(root: string): string {
  return join(snapshotsPath(root), 'incoming')
}

export interface SnapshotOpening {
  readonly database: Database
  /** The data directory. */
  readonly root: string
  readonly genesisState: GenesisState
  readonly stateRootOf: StateRootOf
}

/**
 * Puts the database in order.
 * @returns height of the snapshot that was installed now, or null
 * @throws StorageError E_DB_WRITE
 */
export async function openSnapshots(options: SnapshotOpening): Promise<number | null> {
  const { database, root, genesisState } = options
  if (isHalfInstalled(database)) await clearHalfInstalled(database)
  const incoming = new IncomingSnapshot(incomingPath(root))
  const manifest = await incoming.ready()
  if (manifest === null) return null
  const fits = isEmpty(database) && manifest.header.genesisHash === genesisState.rules.genesisHash
  const isInstalled = fits && (await install(manifest, incoming, options))
  // Installed, damaged, or of no use: a damaged one is fetched anew.
  await incoming.discard()
  return isInstalled ? manifest.header.height : null
}

async function install(
  manifest: SnapshotManifest,
  incoming: IncomingSnapshot,
  { database, genesisState, stateRootOf }: SnapshotOpening,
): Promise<boolean> {
  const stateRoot = manifest.certificate.stateRoot
  if (stateRoot === null) return false
  const certified = { blockHash: snapshotBlockHash(manifest), stateRoot }
  const { block, changes } = genesisState
  try {
    await installSnapshot(
      {
        database,
        manifest,
        chunk: (reference) => incoming.chunk(reference),
        replay: new SnapshotReplay(certified, stateRootOf, changes.accumulators.shielded),
        figures: noFigures(),
      },
      { block, answers: [], changes },
    )
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'E_SNAPSHOT_DAMAGED') throw error
    await clearHalfInstalled(database)
    return false
  }
  const handOvers = new HandOvers(database)
  for (const { epoch, bytes } of await incoming.handOvers()) await handOvers.put(epoch, bytes)
  return true
}

/** Verdicts of before: this node saw nothing of how they were reached, and says so with zeros. */
function noFigures(): AnswerFigures {
  return {
    validationTimeUs: 0n,
    consensusLatencyMs: 0n,
    throughputPerSecond: 0,
    networkOverheadBytes: 0n,
    networkLoad: 0,
  }
}
