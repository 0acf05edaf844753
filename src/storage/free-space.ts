/** Whether the disk below a folder is nearly full: said before a write fails, for then the node has to stop. */
import { statfsSync } from 'node:fs'

/** Less than this is told: some minutes of blocks under load. */
const LEAST_BYTES = 64 * 2 ** 20
/** How long an answer stands, milliseconds. */
const ASK_EVERY_MS = 5_000

export interface FreeSpaceOptions {
  readonly folder: string
  /** Milliseconds that never go back. */
  readonly now: () => number
  /** Bytes that may be written to the folder; asks the file system when absent. */
  readonly available?: () => number
}

export class FreeSpace {
  readonly #options: FreeSpaceOptions
  #askedAt = Number.NEGATIVE_INFINITY
  #shortage: string | null = null

  constructor(options: FreeSpaceOptions) {
    this.#options = options
  }

  /** What is wrong and what to do, or null while there is room. */
  shortage(): string | null {
    const { folder, now, available = () => availableBelow(folder) } = this.#options
    if (now() - this.#askedAt < ASK_EVERY_MS) return this.#shortage
    this.#askedAt = now()
    this.#shortage = describe(folder, available)
    return this.#shortage
  }
}

function describe(folder: string, available: () => number): string | null {
  let bytes: number
  try {
    bytes = available()
  } catch (error) {
    return `the disk of ${folder} does not answer: ${error instanceof Error ? error.message : String(error)}`
  }
  if (bytes >= LEAST_BYTES) return null
  const mebibytes = (count: number): string => (count / 2 ** 20).toFixed(0)
  return (
    `${mebibytes(bytes)} MiB left on the disk of ${folder}, wanted are ${mebibytes(LEAST_BYTES)}; ` +
    'free some, for the node stops when it cannot write'
  )
}

function availableBelow(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
