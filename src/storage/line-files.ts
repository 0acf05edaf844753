/**
 * Lines in files that only grow: the newest file takes them, a new one begins when it is full, the oldest go. Begins
 * after a crash by cutting off what is left of a line. Knows nothing of what stands in a line.
 */
import { constants, writeSync } from 'node:fs'
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolders } from '../files/make-folders.ts'
import { nodeFileSystem, type WritableFile, writeFully } from './file-system.ts'

/** Where and how many. */
export interface LineFilesOptions {
  readonly folder: string
  /** A file that has so many bytes takes no more lines. */
  readonly fileBytesMax: number
  /** Files kept; 0: all. */
  readonly filesMax: number
  /** The longest line that is looked for at the end of the newest file. */
  readonly lineBytesMax: number
}

/** What was there when the files were opened. */
export interface OpenedLineFiles {
  readonly files: LineFiles
  /** The newest whole line, without its end; null when there is none. */
  readonly lastLine: Uint8Array | null
  /** Of a line that was not whole, and is gone. */
  readonly tornBytes: number
}

const NEWLINE = 0x0a
/** Twelve digits: names stand in the order of their numbers. */
const NAME = /^audit-(\d{12})\.jsonl$/

function nameOf(firstSequence: number): string {
  return `audit-${String(firstSequence).padStart(12, '0')}.jsonl`
}

/** Paths of the files in a folder, oldest first; none when there is no such folder. */
export async function lineFilesIn(folder: string): Promise<{ path: string; firstSequence: number }[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.sort().flatMap((name) => {
    const digits = NAME.exec(name)?.[1]
    return digits === undefined ? [] : [{ path: join(folder, name), firstSequence: Number(digits) }]
  })
}

function writable(file: FileHandle): WritableFile {
  return {
    write: async (bytes, position) => writeSync(file.fd, bytes, 0, bytes.length, position),
    datasync: () => file.datasync(),
    sync: () => file.sync(),
    close: () => file.close(),
  }
}

const CHUNK_BYTES = 64 * 1_024

async function readAt(file: FileHandle, from: number, to: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from)
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done)
    if (bytesRead === 0) throw new Error(`the file ends at byte ${from + done}, it had ${to}`)
    done += bytesRead
  }
  return bytes
}

/** The end of a file: its newest whole line, at most the last `bytesMax` of it, and where that line ends. */
async function endOf(file: FileHandle, bytesMax: number): Promise<{ line: Uint8Array | null; end: number }> {
  let end = (await file.stat()).size
  // What a loss of power leaves can be long: blocks that were never written read as zeros.
  for (let last = -1; end > 0; end = last) {
    last = Math.max(0, end - CHUNK_BYTES)
    const at = (await readAt(file, last, end)).lastIndexOf(NEWLINE)
    if (at < 0) continue
    end = last + at + 1
    break
  }
  if (end === 0) return { line: null, end }
  const bytes = await readAt(file, Math.max(0, end - 1 - bytesMax), end - 1)
  return { line: bytes.subarray(bytes.lastIndexOf(NEWLINE) + 1), end }
}

export class LineFiles {
  readonly #options: LineFilesOptions
  #file: WritableFile | null
  #size: number
  #count: number

  private constructor(options: LineFilesOptions, file: WritableFile | null, size: number, count: number) {
    this.#options = options
    this.#file = file
    this.#size = size
    this.#count = count
  }

  /** @throws Error of the file system */
  static async open(options: LineFilesOptions): Promise<OpenedLineFiles> {
    makeFolders(options.folder)
    const found = await lineFilesIn(options.folder)
    const newest = found.at(-1)
    if (newest === undefined) {
      return { files: new LineFiles(options, null, 0, 0), lastLine: null, tornBytes: 0 }
    }
    const handle = await open(newest.path, constants.O_RDWR)
    try {
      const { size } = await handle.stat()
      const { line, end } = await endOf(handle, options.lineBytesMax)
      if (end < size) {
        await handle.truncate(end)
        await handle.sync()
      }
      const lastLine = line ?? (await lastLineBefore(found.at(-2)?.path, options.lineBytesMax))
      return {
        files: new LineFiles(options, writable(handle), end, found.length),
        lastLine,
        tornBytes: size - end,
      }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /**
   * Adds lines; again with the same ones when it was rejected.
   * @param lines each with its end
   * @param firstSequence number of the first, for the name of a new file
   * @throws Error of the file system
   */
  async append(lines: string, firstSequence: number): Promise<void> {
    const bytes = Buffer.from(lines)
    const file =
      this.#file === null || (this.#size > 0 && this.#size + bytes.length > this.#options.fileBytesMax)
        ? await this.#begin(firstSequence)
        : this.#file
    // At its place, so that a write that failed half-way is written over when it is made again.
    await writeFully(file, bytes, this.#size)
    this.#size += bytes.length
  }

  async sync(): Promise<void> {
    await this.#file?.datasync()
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = null
  }

  async #begin(firstSequence: number): Promise<WritableFile> {
    const { folder, filesMax } = this.#options
    if (this.#file !== null) {
      await this.#file.datasync()
      await this.#file.close()
      this.#file = null
    }
    const path = join(folder, nameOf(firstSequence))
    // Left by an attempt that failed before a line was in it.
    await rm(path, { force: true })
    this.#file = await nodeFileSystem.createFile(path)
    this.#size = 0
    await nodeFileSystem.syncDirectory(folder)
    this.#count += 1
    if (filesMax > 0 && this.#count > filesMax) {
      const found = await lineFilesIn(folder)
      for (const { path: oldest } of found.slice(0, Math.max(0, found.length - filesMax))) await rm(oldest)
      this.#count = Math.min(found.length, filesMax)
    }
    return this.#file
  }
}

async function lastLineBefore(path: string | undefined, bytesMax: number): Promise<Uint8Array | null> {
  if (path === undefined) return null
  const file = await open(path, constants.O_RDONLY)
  try {
    return (await endOf(file, bytesMax)).line
  } finally {
    await file.close()
  }
}
