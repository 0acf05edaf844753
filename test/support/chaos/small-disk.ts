/** A node's data directory on a small file system of its own, which can be filled. Needs root and tmpfs (Linux). */

import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { failureOf, run } from './kernel.ts'

/** The witness keeps every safety log that ever stood there, 8 MiB each: room for some sixty of them. */
const SIZE = '512m'
const FILLER_CHUNK = Buffer.alloc(1_048_576)

export class SmallDisk {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Moves a data directory that nobody uses onto a file system of its own, under the same path.
   * @returns the disk, or why this machine permits none
   */
  static under(folder: string): SmallDisk | string {
    const before = `${folder}-before`
    renameSync(folder, before)
    mkdirSync(folder, { mode: 0o700 })
    const failure = failureOf(() =>
      run('mount', '-t', 'tmpfs', '-o', `size=${SIZE},mode=0700`, 'chaos', folder),
    )
    if (failure !== null) {
      rmSync(folder, { recursive: true })
      renameSync(before, folder)
      return failure
    }
    run('cp', '-a', `${before}/.`, folder)
    rmSync(before, { recursive: true })
    return new SmallDisk(folder)
  }

  /** Leaves not a byte free. @returns bytes that were written for it */
  fill(): number {
    const file = openSync(this.#filler, 'a')
    try {
      for (let chunk = FILLER_CHUNK; ; ) {
        try {
          writeSync(file, chunk)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
          if (chunk.length === 1) break
          chunk = chunk.subarray(0, chunk.length / 2)
        }
      }
    } finally {
      closeSync(file)
    }
    return statSync(this.#filler).size
  }

  free(): void {
    rmSync(this.#filler, { force: true })
  }

  /** Everything on it is gone then, as soon as nobody has a file of it open. */
  remove(): void {
    run('umount', '--lazy', this.#folder)
  }

  get #filler(): string {
    return join(this.#folder, 'filler')
  }
}
