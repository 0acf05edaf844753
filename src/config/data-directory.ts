/**
 * What lies where in a node's data directory, and whether it is the right one: VERSION names the schema and the
 * network and is checked before anything else is opened. Keys and the record of what they signed lie together.
 * Locks nothing: the database's own lock does.
 */

import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { makeFolders } from '../files/make-folders.ts'
import { DataDirectoryError } from './errors.ts'

/** Layout of the directory; raised when an older node could not read what a newer one wrote. */
export const DATA_SCHEMA = 1

/** Absolute paths inside one data directory. */
export interface DataDirectory {
  readonly root: string
  readonly version: string
  /** Who runs here and where it listens; for people and for `status`, never a lock. */
  readonly run: string
  readonly config: string
  readonly genesis: string
  readonly keys: string
  /** The safety log, beside the key whose signatures it records. */
  readonly safety: string
  readonly database: string
  readonly tls: string
  /** Where peers answered and say that they listen; a node without it begins with its bootstrap peers. */
  readonly addressBook: string
  /** One file for each operation that the operator has an opinion of (operation-votes.ts). */
  readonly operationVotes: string
}

export function dataDirectoryAt(path: string): DataDirectory {
  const root = resolve(path)
  const keys = join(root, 'keys')
  return {
    root,
    version: join(root, 'VERSION'),
    run: join(root, 'run.json'),
    config: join(root, 'config.toml'),
    genesis: join(root, 'genesis.json'),
    keys,
    safety: join(keys, 'safety'),
    database: join(root, 'db'),
    tls: join(root, 'tls'),
    addressBook: join(root, 'address-book.json'),
    operationVotes: join(root, 'operation-votes'),
  }
}

/** `$XDG_DATA_HOME/hypermesh`: the parent of every network's default directory. */
export function defaultDataHome(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const home = environment['XDG_DATA_HOME']
  // The XDG base directory specification: a relative value is to be ignored.
  const base = home !== undefined && isAbsolute(home) ? home : join(homedir(), '.local', 'share')
  return join(base, 'hypermesh')
}

/** The network a directory belongs to. */
export interface DataVersion {
  readonly schema: number
  readonly network: string
  /** Hex. */
  readonly genesis: string
}

export function isInitialised(directory: DataDirectory): boolean {
  return existsSync(directory.version)
}

/** @throws DataDirectoryError `E_DATA_DIR_VERSION` (65) when VERSION is there and is not ours */
export function readDataVersion(directory: DataDirectory): DataVersion {
  const text = readFileSync(directory.version, 'utf8')
  const match = /^schema=(\d+) network=(\S+) genesis=([0-9a-f]+)\n?$/.exec(text)
  if (match === null) {
    throw new DataDirectoryError(
      'E_DATA_DIR_VERSION',
      `${directory.version} is not a hypermesh VERSION file`,
      {
        exitCode: 65,
        fix: 'check that --data names the directory you mean',
      },
    )
  }
  return { schema: Number(match[1]), network: match[2] ?? '', genesis: match[3] ?? '' }
}

/** Writes a small file so that it is there in whole or not at all, a power cut included; 0600. */
export function writeFileWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function cannotWrite(directory: DataDirectory, cause: unknown): DataDirectoryError {
  return new DataDirectoryError('E_DATA_DIR_WRITE', `${directory.root} cannot be written`, {
    exitCode: 73,
    why: (cause as Error).message,
    fix: 'choose another directory with --data, or correct its owner and mode',
    cause,
  })
}

/** Makes the folder of the keys, for keys that come before the node. @throws DataDirectoryError `E_DATA_DIR_WRITE` (73) */
export function makeKeysFolder(directory: DataDirectory): void {
  try {
    makeFolders(directory.keys)
  } catch (error) {
    throw cannotWrite(directory, error)
  }
}

/**
 * Creates the folders (0700) of a new node. The directory counts as initialised only after
 * {@link sealDataDirectory}, so that a half-made one can be made again.
 * @throws DataDirectoryError `E_DATA_DIR_EXISTS` or `E_DATA_DIR_WRITE` (73)
 */
export function createDataDirectory(path: string): DataDirectory {
  const directory = dataDirectoryAt(path)
  if (isInitialised(directory)) {
    const { network } = readDataVersion(directory)
    throw new DataDirectoryError(
      'E_DATA_DIR_EXISTS',
      `${directory.root} is already a node of network ${network}`,
      {
        exitCode: 73,
        fix: 'choose another directory with --data',
      },
    )
  }
  try {
    for (const folder of [directory.root, directory.keys, directory.safety, directory.tls]) {
      makeFolders(folder)
      chmodSync(folder, 0o700)
    }
  } catch (error) {
    throw cannotWrite(directory, error)
  }
  return directory
}

/**
 * Writes VERSION: from here on the directory is a node's, of this network for good.
 * @throws DataDirectoryError `E_DATA_DIR_WRITE` (73)
 */
export function sealDataDirectory(directory: DataDirectory, network: string, genesis: string): void {
  try {
    writeFileWhole(directory.version, `schema=${DATA_SCHEMA} network=${network} genesis=${genesis}\n`)
  } catch (error) {
    throw cannotWrite(directory, error)
  }
}

/** @throws DataDirectoryError `E_DATA_DIR_MISSING` (73), naming the nodes in the folder if it holds some, or `E_DATA_DIR_READ` (73) */
export function requireInitialised(directory: DataDirectory): void {
  if (isInitialised(directory)) return
  if (isFile(directory.root)) {
    throw new DataDirectoryError('E_DATA_DIR_MISSING', `${directory.root} is not a node's data directory`, {
      exitCode: 73,
      why: 'it is a file, not a folder',
      fix: 'name the folder of a node with --data',
    })
  }
  requireReadable(directory)
  const [inside] = nodesIn(directory.root)
  throw new DataDirectoryError('E_DATA_DIR_MISSING', `${directory.root} is not a node's data directory`, {
    exitCode: 73,
    why: inside === undefined ? 'it has no VERSION file' : 'it holds the data directories of nodes',
    fix:
      inside === undefined
        ? 'make one with "hypermesh init" or "hypermesh testnet init", or run "hypermesh devnet"'
        : `name one of them, as in --data ${inside}`,
  })
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** A service that runs as another user than the one that made the directory. */
function requireReadable({ root }: DataDirectory): void {
  try {
    accessSync(root, constants.R_OK | constants.X_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return
    throw new DataDirectoryError('E_DATA_DIR_READ', `${root} cannot be read by this user`, {
      exitCode: 73,
      why: (error as Error).message,
      fix: 'run as the user who owns it, or give it to this one with chown -R',
      cause: error,
    })
  }
}

/** Paths of the data directories that lie in a folder, by name. */
function nodesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name))
      .filter((path) => isInitialised(dataDirectoryAt(path)))
  } catch {
    return []
  }
}

/**
 * Opens an initialised directory.
 * @throws DataDirectoryError `E_DATA_DIR_MISSING` (73), `E_DATA_DIR_VERSION` or `E_DATA_DIR_SCHEMA` (65)
 */
export function openDataDirectory(path: string): { directory: DataDirectory; version: DataVersion } {
  const directory = dataDirectoryAt(path)
  requireInitialised(directory)
  const version = readDataVersion(directory)
  if (version.schema !== DATA_SCHEMA) {
    const what = `${directory.root} has schema ${version.schema}, this version reads ${DATA_SCHEMA}`
    throw new DataDirectoryError('E_DATA_DIR_SCHEMA', what, {
      exitCode: 65,
      fix: 'run the version of hypermesh that wrote it, or start with a new directory',
    })
  }
  return { directory, version }
}

/** @throws DataDirectoryError `E_DATA_DIR_NETWORK` (65) when the directory holds another network's data */
export function checkNetwork(
  directory: DataDirectory,
  version: DataVersion,
  network: string,
  genesis: string,
): void {
  if (version.network === network && version.genesis === genesis) return
  const what = `${directory.root} holds network ${version.network} (genesis ${version.genesis.slice(0, 16)}…)`
  throw new DataDirectoryError('E_DATA_DIR_NETWORK', what, {
    exitCode: 65,
    why: `${directory.genesis} is of network ${network} (genesis ${genesis.slice(0, 16)}…)`,
    fix: 'put back the genesis file that belongs to this directory, or choose another directory with --data',
  })
}
