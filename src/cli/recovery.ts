/** Reads and checks the files of a recovery, and makes a restart from a node's own snapshot. */
import { join } from 'node:path'
import { genesisHash, validatorId } from '../codec/genesis.ts'
import {
  parseForkProofJson,
  parseRestartJson,
  parseSeedCheckpointJson,
  restartJson,
  restartSigningPayload,
} from '../codec/recovery.ts'
import { decodeChunk } from '../codec/snapshot.ts'
import { snapshotsPath } from '../composition/snapshot-opening.ts'
import { dataDirectoryAt, writeFileWhole } from '../config/data-directory.ts'
import { formatGenesis } from '../config/genesis-file.ts'
import { readGenesisFile } from '../config/read-genesis-file.ts'
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import { selectMlDsa65 } from '../crypto/select.ts'
import { signatureVerifier } from '../crypto/verify-signature.ts'
import { makeFolders } from '../files/make-folders.ts'
import { genesisState } from '../ledger/genesis-state.ts'
import { checkForkProof, type ProvenFork } from '../ledger/recovery/fork-proof.ts'
import { checkRestart, restartGenesis } from '../ledger/recovery/restart.ts'
import { checkSeedCheckpoint, type ProvenCheckpoint } from '../ledger/recovery/seed-checkpoint.ts'
import { type FinishedReplay, SnapshotReplay } from '../ledger/snapshot-replay.ts'
import { ownerOfKey } from '../ledger/staking/validator-keys.ts'
import { stateRoot } from '../ledger/state-root.ts'
import { SnapshotFiles } from '../storage/snapshot-files.ts'
import type { Genesis } from '../types/genesis.ts'
import type { AccountId } from '../types/primitives.ts'
import type { ForkProof, RestartSignature, SignedCheckpoint } from '../types/recovery.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { readTextFile } from './parse-options.ts'
import { openSigner } from './stake-client.ts'

interface NetworkOptions {
  readonly genesis?: string
  readonly data?: string
}

const verifySignature = signatureVerifier(selectMlDsa65())

/** @throws CliError `E_USAGE` (64), GenesisError `E_GENESIS` (65) */
function networkOf({ genesis, data }: NetworkOptions): Genesis {
  const path = genesis ?? (data === undefined ? undefined : dataDirectoryAt(data).genesis)
  if (path === undefined) {
    throw usageError(
      'the network is not said',
      "name a node's directory with --data, or its genesis.json with --genesis",
    )
  }
  return readGenesisFile(path)
}

function refused(path: string, why: string): CliError {
  return new CliError('E_RECOVERY', `${path} does not hold`, {
    why,
    fix: 'take the file as it was written, and the genesis of its network',
    exitCode: EXIT.failure,
  })
}

function notesAreLost(path: string, worth: bigint): CliError {
  return new CliError('E_NOTES_LOST', `the restart at ${path} loses notes worth ${worth}`, {
    why: 'a new genesis takes over accounts, not shielded money',
    fix: `if the remaining validators agree to give it up, say so: --abandon-notes ${worth}`,
    exitCode: EXIT.failure,
  })
}

export interface CheckedCheckpoint {
  readonly path: string
  readonly checkpoint: SignedCheckpoint
  readonly proven: ProvenCheckpoint
  /** Who wrote it. */
  readonly custodian: string
}

/** @throws CliError `E_RECOVERY` (1), `E_FILE` (65) */
export async function checkedCheckpoints(
  paths: readonly string[],
  options: NetworkOptions,
): Promise<CheckedCheckpoint[]> {
  const network = genesisHash(networkOf(options))
  return paths.map((path) => {
    const read = parseSeedCheckpointJson(readTextFile(path, 'checkpoint'))
    if (!read.ok) throw refused(path, read.detail)
    const proven = checkSeedCheckpoint(read.value, network, verifySignature)
    if (!proven.ok) throw refused(path, proven.detail)
    return {
      path,
      checkpoint: read.value,
      proven: proven.value,
      custodian: validatorId(read.value.custodian),
    }
  })
}

/** @throws CliError `E_RECOVERY` (1), `E_FILE` (65) */
export function checkedFork(
  path: string,
  options: NetworkOptions,
): { readonly proof: ForkProof; readonly fork: ProvenFork } {
  const read = parseForkProofJson(readTextFile(path, 'proof'))
  if (!read.ok) throw refused(path, read.detail)
  const network = genesisHash(networkOf(options))
  if (read.value.genesisHash !== network) throw refused(path, `it is of network ${read.value.genesisHash}`)
  const fork = checkForkProof(read.value, verifySignature)
  if (!fork.ok) throw refused(path, fork.detail)
  return { proof: read.value, fork: fork.value }
}

/** The state at a checkpoint, from the snapshot that this node took there, checked against what was certified. */
async function stateAt(data: string, genesis: Genesis, of: CheckedCheckpoint): Promise<FinishedReplay> {
  const { height, blockHash } = of.proven
  const files = await SnapshotFiles.open(snapshotsPath(dataDirectoryAt(data).root))
  const manifest = files.manifestAt(height)
  if (manifest === null) {
    throw new CliError('E_NO_SNAPSHOT', `${data} holds no snapshot of height ${height}`, {
      why: 'the state at a checkpoint is read from the snapshot that was taken there',
      fix: `name another node's directory, or a checkpoint of ${
        files
          .manifests()
          .map(({ header }) => header.height)
          .join(', ') || 'none'
      }`,
      exitCode: EXIT.data,
    })
  }
  const { rules, changes } = genesisState(genesis, { verifySignature })
  const replay = new SnapshotReplay(
    { blockHash, stateRoot: of.checkpoint.stateRoot },
    (accumulators, staking, voting) => stateRoot(accumulators, staking, voting, rules.fixedRoots),
    changes.accumulators.shielded,
  )
  for (const reference of manifest.chunks) {
    const bytes = await files.chunk(reference.sha256)
    const entries = bytes === null ? null : decodeChunk(bytes, reference.count)
    const taken = entries?.ok === true ? replay.add(reference.part, entries.value) : null
    if (taken?.ok !== true) throw refused(`the snapshot of height ${height}`, `chunk ${reference.sha256}`)
  }
  const finished = replay.finish()
  if (!finished.ok) throw refused(`the snapshot of height ${height}`, finished.detail)
  return finished.value
}

/** A restart as `checkpoint restart` tells it. */
export interface MadeRestart {
  readonly from: string
  readonly to: string
  readonly height: number
  readonly culprits: readonly string[]
  /** Paths of what was written. */
  readonly genesis: string
  readonly signature: string
  readonly signedStake: string
  readonly totalStake: string
  /** More than two thirds of the remaining stake agree. */
  readonly isDecided: boolean
}

/**
 * Makes the genesis of the network that goes on, signs for it with the key of a data directory, and counts signatures.
 * @throws CliError `E_RECOVERY` (1), `E_NOTES_LOST` (1), `E_NO_SNAPSHOT`, `E_FILE` (65)
 */
export async function makeRestart(
  path: string,
  options: NetworkOptions & {
    readonly culprits?: string
    readonly out?: string
    readonly signatures?: readonly string[]
    /** What all notes are worth, given up. */
    readonly abandonNotes?: bigint
  },
): Promise<MadeRestart> {
  const { culprits: proofPath = '', out = '' } = options
  const signer = await openSigner(options)
  const genesis = networkOf({ data: signer.data })
  const [checked] = await checkedCheckpoints([path], { data: signer.data })
  if (checked === undefined) throw usageError('no checkpoint', 'name one')
  const { fork } = checkedFork(proofPath, { data: signer.data })
  if (fork.evidence.length === 0) {
    throw refused(proofPath, 'the certificates are of two views: nobody is a culprit by them alone')
  }
  const { staking, voting, accumulators, block } = await stateAt(signer.data, genesis, checked)
  const culprits = fork.signers
    .flatMap(({ id }): AccountId[] => {
      const owner = ownerOfKey(id, staking.accounts)
      return owner === null ? [] : [owner.account.id]
    })
    .sort()
  const next = restartGenesis(
    genesis,
    {
      staking,
      operations: voting.operations,
      pool: accumulators.shielded.pool,
      time: block.header.timestamp,
    },
    culprits,
    options.abandonNotes,
  )
  if (!next.ok) {
    throw next.code === 'notes-are-lost'
      ? notesAreLost(path, accumulators.shielded.pool)
      : refused(path, next.detail)
  }
  const decision = {
    from: signer.genesisHash,
    blockHash: checked.proven.blockHash,
    culprits,
    to: genesisHash(next.value),
  }
  const { keyPair } = signer.identity
  const own: RestartSignature = {
    publicKey: keyPair.publicKey.raw,
    signature: keyPair.sign(restartSigningPayload(decision), SIGNATURE_CONTEXTS.restart),
  }
  const others = (options.signatures ?? []).map((file) => {
    const read = parseRestartJson(readTextFile(file, 'signature'))
    if (!read.ok) throw refused(file, read.detail)
    return read.value
  })
  const isOne = checkRestart(decision, [own, ...others], next.value.validators, verifySignature)
  if (!isOne.ok && isOne.code !== 'too-little-stake') throw refused(path, isOne.detail)
  const signed = new Set([own, ...others].map(({ publicKey }) => validatorId(publicKey)))
  const stakeOf = (all: typeof next.value.validators): bigint =>
    all.reduce((sum, { stake }) => sum + stake, 0n)
  makeFolders(out)
  const files = {
    genesis: join(out, 'genesis.json'),
    signature: join(out, `restart-${signer.validatorId.slice(0, 12)}.json`),
  }
  writeFileWhole(files.genesis, formatGenesis(next.value))
  writeFileWhole(files.signature, restartJson({ ...decision, ...own }))
  return {
    from: decision.from,
    to: decision.to,
    height: checked.proven.height,
    culprits,
    ...files,
    signedStake: `${stakeOf(next.value.validators.filter(({ id }) => signed.has(id)))}`,
    totalStake: `${stakeOf(next.value.validators)}`,
    isDecided: isOne.ok,
  }
}
