/** Why the database is not opened, not read or not written, as the operator reads it. */
import type { GenesisHash } from '../types/primitives.ts'
import { messageOf, STORAGE_EXIT, StorageError, systemCode } from './storage-error.ts'

/** The network a database belongs to. */
export interface DatabaseNetwork {
  /** Human name of the network. */
  readonly network: string
  readonly genesisHash: GenesisHash
}

/**
 * How to get a good database again. The chain comes back from the other nodes; what the key signed lies beside
 * the key and is not touched.
 */
function restoreAdvice(path: string): string {
  return `stop the node, run: mv ${path} ${path}.damaged, and start it again; it fetches the chain from its peers`
}

/** What is in the database contradicts itself, or cannot be read. */
export function damagedDatabase(path: string, why: string, cause?: unknown): StorageError {
  return new StorageError('E_DB_CORRUPT', `the database ${path} is damaged: ${why}`, {
    why: 'a state that is not certainly the chain’s must not be served or signed',
    fix: restoreAdvice(path),
    exitCode: STORAGE_EXIT.data,
    ...(cause === undefined ? {} : { cause }),
  })
}

/** It is another network's. */
export function foreignDatabase(
  path: string,
  found: DatabaseNetwork,
  expected: DatabaseNetwork,
): StorageError {
  const name = ({ network, genesisHash }: DatabaseNetwork) =>
    `network ${network} (genesis ${genesisHash.slice(0, 16)}…)`
  return new StorageError('E_DB_FOREIGN', `the database ${path} belongs to ${name(found)}`, {
    why: `this node was started for ${name(expected)}`,
    fix: 'choose the data directory of this network with --data, or the genesis file of that one',
    exitCode: STORAGE_EXIT.data,
  })
}

/** It was written by another version of the program. */
export function foreignSchema(path: string, found: string, expected: number): StorageError {
  return new StorageError(
    'E_DB_SCHEMA',
    `the database ${path} has schema ${found}, this program reads ${expected}`,
    {
      fix: 'run the version of hypermesh that wrote it, or start with a new data directory',
      exitCode: STORAGE_EXIT.data,
    },
  )
}

/** What LevelDB threw when it was opened. Its own error hides the reason in its cause. */
export function openingFailed(path: string, error: unknown, holder: string | null): StorageError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const code = systemCode(cause)
  if (code === 'LEVEL_LOCKED') {
    return new StorageError('E_DATA_DIR_IN_USE', `${path} is in use by ${holder ?? 'another process'}`, {
      why: 'two nodes on one data directory would sign with one key',
      fix: 'stop the other node, or choose another directory with --data',
      exitCode: STORAGE_EXIT.dataDirectory,
      cause,
    })
  }
  // A file that LevelDB's own index names and that is not there is lost data, not a missing path.
  if (code === 'LEVEL_CORRUPTION' || /No such file/.test(messageOf(cause))) {
    return damagedDatabase(path, messageOf(cause), cause)
  }
  return new StorageError('E_DB_OPEN', `the database ${path} cannot be opened: ${messageOf(cause)}`, {
    fix: 'check the disk (space, health) and the owner and mode of the directory',
    exitCode: STORAGE_EXIT.dataDirectory,
    cause,
  })
}

/** A read or an iteration failed. */
export function readingFailed(path: string, error: unknown): StorageError {
  const code = systemCode(error)
  if (code === 'LEVEL_DATABASE_NOT_OPEN' || code === 'LEVEL_SNAPSHOT_NOT_OPEN') {
    return new StorageError('E_DB_CLOSED', `the database ${path} is closed`, { cause: error })
  }
  return damagedDatabase(path, messageOf(error), error)
}

/** A batch did not become durable. */
export function writingFailed(path: string, error: unknown): StorageError {
  return new StorageError('E_DB_WRITE', `writing the database ${path} failed: ${messageOf(error)}`, {
    why: 'a block that is final must be on disk before the node goes on',
    fix: 'check the disk (space, health, mount options), then start the node again',
    exitCode: STORAGE_EXIT.dataDirectory,
    cause: error,
  })
}
