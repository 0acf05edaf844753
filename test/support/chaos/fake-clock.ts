/**
 * A wall clock that jumps, for one process: libfaketime between the program and the system, by LD_PRELOAD. The
 * monotonic clock stays true, as it does when a machine's time is set. (A time namespace is no help: Linux has them
 * for the monotonic clocks only.)
 */

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where distributions install it. */
const FOLDERS = [
  '/usr/lib/x86_64-linux-gnu/faketime',
  '/usr/lib/aarch64-linux-gnu/faketime',
  '/usr/lib/faketime',
  '/usr/lib64/faketime',
]
/** The one for programs with threads. */
const LIBRARY = 'libfaketimeMT.so.1'

export function findFaketime(): string | null {
  const found = FOLDERS.filter((folder) => existsSync(folder) && readdirSync(folder).includes(LIBRARY))
  return found[0] === undefined ? null : join(found[0], LIBRARY)
}

export class FakeClock {
  readonly #file: string
  /** For the process whose clock it is. */
  readonly environment: Readonly<Record<string, string>>

  /** @param file holds how far the clock is off; read by the process once a second */
  constructor(library: string, file: string) {
    this.#file = file
    this.jump(0)
    this.environment = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
  }

  /** Sets the clock so many seconds off the true time. */
  jump(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}s\n`)
  }
}
