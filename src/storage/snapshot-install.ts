/**
 * Fills an empty database with the state of a snapshot. A mark is durable before the first row and goes with the
 * last batch, so a database that was half filled when the power went is known, emptied and filled anew. Every entry
 * is checked again on its way in: what is served from here on is the certified state, whatever lay on the disk.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { encodeQuorumCertificate } from '../codec/certificates.ts'
import { toHex } from '../codec/hex.ts'
import { encodeOperations } from '../codec/operations.ts'
import { encodeOperator } from '../codec/operator.ts'
import { recentCount } from '../codec/recent-blocks.ts'
import { decodeChunk } from '../codec/snapshot.ts'
import { encodeAccount, encodeStakingRest } from '../codec/staking.ts'
import { utf8ToBytes } from '../codec/utf8.ts'
import { encodeElectors, encodeTrust } from '../codec/voting.ts'
import type { SnapshotEntry, SnapshotReplay } from '../ledger/snapshot-replay.ts'
import type { AnswerFigures } from '../types/ledger-state.ts'
import type { Height, Hex32, RequestKey } from '../types/primitives.ts'
import type { ChunkReference, SnapshotManifest } from '../types/snapshot.ts'
import {
  batchOperations,
  blockOperations,
  checkpointOperation,
  commitOperation,
  type FirstUsers,
  nullifierOperations,
  put,
  recentBlockOperation,
  requestIdOperations,
  shieldedEntryOperation,
  shieldedOperations,
  tipOperations,
  verdictOperations,
} from './block-batch.ts'
import {
  accountKey,
  CONTENT_RANGE,
  encodeHeight,
  META,
  operatorKey,
  requestIdKey,
  trustKey,
} from './buckets.ts'
import type { Database, WriteOperation } from './database.ts'
import { STORAGE_EXIT, StorageError } from './storage-error.ts'

/** Entries checked and written between two turns of the event loop. */
const ENTRIES_PER_SLICE = 256

export interface SnapshotInstall {
  readonly database: Database
  readonly manifest: SnapshotManifest
  /** Null for a chunk that is missing or not what its hash says. */
  readonly chunk: (reference: ChunkReference) => Promise<Uint8Array | null>
  /** Fresh, for this manifest, whose certificates hold. */
  readonly replay: SnapshotReplay
  /** What answers about verdicts that were reached before this node came say of their making. */
  readonly figures: AnswerFigures
}

/** Whether the database holds half of a snapshot. */
export function isHalfInstalled(database: Database): boolean {
  return database.get(META.installing) !== null
}

/** Whether nothing but genesis, or not even that, is there. */
export function isEmpty(database: Database): boolean {
  const tip = database.get(META.tip)
  return tip === null || tip.subarray(0, 8).every((byte) => byte === 0)
}

/** Empties a database that {@link isHalfInstalled}. */
export async function clearHalfInstalled(database: Database): Promise<void> {
  await database.clear(CONTENT_RANGE)
  await database.write(
    [
      META.tip,
      META.accumulators,
      META.staking,
      META.electors,
      META.operations,
      META.shielded,
      META.tipCertificate,
      META.lowest,
      META.verdictsIndexed,
      META.receiptAnchor,
      META.installing,
    ].map((key) => ({ type: 'del', key }) as const),
  )
}

/**
 * Installs a snapshot into a database that {@link isEmpty}.
 * @param genesisBlock written too: it says whose chain this is
 * @throws StorageError E_SNAPSHOT_DAMAGED when the files are not the certified state; E_DB_WRITE
 */
export async function installSnapshot(
  { database, manifest, chunk, replay, figures }: SnapshotInstall,
  genesis: Parameters<typeof blockOperations>[0],
): Promise<void> {
  await database.write([put(META.installing, utf8ToBytes(String(manifest.header.height)))])
  await database.clear(CONTENT_RANGE)
  const rows = new RowMaker(database, figures, manifest.header.height)
  for (const reference of manifest.chunks) {
    const bytes = await chunk(reference)
    const entries = bytes === null ? null : decodeChunk(bytes, reference.count)
    if (entries === null || !entries.ok) throw damaged(manifest, `chunk ${reference.sha256} cannot be read`)
    for (let at = 0; at < entries.value.length; at += ENTRIES_PER_SLICE) {
      const taken = replay.add(reference.part, entries.value.slice(at, at + ENTRIES_PER_SLICE))
      if (!taken.ok) throw damaged(manifest, taken.detail)
      await database.writeRelaxed(rows.of(taken.value, reference.first + at))
      await turn()
    }
  }
  const finished = replay.finish()
  if (!finished.ok) throw damaged(manifest, finished.detail)
  const { block, accumulators, staking, voting } = finished.value
  const { certificate, finality } = manifest
  const { height } = block.header
  const none = { keyOf: () => null, remember: () => undefined }
  const blockRows = {
    block,
    answers: [],
    changes: { nullifiers: [], shieldedEntries: [], verdicts: [], judgements: [], accumulators },
  }
  await database.write([
    ...blockOperations(genesis, none),
    ...blockOperations(blockRows, none),
    ...tipOperations(
      { height, hash: block.hash, stateRoot: certificate.stateRoot ?? block.header.parentStateRoot },
      encodeQuorumCertificate(finality ?? certificate),
      accumulators,
    ),
    ...shieldedOperations(null, accumulators.shielded),
    put(META.staking, encodeStakingRest(staking)),
    put(META.electors, encodeElectors(voting.electors)),
    commitOperation({ height, certificate: encodeQuorumCertificate(certificate) }),
    ...(finality === null
      ? []
      : [checkpointOperation({ height, certificate: encodeQuorumCertificate(finality) })]),
    put(META.lowest, encodeHeight(height)),
    { type: 'del', key: META.installing },
  ])
}

/** What the entries of a snapshot write. */
class RowMaker {
  readonly #height: Height
  readonly #figures: AnswerFigures
  readonly #firstUsers: FirstUsers
  #inSlice = new Map<Hex32, RequestKey>()

  /** @param height of the snapshot's block */
  constructor(database: Database, figures: AnswerFigures, height: Height) {
    this.#height = height
    this.#figures = figures
    this.#firstUsers = {
      keyOf: (id) => {
        const bytes = database.get(requestIdKey(id))
        return bytes === null ? (this.#inSlice.get(id) ?? null) : (toHex(bytes) as RequestKey)
      },
      remember: (id, key) => void this.#inSlice.set(id, key),
    }
  }

  /** @param entries of one part @param first position of the first one */
  of(entries: readonly SnapshotEntry[], first: number): WriteOperation[] {
    this.#inSlice = new Map()
    const nullifiers = entries.flatMap((entry) => (entry.part === 'nullifiers' ? [entry.nullifier] : []))
    const records = entries.flatMap((entry) => (entry.part === 'verdicts' ? [entry.record] : []))
    return [
      ...nullifierOperations(nullifiers, first),
      ...verdictOperations(
        records.map((record) => ({ record, figures: this.#figures })),
        first,
      ),
      ...records.flatMap(({ requestIdHash, requestKey }) =>
        requestIdOperations(requestIdHash, requestKey, this.#firstUsers),
      ),
      ...entries.flatMap((entry, i) => this.#rowsOf(entry, first + i)),
    ]
  }

  #rowsOf(entry: SnapshotEntry, position: number): WriteOperation[] {
    switch (entry.part) {
      // Rows of many.
      case 'nullifiers':
      case 'verdicts':
        return []
      case 'batches':
        return [
          ...batchOperations(entry.batch, null),
          ...entry.batch.requests.flatMap(({ requestIdHash, requestKey }) =>
            requestIdOperations(requestIdHash, requestKey, this.#firstUsers),
          ),
        ]
      case 'trust':
        return [put(trustKey(entry.trust.account), encodeTrust(entry.trust))]
      case 'accounts':
        return [put(accountKey(entry.account.id), encodeAccount(entry.account))]
      case 'operators':
        return [put(operatorKey(entry.operator.account), encodeOperator(entry.operator))]
      case 'recent-blocks':
        return [recentBlockOperation(this.#height - recentCount(this.#height) + position, entry.hash)]
      case 'operations':
        return [put(META.operations, encodeOperations(entry.operations))]
      case 'shielded-entries':
        return [shieldedEntryOperation(entry.entry, position)]
      // Block, staking state, electors and shielded state are written last.
      case 'electors':
      case 'staking':
      case 'block':
      case 'shielded':
        return []
    }
  }
}

function damaged(manifest: SnapshotManifest, why: string): StorageError {
  return new StorageError('E_SNAPSHOT_DAMAGED', `the snapshot of height ${manifest.header.height}: ${why}`, {
    why: 'it was checked when it was fetched and has changed on the disk since',
    fix: 'check the disk, then start the node again: it fetches a snapshot anew',
    exitCode: STORAGE_EXIT.data,
  })
}
