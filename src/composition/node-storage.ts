/**
 * Opens what a node keeps on disk: genesis, keys, database, and a validator's safety record. Refuses what does
 * not belong together before anything listens.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { validatorId } from '../codec/genesis.ts'
import { type DataDirectory, openDataDirectory } from '../config/data-directory.ts'
import { readGenesisFile } from '../config/read-genesis-file.ts'
import { readRunInfo } from '../config/run-file.ts'
import type { StorageConfig } from '../config/schema.ts'
import { type Identity, loadIdentity, loadNetworkKey } from '../crypto/keystore.ts'
import type { MlDsa65 } from '../crypto/ml-dsa.ts'
import { signatureVerifier } from '../crypto/verify-signature.ts'
import type { RulePorts } from '../ledger/chain-rules.ts'
import { type GenesisState, genesisState } from '../ledger/genesis-state.ts'
import { stateRoot } from '../ledger/state-root.ts'
import { type NetworkKey, networkKeyFromSeed } from '../network/network-key.ts'
import type { Metrics } from '../observability/metrics.ts'
import { recoverSafety } from '../runtime/recover-safety.ts'
import { ChainStore } from '../storage/chain-store.ts'
import { Database } from '../storage/database.ts'
import { FreeSpace } from '../storage/free-space.ts'
import { SafetyLog, type SafetyLogOptions } from '../storage/safety-log.ts'
import { NodeError } from '../types/errors.ts'
import type { Genesis } from '../types/genesis.ts'
import type { StateRootOf } from '../types/ledger-state.ts'
import { asView, type GenesisHash, type ValidatorId } from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'
import { markSignedHere, readSigningPlace, type SigningPlace } from './signing-place.ts'
import { openSnapshots } from './snapshot-opening.ts'

/** The data directory does not hold together. */
export class NodeStorageError extends NodeError {}

export interface SafetyMemory {
  readonly log: SafetyLog
  readonly recovered: SafetyRecord
  readonly place: SigningPlace
  /** Writes down durably that this directory is where the key signs from now on. */
  signsHere(): void
}

export interface NodeStorage {
  readonly directory: DataDirectory
  readonly genesis: Genesis
  readonly genesisState: GenesisState
  readonly identity: Identity
  readonly id: ValidatorId
  readonly networkKey: NetworkKey
  readonly chain: ChainStore
  /** For what lies beside the chain; closed by {@link close}. */
  readonly database: Database
  /** Height of the snapshot that was installed when this was opened, or null. */
  readonly installedHeight: number | null
  /** Null for a node that is not in the validator set, and on a network that is mined. */
  readonly safety: SafetyMemory | null
  /** Why the disk will soon be full, or null while there is room. */
  diskShortage(): string | null
  close(): Promise<void>
}

export interface NodeStorageOptions {
  readonly dataDir: string
  readonly mlDsa: MlDsa65
  /** Absent: proofs are verified when the ledger asks. */
  readonly verifyShielded?: NonNullable<RulePorts['verifyShielded']>
  /** The operator's word that this key has never signed: a missing safety record is then begun. */
  readonly hasNeverSigned: boolean
  readonly config: Pick<StorageConfig, 'cacheBytes'>
  readonly metrics: Pick<Metrics, 'ledger'>
  readonly onFatal: (error: unknown) => void
}

/** Where the safety record of a node's key lies. */
export function safetyLogPath(directory: DataDirectory): string {
  return join(directory.safety, 'safety.log')
}

/** Whether the key of this data directory has a signing record here. */
export function hasSafetyRecord(directory: DataDirectory): boolean {
  return existsSync(safetyLogPath(directory))
}

/** Begins the safety record of a key that has just been made. */
export async function createSafetyRecord(
  directory: DataDirectory,
  id: ValidatorId,
  genesisHash: GenesisHash,
): Promise<void> {
  const log = await SafetyLog.create({
    path: safetyLogPath(directory),
    binding: { validatorId: id, genesisHash },
    onFatal: () => undefined,
  })
  await log.close()
  markSignedHere(directory.safety, asView(0))
}

/** @throws NodeError with code and advice for whatever is missing, foreign, locked or damaged */
export async function openNodeStorage(options: NodeStorageOptions): Promise<NodeStorage> {
  const { mlDsa, onFatal, verifyShielded } = options
  const { ledger } = options.metrics
  const { directory, version } = openDataDirectory(options.dataDir)
  const genesis = readGenesisFile(directory.genesis)
  const start = genesisState(genesis, {
    verifySignature: signatureVerifier(mlDsa),
    ...(verifyShielded === undefined ? {} : { verifyShielded }),
  })
  const { genesisHash } = start.rules
  if (genesisHash !== version.genesis) {
    throw new NodeStorageError(
      'E_GENESIS_CHANGED',
      `${directory.genesis} has hash ${genesisHash}, the directory was set up for ${version.genesis}`,
      {
        exitCode: 65,
        fix: 'put the original genesis.json back, or set up another directory for the other network',
      },
    )
  }
  const identity = await loadIdentity(join(directory.keys, 'identity.json'), mlDsa)
  const networkSeed = await loadNetworkKey(join(directory.keys, 'network.json'))
  const id = validatorId(identity.keyPair.publicKey.raw)
  // Where nothing is signed no safety record is opened: a key that also validates elsewhere is none of mining's.
  const isMined = genesis.consensus?.engine === 'pow'
  const isOfGenesis =
    identity.role === 'validator' && genesis.validators.some((validator) => validator.id === id)
  const database = await Database.open({
    path: directory.database,
    network: { network: genesis.network, genesisHash },
    holder: () => {
      const info = readRunInfo(directory)
      return info === undefined ? null : `pid ${info.pid} since ${info.startedAt}`
    },
    cacheBytes: options.config.cacheBytes,
    observe: (operation, seconds) => ledger.dbOperation.observe(seconds, { op: operation }),
  })
  try {
    const stateRootOf: StateRootOf = (accumulators, staking, voting) =>
      stateRoot(accumulators, staking, voting, start.rules.fixedRoots)
    const snapshots = { database, root: directory.root, genesisState: start, stateRootOf }
    const installedHeight = await openSnapshots(snapshots)
    const chain = await ChainStore.open({
      database,
      genesis: start,
      stateRootOf,
      onFatal,
    })
    // Who is not in the set yet, or no more, may be in that of a later epoch.
    const hasRecord = hasSafetyRecord(directory)
    const mayVote = !isMined && (isOfGenesis || isInSet(chain, id) || hasRecord || options.hasNeverSigned)
    const space = new FreeSpace({ folder: directory.root, now: () => performance.now() })
    const safety = mayVote ? await openSafety(directory, id, genesisHash, options) : null
    return {
      directory,
      genesis,
      genesisState: start,
      identity,
      id,
      networkKey: await networkKeyFromSeed(networkSeed.seed),
      chain,
      database,
      installedHeight,
      safety,
      diskShortage: () => space.shortage(),
      close: async () => {
        await safety?.log.close()
        await chain.settled()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

function isInSet(chain: ChainStore, id: ValidatorId): boolean {
  return chain.state.staking.validators.some((validator) => validator.id === id)
}

async function openSafety(
  directory: DataDirectory,
  id: ValidatorId,
  genesisHash: GenesisHash,
  { hasNeverSigned, metrics, onFatal }: NodeStorageOptions,
): Promise<SafetyMemory> {
  const logOptions: SafetyLogOptions = {
    path: safetyLogPath(directory),
    binding: { validatorId: id, genesisHash },
    onSync: (seconds) => metrics.ledger.walFsync.observe(seconds),
    onFatal,
  }
  const place = readSigningPlace(directory.safety)
  const signsHere = (): void => markSignedHere(directory.safety, place.refuseUpToView)
  if (hasNeverSigned) {
    return { log: await SafetyLog.create(logOptions), recovered: recoverSafety([]), place, signsHere }
  }
  const { log, replay } = await SafetyLog.open(logOptions)
  const records = replay.snapshot === null ? replay.records : [replay.snapshot, ...replay.records]
  return { log, recovered: recoverSafety(records), place, signsHere }
}
