/**
 * Takes a safety record out of a data directory and into one, under the lock of the directory. An import is durable
 * as a whole or not at all, never lowers anything, and leaves a place from which the key has not signed yet.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeBlock } from '../codec/block.ts'
import { genesisHash as hashOfGenesis, validatorId } from '../codec/genesis.ts'
import { encodeSafetyRecord } from '../codec/safety-record.ts'
import { type DataDirectory, openDataDirectory } from '../config/data-directory.ts'
import { parseGenesis } from '../config/genesis-file.ts'
import { readRunInfo } from '../config/run-file.ts'
import { Electorate } from '../consensus/validator-set.ts'
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import { type Identity, loadIdentity } from '../crypto/keystore.ts'
import type { MlDsa65 } from '../crypto/ml-dsa.ts'
import { signatureVerifier } from '../crypto/verify-signature.ts'
import { genesisState } from '../ledger/genesis-state.ts'
import { stateRoot } from '../ledger/state-root.ts'
import { MessageVerifier } from '../runtime/message-verifier.ts'
import { recoverSafety } from '../runtime/recover-safety.ts'
import { ChainStore } from '../storage/chain-store.ts'
import { Database } from '../storage/database.ts'
import { SafetyLog, type SafetyLogOptions } from '../storage/safety-log.ts'
import { missingSafetyRecord, refuseForeignSafetyRecord } from '../storage/safety-refusals.ts'
import { readSafetyLog, replayOf, type SafetyReplay } from '../storage/safety-replay.ts'
import { StorageError } from '../storage/storage-error.ts'
import type { Genesis } from '../types/genesis.ts'
import { asEpoch, type GenesisHash, type ValidatorId } from '../types/primitives.ts'
import { EMPTY_SAFETY_RECORD, type SafetyRecord } from '../types/safety.ts'
import { NodeStorageError, safetyLogPath } from './node-storage.ts'
import { parseSafetyFile, SafetyFileError, type SafetyOfKey } from './safety-interchange.ts'
import { mergeSafety, type SafetyState } from './safety-merge.ts'
import { markMoved, readSigningPlace } from './signing-place.ts'
import { ValidatorSignatures } from './validator-signatures.ts'

/** A key with its network, as a data directory holds them. */
interface KeyHome {
  readonly directory: DataDirectory
  readonly genesis: Genesis
  readonly genesisHash: GenesisHash
  readonly identity: Identity
  readonly id: ValidatorId
}

async function openHome(data: string, mlDsa: MlDsa65): Promise<KeyHome> {
  const { directory, version } = openDataDirectory(data)
  const genesis = parseGenesis(await readFile(directory.genesis, 'utf8'), directory.genesis)
  const genesisHash = hashOfGenesis(genesis)
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
  return { directory, genesis, genesisHash, identity, id: validatorId(identity.keyPair.publicKey.raw) }
}

function lock({ directory, genesis, genesisHash }: KeyHome): Promise<Database> {
  return Database.open({
    path: directory.database,
    network: { network: genesis.network, genesisHash },
    holder: () => {
      const info = readRunInfo(directory)
      return info === undefined ? null : `pid ${info.pid} since ${info.startedAt}`
    },
  })
}

function foldOf({ snapshot, records }: SafetyReplay): SafetyRecord {
  return recoverSafety(snapshot === null ? records : [snapshot, ...records])
}

/** What the log of a directory holds now; a running node may be writing it. Null when there is none. */
async function lookUp(home: KeyHome): Promise<SafetyOfKey | null> {
  const { directory, genesisHash, id, identity } = home
  const path = safetyLogPath(directory)
  const contents = await readSafetyLog(path)
  if (contents === null) return null
  refuseForeignSafetyRecord(path, contents.binding, { validatorId: id, genesisHash })
  return {
    validatorId: id,
    publicKey: identity.keyPair.publicKey.raw,
    record: foldOf(replayOf(path, contents.frames)),
    refuseUpToView: readSigningPlace(directory.safety).refuseUpToView,
  }
}

/** Of a key that is no validator's from the start it is no fault that there is none. */
function noRecord({ directory, genesis, id }: KeyHome): StorageError {
  const path = safetyLogPath(directory)
  if (genesis.validators.some((validator) => validator.id === id)) return missingSafetyRecord(path)
  return new StorageError('E_SAFETY_RECORD_NONE', `the node of ${directory.root} has no signing record`, {
    exitCode: 77,
    why: 'its key is no validator of the genesis, and a node that is no validator keeps none',
    fix: 'name the data directory of a validator; if this key has voted elsewhere, "safety import" brings its record in',
  })
}

/** What was read, with the network it is of. */
export interface ShownSafety extends SafetyOfKey {
  readonly genesisHash: GenesisHash
  /** Whether the key last signed from this very directory since the machine booted. */
  readonly isHere: boolean
}

/**
 * Reads the record of a node, running or not.
 * @throws NodeError: no record, another key's, damaged
 */
export async function showSafety(data: string, mlDsa: MlDsa65): Promise<ShownSafety> {
  const home = await openHome(data, mlDsa)
  const found = await lookUp(home)
  if (found === null) throw noRecord(home)
  const { isHere } = readSigningPlace(home.directory.safety)
  return { ...found, genesisHash: home.genesisHash, isHere }
}

/**
 * Reads the record of a node that does not run (it would be old the moment after), for use elsewhere.
 * @throws NodeError as {@link showSafety}, and E_DATA_DIR_IN_USE (73)
 */
export async function takeSafety(data: string, mlDsa: MlDsa65): Promise<ShownSafety> {
  const home = await openHome(data, mlDsa)
  const database = await lock(home)
  try {
    const finalHeight = await finalHeightIn(database, home.genesis, mlDsa)
    const shown = await showSafety(data, mlDsa)
    const blocks = shown.record.blocks.filter((bytes) => {
      const block = decodeBlock(bytes)
      return !block.ok || block.value.header.height > finalHeight
    })
    // Whoever starts this one again has a record that may have become old: it listens first.
    markMoved(home.directory.safety, shown.refuseUpToView)
    return { ...shown, record: { ...shown.record, blocks } }
  } finally {
    await database.close()
  }
}

/** With a chain that cannot be read no block is known to be final, and all are kept. */
async function finalHeightIn(database: Database, genesis: Genesis, mlDsa: MlDsa65): Promise<number> {
  const start = genesisState(genesis, { verifySignature: signatureVerifier(mlDsa) })
  try {
    const chain = await ChainStore.open({
      database,
      genesis: start,
      stateRootOf: (accumulators, staking, voting) =>
        stateRoot(accumulators, staking, voting, start.rules.fixedRoots),
      onFatal: () => undefined,
    })
    await chain.settled()
    return chain.tip.height
  } catch (error) {
    if (error instanceof StorageError) return 0
    throw error
  }
}

/**
 * Brings a record into the directory of a node that does not run.
 * @param text the interchange file
 * @returns what the directory remembers now
 * @throws NodeError: the node runs (73), the file is not for this key or network or cannot be read, a conflict (77)
 */
export async function importSafety(
  data: string,
  file: { readonly name: string; readonly text: string },
  mlDsa: MlDsa65,
): Promise<SafetyState> {
  const home = await openHome(data, mlDsa)
  const { directory, genesisHash, id, identity } = home
  const { publicKey } = identity.keyPair
  const imported = parseSafetyFile(file.name, file.text, {
    genesisHash,
    validatorId: id,
    publicKey: publicKey.raw,
    verify: (kind, payload, signature) => publicKey.verify(payload, signature, SIGNATURE_CONTEXTS[kind]),
  })
  refuseFalseCertificates(file.name, home, imported.record, mlDsa)
  const database = await lock(home)
  try {
    const existing = await lookUp(home)
    const none = {
      record: EMPTY_SAFETY_RECORD,
      refuseUpToView: readSigningPlace(directory.safety).refuseUpToView,
    }
    const merged = mergeSafety(genesisHash, existing ?? none, imported)
    const options: SafetyLogOptions = {
      path: safetyLogPath(directory),
      binding: { validatorId: id, genesisHash },
      // Every failure is told by what is awaited below.
      onFatal: () => undefined,
    }
    // First the mark: a record without it would be taken for one that was never anywhere else.
    markMoved(directory.safety, merged.refuseUpToView)
    const snapshot = encodeSafetyRecord(merged.record)
    if (existing === null) await (await SafetyLog.create(options, snapshot)).close()
    else {
      const { log } = await SafetyLog.open(options)
      await log.compact(snapshot)
      await log.close()
    }
    return merged
  } finally {
    await database.close()
  }
}

/** Those of the genesis epoch can be checked; later ones are the operator's own word, as the disk is. */
function refuseFalseCertificates(where: string, home: KeyHome, record: SafetyRecord, mlDsa: MlDsa65): void {
  const set = { epoch: asEpoch(0), validators: home.genesis.validators }
  const checkable = <T extends { readonly epoch: number }>(it: T | null): T | null =>
    it !== null && it.epoch === set.epoch ? it : null
  const verifier = new MessageVerifier(
    home.genesisHash,
    new Electorate(set),
    new ValidatorSignatures(mlDsa, set),
    () => null,
    null,
  )
  const highQc = checkable(record.highQc)
  const highTc = checkable(record.highTc)
  if (verifier.verify({ kind: 'certificates', highQc, highTc, finality: null }) !== null) return
  throw new SafetyFileError(
    'E_SAFETY_FILE',
    `${where} is no safety record to import: a certificate is false`,
    {
      why: 'its signatures are not those of a quorum of this network',
      fix: 'export it again with "hypermesh safety export" where the key was last in use',
      exitCode: 65,
    },
  )
}
