/**
 * One secret file on disk: written whole or not at all, never over another, readable by its owner only. What
 * is inside is the keystore's matter.
 */

import { randomUUID } from 'node:crypto'
import { type FileHandle, link, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolders } from '../files/make-folders.ts'
import { NodeError } from '../types/errors.ts'

/** Why a key could not be kept or loaded. */
export type KeystoreErrorCode =
  | 'E_KEY_EXISTS'
  | 'E_KEY_MISSING'
  | 'E_KEY_PERMISSIONS'
  | 'E_KEY_MALFORMED'
  | 'E_KEY_MISMATCH'
  | 'E_KEY_IO'

/** The keystore's failures; all end with exit code 77, on which nothing may restart the node by itself. */
export class KeystoreError extends NodeError {
  declare readonly code: KeystoreErrorCode

  constructor(code: KeystoreErrorCode, what: string, options: { why: string; fix: string; cause?: unknown }) {
    super(code, what, { ...options, exitCode: 77 })
  }
}

/** A key file has some 4 KB; a larger one is something else. */
const FILE_BYTES_MAX = 64 * 1024

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function ioError(what: string, cause: unknown): KeystoreError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new KeystoreError('E_KEY_IO', what, { why, fix: 'check the path, its owner and the disk', cause })
}

function alreadyThere(path: string): KeystoreError {
  return new KeystoreError('E_KEY_EXISTS', `there is a key at ${path} already`, {
    why: 'a key is never overwritten: what it signed can not be signed by another',
    fix: 'choose another path, or move the old key away if you are sure that it is not needed',
  })
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/**
 * Writes a new file with mode 0600 into a directory (0700 when it has to be made): temporary file, fsync,
 * link to its name, fsync of the directory. A link, unlike a rename, fails when the name is taken.
 *
 * @throws KeystoreError E_KEY_EXISTS or E_KEY_IO
 */
export async function writeSecretFile(path: string, content: string): Promise<void> {
  const directory = dirname(path)
  const temporary = join(directory, `.${randomUUID()}.tmp`)
  try {
    makeFolders(directory)
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(temporary, path).catch((error: unknown) => {
      throw isErrno(error, 'EEXIST') ? alreadyThere(path) : error
    })
  } catch (error) {
    throw error instanceof KeystoreError ? error : ioError(`cannot write the key file ${path}`, error)
  } finally {
    await rm(temporary, { force: true }).catch(() => {})
  }
  await syncDirectory(directory).catch((error: unknown) => {
    throw ioError(`cannot make the key file ${path} durable`, error)
  })
}

/**
 * Reads a secret file that only its owner can read.
 *
 * @throws KeystoreError E_KEY_MISSING, E_KEY_PERMISSIONS, E_KEY_MALFORMED (too large) or E_KEY_IO
 */
export async function readSecretFile(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    // Of the open file, so that nobody can swap it between the look and the read.
    const { mode, size } = await file.stat()
    if ((mode & 0o077) !== 0) {
      throw new KeystoreError('E_KEY_PERMISSIONS', `the key file ${path} is open to others`, {
        why: `its mode is ${(mode & 0o777).toString(8).padStart(4, '0')}; whoever can read the key can sign as this node`,
        fix: `chmod 600 ${path}, and make a new key if somebody else may have read this one`,
      })
    }
    if (size > FILE_BYTES_MAX) {
      throw new KeystoreError('E_KEY_MALFORMED', `the key file ${path} has ${size} bytes`, {
        why: `a key file has at most ${FILE_BYTES_MAX}`,
        fix: 'check that the path names a key file',
      })
    }
    return await file.readFile('utf8')
  } catch (error) {
    if (error instanceof KeystoreError) throw error
    if (isErrno(error, 'ENOENT')) {
      throw new KeystoreError('E_KEY_MISSING', `there is no key file at ${path}`, {
        why: 'the node has no identity without it',
        fix: 'restore it from your backup; a node of its own is made with "hypermesh init" in another directory',
        cause: error,
      })
    }
    throw ioError(`cannot read the key file ${path}`, error)
  } finally {
    await file?.close()
  }
}
