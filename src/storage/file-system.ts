/**
 * The file system as the safety log uses it: a port with exactly these calls, so that a test can put one
 * underneath that fails, tears or loses any of them. Knows nothing of what is written.
 */
import { constants, fdatasyncSync, writeSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { NearSync } from './near-sync.ts'
import { StorageError } from './storage-error.ts'

/** A file open for writing. */
export interface WritableFile {
  /** Writes at a byte offset; returns how many bytes were taken, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>
  /** fdatasync: the contents, and the metadata without which they cannot be read, are durable. */
  datasync(): Promise<void>
  /** fsync: contents and all metadata are durable. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface FileSystem {
  /** The whole file, or null when there is none. Rejects a file longer than `bytesMax`. */
  readFile(path: string, bytesMax: number): Promise<Uint8Array | null>
  /** Makes a new file with mode 0600; rejects when the name is taken. */
  createFile(path: string): Promise<WritableFile>
  /** Atomic replacement of `to`; durable only after {@link syncDirectory}. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; nothing happens when there is none. */
  remove(path: string): Promise<void>
  /** fsync of a directory: the names in it are durable. */
  syncDirectory(path: string): Promise<void>
}

/** `node:fs` behind the port. */
export const nodeFileSystem: FileSystem = {
  async readFile(path, bytesMax) {
    let file: Awaited<ReturnType<typeof open>>
    try {
      file = await open(path, constants.O_RDONLY)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
      throw error
    }
    try {
      const { size } = await file.stat()
      if (size > bytesMax) {
        throw new StorageError('E_FILE_TOO_LARGE', `${path} has ${size} bytes, the limit is ${bytesMax}`)
      }
      const bytes = await file.readFile()
      // A plain array: the `slice` of a Buffer would keep the whole file alive.
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    } finally {
      await file.close()
    }
  },

  async createFile(path) {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600)
    const near = new NearSync({
      here: () => fdatasyncSync(file.fd),
      away: () => file.datasync(),
      nowMs: () => performance.now(),
    })
    return {
      // Into the page cache, which takes microseconds: a trip through the thread pool would cost more. What waits
      // for the disk is the sync.
      write: async (bytes, position) => writeSync(file.fd, bytes, 0, bytes.length, position),
      datasync: () => near.sync(),
      sync: () => file.sync(),
      close: () => file.close(),
    }
  },

  rename,
  remove: (path) => rm(path, { force: true }),

  async syncDirectory(path) {
    const directory = await open(path, constants.O_RDONLY)
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  },
}

/** Writes all of `bytes`, however short the single writes are. Rejects when a write takes nothing. */
export async function writeFully(file: WritableFile, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const written = await file.write(bytes.subarray(done), position + done)
    if (written <= 0) throw new Error(`the disk took ${done} of ${bytes.length} bytes`)
    done += written
  }
}
