/**
 * LevelDB behind the few calls the node makes: synchronous reads, ordered scans, durable batches. Opens only a
 * database of its own network and schema, and turns whatever LevelDB throws into a StorageError. Its lock is the
 * lock of the whole data directory. Knows no bucket but `meta`.
 */
import { Level } from 'level'
import { bytesToUtf8, utf8ToBytes } from '../codec/utf8.ts'
import { makeFolders } from '../files/make-folders.ts'
import { assert } from '../types/assert.ts'
import type { GenesisHash } from '../types/primitives.ts'
import { type KeyRange, META, SCHEMA_VERSION } from './buckets.ts'
import {
  type DatabaseNetwork,
  damagedDatabase,
  foreignDatabase,
  foreignSchema,
  openingFailed,
  readingFailed,
  writingFailed,
} from './database-refusals.ts'
import { sealed, unsealed } from './sealed-rows.ts'
import { StorageError } from './storage-error.ts'

export type { DatabaseNetwork } from './database-refusals.ts'

export interface DatabaseOptions {
  /** LevelDB's own directory; made when it is missing. */
  readonly path: string
  readonly network: DatabaseNetwork
  /** Names whoever holds the directory when it is locked, from run.json; null when nothing is known. */
  readonly holder?: () => string | null
  /** LevelDB's cache of what it read from its tables, in bytes, below 4 GiB; absent: 8 MiB. */
  readonly cacheBytes?: number
  /** Told how long an operation took, in seconds: every durable batch, and one read in {@link READS_PER_SAMPLE}. */
  readonly observe?: DatabaseObserver
}

/** `read` is one value, `commit` a batch until it is durable. */
export type DatabaseObserver = (operation: 'read' | 'commit', seconds: number) => void

/**
 * A read takes a few microseconds, and to time it and count it costs a part of one: a few reads stand for all. A
 * prime, so that no pattern of reads hides from it.
 */
export const READS_PER_SAMPLE = 61

export type WriteOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** The database as it was at one moment. */
export interface DatabaseView {
  /** Of the database. */
  readonly path: string
  get(key: Uint8Array): Uint8Array | null
  /** Entries in order of their keys, in batches; the event loop turns between two. */
  scan(range: KeyRange, batchMax: number): AsyncGenerator<readonly Entry[]>
  close(): void
}

/** A row of the database. */
export type Entry = readonly [key: Uint8Array, value: Uint8Array]

/**
 * LevelDB's default for the size at which its log is rewritten as a table: nearly every key is a hash, so each table
 * that comes out of the log overlaps all the others, and with a quarter of it the background thread rewrites them so often
 * that it takes four times its time. The tip's certificate, which is overwritten with every block, leaves that many
 * dead bytes on the disk at a time.
 */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024

/**
 * The size for one process, three quarters to three halves of that. Each draws its own: validators write the same blocks,
 * and with one and the same size a quorum of them rewrites its tables within the same second (cli/heap.ts).
 * @param draw uniform in [0, 1)
 */
export function writeBufferBytes(draw: number): number {
  return Math.round(WRITE_BUFFER_BYTES * (0.75 + 0.75 * draw))
}

/** What `level` is on Node.js and its own types leave out (classic-level). */
interface ClassicLevel {
  compactRange(start: Uint8Array, end: Uint8Array, options: { readonly keyEncoding: 'view' }): Promise<void>
  approximateSize(
    start: Uint8Array,
    end: Uint8Array,
    options: { readonly keyEncoding: 'view' },
  ): Promise<number>
}

/** Every key there can be lies between. */
const FIRST_KEY = Uint8Array.of(0)
const PAST_LAST_KEY = Uint8Array.of(0xff)

export class Database {
  readonly path: string
  readonly #level: Level<Uint8Array, Uint8Array> & ClassicLevel
  readonly #observe: DatabaseObserver | undefined
  #reads = 0

  private constructor(level: Level<Uint8Array, Uint8Array>, observe: DatabaseObserver | undefined) {
    this.path = level.location
    this.#level = level as typeof level & ClassicLevel
    this.#observe = observe
  }

  /**
   * Opens or makes the database of a network.
   * @throws StorageError E_DATA_DIR_IN_USE, E_DB_FOREIGN, E_DB_SCHEMA, E_DB_CORRUPT, E_DB_OPEN
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    const { path, network, holder = () => null, cacheBytes } = options
    // As LevelDB's binding takes it: what is above would be cut to its low 32 bits.
    assert((cacheBytes ?? 0) < 2 ** 32, `a cache of ${cacheBytes} bytes`)
    const level = new Level<Uint8Array, Uint8Array>(path, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      writeBufferSize: writeBufferBytes(Math.random()),
      ...(cacheBytes === undefined ? {} : { cacheSize: cacheBytes }),
    })
    try {
      makeFolders(path)
      await level.open()
    } catch (error) {
      throw openingFailed(path, error, holder())
    }
    const database = new Database(level, options.observe)
    try {
      await database.#claim(network)
    } catch (error) {
      await database.close()
      throw error
    }
    return database
  }

  /** @throws StorageError E_DB_CORRUPT, E_DB_CLOSED; so do all reads */
  get(key: Uint8Array): Uint8Array | null {
    return this.#unseal(
      key,
      this.#read(() => this.#sampled(() => this.#level.getSync(key))),
    )
  }

  /** What is in the database now, whatever is written later. Close it, or LevelDB keeps every old value. */
  view(): DatabaseView {
    const snapshot = this.#read(() => this.#level.snapshot())
    const options = { snapshot }
    return {
      path: this.path,
      get: (key) =>
        this.#unseal(
          key,
          this.#read(() => this.#sampled(() => this.#level.getSync<Uint8Array, Uint8Array>(key, options))),
        ),
      scan: (range, batchMax) => this.#batches(range, batchMax, options),
      close: () => void snapshot.close(),
    }
  }

  async *#batches(range: KeyRange, batchMax: number, options: object): AsyncGenerator<readonly Entry[]> {
    const iterator = this.#read(() => this.#level.iterator({ ...range, ...options }))
    try {
      for (;;) {
        const entries = await iterator.nextv(batchMax)
        if (entries.length === 0) return
        yield entries.map(([key, sealed]) => [key, this.#unseal(key, sealed)] as const)
      }
    } catch (error) {
      throw error instanceof StorageError ? error : readingFailed(this.path, error)
    } finally {
      await iterator.close()
    }
  }

  /** Entries in order of their keys, as they were when the scan began. */
  async *scan(
    range: KeyRange,
    options: { readonly reverse?: boolean; readonly limit?: number } = {},
  ): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    const iterator = this.#read(() => this.#level.iterator({ ...range, ...options }))
    try {
      for (;;) {
        const entry = await iterator.next()
        if (entry === undefined) return
        const [key, sealed] = entry
        yield [key, this.#unseal(key, sealed)]
      }
    } catch (error) {
      throw error instanceof StorageError ? error : readingFailed(this.path, error)
    } finally {
      await iterator.close()
    }
  }

  /** Keys in order. */
  async keys(
    range: KeyRange,
    options: { readonly reverse?: boolean; readonly limit?: number } = {},
  ): Promise<Uint8Array[]> {
    const keys = this.#read(() => this.#level.keys({ ...range, ...options }))
    return await keys.all().catch((error) => {
      throw readingFailed(this.path, error)
    })
  }

  /**
   * Writes all operations in order, or none; resolves when they are durable.
   * @throws StorageError E_DB_WRITE
   */
  async write(operations: readonly WriteOperation[]): Promise<void> {
    const startedAt = performance.now()
    await this.#batch(operations, true)
    this.#observe?.('commit', (performance.now() - startedAt) / 1_000)
  }

  /**
   * As {@link write}, but a power cut may lose it: only for what can be had again. Everything written later and
   * durably makes this durable too.
   */
  async writeRelaxed(operations: readonly WriteOperation[]): Promise<void> {
    await this.#batch(operations, false)
  }

  /**
   * Deletes every row of a range; not at once, and not durably until something later is.
   * @throws StorageError E_DB_WRITE
   */
  async clear(range: KeyRange): Promise<void> {
    try {
      await this.#level.clear({ ...range })
    } catch (error) {
      throw writingFailed(this.path, error)
    }
  }

  /**
   * Gives the disk space of deleted and overwritten rows of a range back. Runs in LevelDB's own thread.
   * @throws StorageError E_DB_WRITE
   */
  async compact({ gte, lt }: KeyRange): Promise<void> {
    try {
      await this.#level.compactRange(gte, lt, { keyEncoding: 'view' })
    } catch (error) {
      throw writingFailed(this.path, error)
    }
  }

  /**
   * Bytes of the database's tables on the disk, approximately; its log, which is a few mebibytes at most, is not
   * counted. Runs in LevelDB's own thread.
   * @throws StorageError E_DB_CLOSED
   */
  async approximateBytes(): Promise<number> {
    try {
      return await this.#level.approximateSize(FIRST_KEY, PAST_LAST_KEY, { keyEncoding: 'view' })
    } catch (error) {
      throw readingFailed(this.path, error)
    }
  }

  async close(): Promise<void> {
    await this.#level.close()
  }

  async #batch(operations: readonly WriteOperation[], sync: boolean): Promise<void> {
    try {
      await this.#level.batch(sealed(operations), { sync })
    } catch (error) {
      throw writingFailed(this.path, error)
    }
  }

  #unseal(key: Uint8Array, row: Uint8Array): Uint8Array
  #unseal(key: Uint8Array, row: Uint8Array | undefined): Uint8Array | null
  #unseal(key: Uint8Array, row: Uint8Array | undefined): Uint8Array | null {
    if (row === undefined) return null
    const value = unsealed(key, row)
    if (value === null) throw damagedDatabase(this.path, 'an entry does not match its checksum')
    return value
  }

  /** Times one read in {@link READS_PER_SAMPLE}. */
  #sampled<T>(read: () => T): T {
    this.#reads = (this.#reads + 1) % READS_PER_SAMPLE
    if (this.#reads !== 0 || this.#observe === undefined) return read()
    const startedAt = performance.now()
    const value = read()
    this.#observe('read', (performance.now() - startedAt) / 1_000)
    return value
  }

  #read<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      throw readingFailed(this.path, error)
    }
  }

  /** Writes whose database this is into a new one; refuses another's. */
  async #claim(expected: DatabaseNetwork): Promise<void> {
    const schema = this.get(META.schema)
    if (schema === null) {
      if ((await this.keys({ gte: FIRST_KEY, lt: PAST_LAST_KEY }, { limit: 1 })).length > 0) {
        throw damagedDatabase(this.path, 'it has entries and no schema version')
      }
      await this.write([
        { type: 'put', key: META.schema, value: utf8ToBytes(String(SCHEMA_VERSION)) },
        { type: 'put', key: META.network, value: utf8ToBytes(networkText(expected)) },
      ])
      return
    }
    const version = bytesToUtf8(schema) ?? 'unknown'
    if (version !== String(SCHEMA_VERSION)) throw foreignSchema(this.path, version, SCHEMA_VERSION)
    const found = parseNetwork(bytesToUtf8(this.get(META.network) ?? new Uint8Array(0)) ?? '')
    if (found === null) throw damagedDatabase(this.path, 'it does not say which network it belongs to')
    if (found.genesisHash !== expected.genesisHash) throw foreignDatabase(this.path, found, expected)
  }
}

/** `<genesis hash> <name>`. */
function networkText({ network, genesisHash }: DatabaseNetwork): string {
  return `${genesisHash} ${network}`
}

function parseNetwork(text: string): DatabaseNetwork | null {
  const match = /^([0-9a-f]{64}) (.*)$/.exec(text)
  return match === null ? null : { genesisHash: match[1] as GenesisHash, network: match[2] ?? '' }
}
