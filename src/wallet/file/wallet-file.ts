/** The wallet file on disk: made once and never over another, replaced as a whole, readable by its owner only. */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { syncDirectory, writeDurably } from '../../storage/durable-files.ts'
import { WalletError } from '../wallet-error.ts'
import { SEALED_FILE_BYTES_MAX } from './sealed-file.ts'

/** A wallet's failures pass through, those of the file system get words. */
function ioError(what: string, error: unknown): WalletError {
  if (error instanceof WalletError) return error
  return new WalletError('E_WALLET_IO', what, {
    why: error instanceof Error ? error.message : String(error),
    fix: 'check the path, its owner and the disk',
    cause: error,
  })
}

function alreadyThere(path: string): WalletError {
  return new WalletError('E_WALLET_EXISTS', `there is a file at ${path} already`, {
    why: 'a wallet is never overwritten: whoever loses its seed loses its money',
    fix: 'choose another path with --wallet',
  })
}

/** Runs what touches the disk. @throws WalletError `E_WALLET_IO` in place of what the file system throws */
export async function onDisk<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw ioError(what, error)
  }
}

/** So that nothing beside a wallet is touched where there is one. @throws WalletError `E_WALLET_EXISTS`, `E_WALLET_IO` */
export function requireAbsent(path: string): Promise<void> {
  return onDisk(`the wallet ${path} cannot be made`, async () => {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (found !== null) throw alreadyThere(path)
  })
}

/**
 * Finds the wallet that is meant, before anything is looked for beside it. Whoever names it by a link means the same one: it
 * has one lock, and the link stays a link when the wallet is replaced.
 * @returns its path without links
 * @throws WalletError `E_WALLET_MISSING`, `E_WALLET_IO`
 */
export function findWalletFile(path: string): Promise<string> {
  return onDisk(`the wallet ${path} cannot be read`, async () => {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? missing(path) : error
    })
    // A device or a folder is open to others more often than not: who is told so would change its mode.
    if (!found.isFile()) throw missing(path, 'it is not a file')
    return realpath(path)
  })
}

/**
 * Writes a new wallet: it is there in whole, on the disk, or not at all.
 * @throws WalletError `E_WALLET_EXISTS`, `E_WALLET_IO`
 */
export function createWalletFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`
  return onDisk(`the wallet ${path} cannot be made`, async () => {
    try {
      await writeDurably(temporary, Buffer.from(text))
      // Unlike a rename it fails when the name is taken.
      await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'EEXIST' ? alreadyThere(path) : error
      })
    } finally {
      await rm(temporary, { force: true })
    }
    await syncDirectory(dirname(resolve(path)))
  })
}

/** Replaces a wallet: the old one or the new one is there, whatever happens. @throws WalletError `E_WALLET_IO` */
export function replaceWalletFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`
  return onDisk(`the wallet ${path} cannot be written`, async () => {
    // What a crash left there may have another mode, which writing over it would keep.
    await rm(temporary, { force: true })
    await writeDurably(temporary, Buffer.from(text))
    await rename(temporary, path)
    await syncDirectory(dirname(resolve(path)))
  })
}

/**
 * Reads a wallet file that only its owner can read.
 * @throws WalletError `E_WALLET_MISSING`, `E_WALLET_PERMISSIONS`, `E_WALLET_DAMAGED` (too large), `E_WALLET_IO`
 */
export function readWalletFile(path: string): Promise<string> {
  return onDisk(`the wallet ${path} cannot be read`, async () => {
    const file = await open(path, constants.O_RDONLY).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? missing(path) : error
    })
    try {
      const { mode, size } = await file.stat()
      if ((mode & 0o077) !== 0) throw openToOthers(path, mode)
      if (size > SEALED_FILE_BYTES_MAX) {
        throw new WalletError('E_WALLET_DAMAGED', `${path} has ${size} bytes`, {
          why: `a wallet has at most ${SEALED_FILE_BYTES_MAX}`,
          fix: 'check that the path names a wallet',
        })
      }
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  })
}

function missing(path: string, why?: string): WalletError {
  return new WalletError('E_WALLET_MISSING', `there is no wallet at ${path}`, {
    ...(why === undefined ? {} : { why }),
    fix: 'make one with "hypermesh wallet new", or name it with --wallet',
  })
}

function openToOthers(path: string, mode: number): WalletError {
  return new WalletError('E_WALLET_PERMISSIONS', `the wallet ${path} is open to others`, {
    why: `its mode is ${(mode & 0o777).toString(8).padStart(4, '0')}; whoever copies it can try passphrases`,
    fix: `chmod 600 ${path}, and move the money to a new wallet if somebody else may have read this one`,
  })
}
