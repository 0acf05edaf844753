/**
 * A database in memory under the real chain store: ordered keys, snapshots, batches that take simulated time and
 * are whole or nothing when the power goes. It has the calls of storage/database.ts and no others.
 */
import type { KeyRange } from '../../src/storage/buckets.ts'
import type { Database, DatabaseView, WriteOperation } from '../../src/storage/database.ts'

/** Makes one write take its time: resolves when it is durable, rejects when it failed, never when power is lost. */
export type DiskWrite = (apply: () => void) => Promise<void>

interface Versions {
  readonly key: Uint8Array
  /** Oldest first; null when deleted. */
  readonly values: { readonly version: number; readonly value: Uint8Array | null }[]
}

/** A view reads at most this many versions back: the chain store holds one view and moves it with every batch. */
const VERSIONS_KEPT = 4

/** What is on a platter, and survives the process. */
export class DatabaseMedium {
  readonly entries = new Map<string, Versions>()
  version = 0

  apply(operations: readonly WriteOperation[]): void {
    this.version++
    for (const operation of operations) {
      const name = nameOf(operation.key)
      const versions = this.entries.get(name) ?? { key: operation.key, values: [] }
      const value = operation.type === 'put' ? operation.value : null
      versions.values.push({ version: this.version, value })
      if (versions.values.length > VERSIONS_KEPT) versions.values.shift()
      this.entries.set(name, versions)
    }
  }

  get(key: Uint8Array, version: number): Uint8Array | null {
    const values = this.entries.get(nameOf(key))?.values ?? []
    for (let i = values.length - 1; i >= 0; i--) {
      const at = values[i]
      if (at !== undefined && at.version <= version) return at.value
    }
    return null
  }

  range({ gte, lt }: KeyRange, reverse: boolean): { key: Uint8Array; value: Uint8Array }[] {
    const [from, to] = [nameOf(gte), nameOf(lt)]
    const found: { name: string; key: Uint8Array; value: Uint8Array }[] = []
    for (const [name, { key, values }] of this.entries) {
      const value = values.at(-1)?.value ?? null
      if (name >= from && name < to && value !== null) found.push({ name, key, value })
    }
    found.sort((a, b) => (a.name < b.name ? -1 : 1))
    return reverse ? found.reverse() : found
  }
}

export interface ScanOptions {
  readonly reverse?: boolean
  readonly limit?: number
}

export class MemoryDatabase {
  readonly path = 'memory'
  readonly #medium: DatabaseMedium
  readonly #write: DiskWrite

  constructor(medium: DatabaseMedium, write: DiskWrite) {
    this.#medium = medium
    this.#write = write
  }

  /** As the type that the chain store names; its private parts are LevelDB's. */
  static open(medium: DatabaseMedium, write: DiskWrite): Database {
    return new MemoryDatabase(medium, write) as unknown as Database
  }

  get(key: Uint8Array): Uint8Array | null {
    return this.#medium.get(key, this.#medium.version)
  }

  view(): DatabaseView {
    const { version } = this.#medium
    const medium = this.#medium
    return {
      path: this.path,
      get: (key) => medium.get(key, version),
      async *scan(range, batchMax) {
        const rows = medium.range(range, false).map(({ key, value }) => [key, value] as const)
        for (let at = 0; at < rows.length; at += batchMax) yield rows.slice(at, at + batchMax)
      },
      close: () => undefined,
    }
  }

  async *scan(
    range: KeyRange,
    { reverse = false, limit = Number.POSITIVE_INFINITY }: ScanOptions = {},
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    const found = this.#medium.range(range, reverse)
    for (const { key, value } of found.slice(0, limit)) yield [key, value]
  }

  keys(
    range: KeyRange,
    { reverse = false, limit = Number.POSITIVE_INFINITY }: ScanOptions = {},
  ): Promise<Uint8Array[]> {
    const found = this.#medium.range(range, reverse)
    return Promise.resolve(found.slice(0, limit).map(({ key }) => key))
  }

  write(operations: readonly WriteOperation[]): Promise<void> {
    return this.#write(() => this.#medium.apply(operations))
  }

  /** A process that dies may lose it, like any write that is under way. */
  writeRelaxed(operations: readonly WriteOperation[]): Promise<void> {
    return this.#write(() => this.#medium.apply(operations))
  }
}

/** One character a byte: the order of names is the order of keys. */
function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key)
}
