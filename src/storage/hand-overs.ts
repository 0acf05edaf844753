/** Proofs that one validator set followed another, kept for ever: with them a newcomer gets from genesis to today. */
import type { Epoch } from '../types/primitives.ts'
import { put } from './block-batch.ts'
import { handOverKey, heightRange } from './buckets.ts'
import type { Database } from './database.ts'

export class HandOvers {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Keeps the proof of the set that followed an epoch's. @throws StorageError E_DB_WRITE */
  async put(epoch: Epoch, bytes: Uint8Array): Promise<void> {
    await this.#database.write([put(handOverKey(epoch), bytes)])
  }

  /** The proof of the first change at the end of this epoch or a later one. */
  async from(epoch: Epoch): Promise<Uint8Array | null> {
    const range = heightRange('handOvers', epoch, Number.MAX_SAFE_INTEGER - 1)
    for await (const [, bytes] of this.#database.scan(range, { limit: 1 })) return bytes
    return null
  }
}
