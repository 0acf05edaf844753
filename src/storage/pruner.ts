/**
 * Frees the disk of blocks below a window: deletes them with their hashes and certificates in slices, and compacts
 * each range that was deleted, for LevelDB frees nothing by itself. The state, the order of its lists, hand-over
 * proofs and genesis stay. Losing a slice in a crash loses nothing: it is done again.
 */

import { headerSchema } from '../codec/block.ts'
import { decode } from '../codec/schema.ts'
import type { Height } from '../types/primitives.ts'
import {
  blockKey,
  commitKey,
  encodeHeight,
  fillersKey,
  finalityKey,
  HASH_RANGE,
  heightOfHashKey,
  heightRange,
  META,
} from './buckets.ts'
import type { ChainStore } from './chain-store.ts'
import type { Database, WriteOperation } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

/** Blocks whose rows one batch deletes; their headers are read for it. */
const SLICE_BLOCKS = 64
/** Reading them ends here, so that the event loop is never held for long. */
const SLICE_MS = 5
/** Block bytes read for one batch, so that a slice of large blocks is no longer than one of small ones. */
const SLICE_BYTES = 4 * 1024 * 1024
/** Deleted heights after which the range is compacted. */
const COMPACT_BLOCKS = 512

/** What a run of {@link Pruner.run} did. */
export interface PruneReport {
  readonly blocks: number
  readonly slices: number
  /** The longest that one slice held the event loop. */
  readonly longestSliceMs: number
}

export interface PrunerOptions {
  readonly database: Database
  readonly chain: Pick<ChainStore, 'tip' | 'lowestHeight' | 'raiseLowest'>
  /** Blocks to keep, the tip included. */
  readonly windowBlocks: number
  /** From here on everything is kept, whatever the window. */
  readonly floor: () => Height
  readonly now: () => number
}

export class Pruner {
  readonly #options: PrunerOptions
  #running: Promise<PruneReport> | null = null
  #isStopped = false
  /** Deleted below here, and compacted. */
  #compactedTo: number

  constructor(options: PrunerOptions) {
    this.#options = options
    // Genesis stays: whose chain this is can be seen by it.
    this.#compactedTo = Math.max(1, options.chain.lowestHeight)
  }

  /** Blocks that are kept and need not be. */
  excess(): number {
    return Math.max(0, this.#end() - Math.max(1, this.#options.chain.lowestHeight))
  }

  /** Prunes to the window, unless that is being done. @throws StorageError E_DB_WRITE, E_DB_CORRUPT */
  run(): Promise<PruneReport> {
    this.#running ??= this.#prune().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** Ends after the slice that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running?.catch(() => undefined)
  }

  async #prune(): Promise<PruneReport> {
    const { chain, now } = this.#options
    const report = { blocks: 0, slices: 0, longestSliceMs: 0 }
    for (let from = Math.max(1, chain.lowestHeight); !this.#isStopped; ) {
      const end = this.#end()
      if (from >= end) break
      const startedAt = now()
      const { operations, next } = this.#slice(from, Math.min(end, from + SLICE_BLOCKS))
      chain.raiseLowest(next as Height)
      report.longestSliceMs = Math.max(report.longestSliceMs, now() - startedAt)
      await this.#options.database.writeRelaxed(operations)
      report.blocks += next - from
      report.slices += 1
      from = next
      if (from - this.#compactedTo >= COMPACT_BLOCKS) {
        await this.#compact(this.#compactedTo, from - 1)
        this.#compactedTo = from
      }
      // Whatever waits goes first.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    return report
  }

  /** Lowest height to keep. */
  #end(): number {
    const { chain, windowBlocks, floor } = this.#options
    return Math.min(chain.tip.height - windowBlocks + 1, floor())
  }

  /** Deletes the blocks from a height on, up to `end`, not including it, or fewer when they are large. */
  #slice(from: number, end: number): { operations: WriteOperation[]; next: number } {
    const { database, now } = this.#options
    const keys: Uint8Array[] = []
    let bytes = 0
    let next = from
    const endMs = now() + SLICE_MS
    while (next < end && (next === from || (bytes < SLICE_BYTES && now() < endMs))) {
      const height = next as Height
      const block = database.get(blockKey((height + 1) as Height))
      if (block === null) throw damagedDatabase(database.path, `block ${height + 1} is missing`)
      const length = headerSchema.ssz.fixedSize ?? 0
      const header = decode(headerSchema, block.subarray(0, length), length)
      if (!header.ok) throw damagedDatabase(database.path, `block ${height + 1}: ${header.detail}`)
      keys.push(blockKey(height), heightOfHashKey(header.value.parentHash))
      keys.push(finalityKey(height), commitKey(height), fillersKey(height))
      bytes += block.length
      next += 1
    }
    const deletions = keys.map((key) => ({ type: 'del', key }) as const)
    const lowest = { type: 'put', key: META.lowest, value: encodeHeight(next) } as const
    return { operations: [lowest, ...deletions], next }
  }

  async #compact(from: number, to: number): Promise<void> {
    const { database } = this.#options
    for (const bucket of ['blocks', 'finality', 'commits'] as const) {
      await database.compact(heightRange(bucket, from, to))
    }
    // Hashes have no order, and what is left of them is as small as the window.
    await database.compact(HASH_RANGE)
  }
}
