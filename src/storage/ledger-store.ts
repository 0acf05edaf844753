/**
 * The final state as execution and the validation service look things up in it: nullifiers, verdicts, request
 * ids, sequences. Reads the database as it was after the last block that is final and durable, never half of
 * the next one. Writes nothing: chain-store.ts owns the batch. What is asked for again and again while a request is
 * under way is remembered: that a key is not there, until a block brings it, and what this node found. That a nullifier
 * or an id is new, as nearly all are, is mostly known without the database (key-filter.ts).
 */
import { toHex } from '../codec/hex.ts'
import { decodeShieldedEntry } from '../codec/shielded.ts'
import { decodeFailures } from '../codec/verdict.ts'
import type { StateReader } from '../ledger/state-reader.ts'
import type { StateAccumulators, StateChanges, StoredVerdict } from '../types/ledger-state.ts'
import type { Hex32, Nullifier, RequestKey } from '../types/primitives.ts'
import type { ShieldedEntry } from '../types/shielded.ts'
import type { StakingState } from '../types/staking.ts'
import type { RuleFailure, VerdictRecord } from '../types/verdict.ts'
import type { VerdictVoting } from '../types/voting.ts'
import {
  judgementKey,
  NULLIFIER_RANGE,
  nullifierKey,
  REQUEST_ID_RANGE,
  requestIdKey,
  sequenceKey,
  shieldedEntryKey,
} from './buckets.ts'
import type { Database, DatabaseView } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'
import { KeyFilter } from './key-filter.ts'
import { RecentRows } from './recent-rows.ts'
import { StorageError } from './storage-error.ts'
import { readVerdictRecord, readVerdictRow } from './verdict-rows.ts'

/** Rows read at a time, some 1 ms of work. */
const KEYS_PER_SLICE = 512

export class LedgerStore implements StateReader {
  readonly #database: Database
  #view: DatabaseView
  #accumulators: StateAccumulators
  #staking: StakingState
  #voting: VerdictVoting
  readonly #nullifiers = new KeyFilter()
  readonly #ids = new KeyFilter()
  readonly #absentNullifiers = new RecentRows<Nullifier, true>()
  readonly #absentVerdicts = new RecentRows<RequestKey, true>()
  readonly #absentIds = new RecentRows<Hex32, true>()
  readonly #judgements = new RecentRows<RequestKey, readonly RuleFailure[]>()

  /** @param after the last block in the database */
  constructor(database: Database, after: Pick<StateReader, 'accumulators' | 'staking' | 'voting'>) {
    this.#database = database
    this.#view = database.view()
    this.#accumulators = after.accumulators
    this.#staking = after.staking
    this.#voting = after.voting
  }

  get voting(): VerdictVoting {
    return this.#voting
  }

  get staking(): StakingState {
    return this.#staking
  }

  get accumulators(): StateAccumulators {
    return this.#accumulators
  }

  /**
   * Moves on to what the database holds now. Only chain-store.ts calls this, between two batches.
   * @param changes of each block of the batch, in order; the last tells where the state stands
   */
  advance(changes: readonly StateChanges[]): void {
    for (const { nullifiers, verdicts, judgements } of changes) {
      for (const nullifier of nullifiers) {
        this.#nullifiers.add(nullifier)
        this.#absentNullifiers.delete(nullifier)
      }
      for (const { requestKey } of verdicts) this.#absentVerdicts.delete(requestKey)
      for (const { requestKey, requestIdHash, failures } of judgements) {
        this.#ids.add(requestIdHash)
        this.#absentIds.delete(requestIdHash)
        this.#judgements.set(requestKey, failures)
      }
    }
    const old = this.#view
    this.#view = this.#database.view()
    this.#accumulators = changes.at(-1)?.accumulators ?? this.#accumulators
    this.#staking = changes.at(-1)?.staking ?? this.#staking
    this.#voting = changes.at(-1)?.voting ?? this.#voting
    old.close()
  }

  /**
   * Learns which nullifiers and ids there are, in slices, while blocks go on; until it has, the database is asked. Ends
   * early, without harm, when the database is closed or cannot be read: whoever needs what is damaged will be told.
   */
  async learnKeys(): Promise<void> {
    for (const [range, filter] of [
      [NULLIFIER_RANGE, this.#nullifiers],
      [REQUEST_ID_RANGE, this.#ids],
    ] as const) {
      let view: DatabaseView | null = null
      try {
        view = this.#database.view()
        for await (const rows of view.scan(range, KEYS_PER_SLICE)) {
          for (const [key] of rows) filter.add(toHex(key.subarray(1)))
        }
        filter.complete()
      } catch (error) {
        if (!(error instanceof StorageError)) throw error
        return
      } finally {
        view?.close()
      }
    }
  }

  hasNullifier(nullifier: Nullifier): boolean {
    if (!this.#nullifiers.mayHave(nullifier)) return false
    if (this.#absentNullifiers.get(nullifier) === true) return false
    const isThere = this.#view.get(nullifierKey(nullifier)) !== null
    if (!isThere) this.#absentNullifiers.set(nullifier, true)
    return isThere
  }

  verdict(requestKey: RequestKey): VerdictRecord | null {
    return this.storedVerdict(requestKey)?.record ?? null
  }

  requestKeyOfId(requestIdHash: Hex32): RequestKey | null {
    if (!this.#ids.mayHave(requestIdHash)) return null
    if (this.#absentIds.get(requestIdHash) === true) return null
    const bytes = this.#view.get(requestIdKey(requestIdHash))
    if (bytes !== null) return toHex(bytes) as RequestKey
    this.#absentIds.set(requestIdHash, true)
    return null
  }

  lastSequence(nodeIdHash: Hex32): bigint {
    const bytes = this.#view.get(sequenceKey(nodeIdHash))
    return bytes === null ? 0n : decodeSequence(bytes)
  }

  /**
   * A verdict with the figures of its answer, and what this node itself found.
   * @param requestIdHash of the same request: as long as no block has ordered one with its id there is no verdict, and
   *   the id is looked up anyway when a block does
   */
  storedVerdict(requestKey: RequestKey, requestIdHash?: Hex32): StoredVerdict | null {
    if (this.#absentVerdicts.get(requestKey) === true) return null
    const isNew = requestIdHash !== undefined && this.requestKeyOfId(requestIdHash) === null
    const row = isNew ? null : readVerdictRow(this.#view, requestKey)
    if (row === null) {
      this.#absentVerdicts.set(requestKey, true)
      return null
    }
    const record = readVerdictRecord(this.#view, requestKey, row)
    return { record, figures: row.figures, failures: this.judgement(requestKey) }
  }

  /** What this node's own rules found when a block ordered the request; null when it was not there. */
  judgement(requestKey: RequestKey): readonly RuleFailure[] | null {
    const known = this.#judgements.get(requestKey)
    if (known !== undefined) return known
    const bytes = this.#view.get(judgementKey(requestKey))
    if (bytes === null) return null
    const failures = decodeFailures(bytes)
    if (!failures.ok) {
      throw damagedDatabase(this.#database.path, `the judgement of ${requestKey}: ${failures.detail}`)
    }
    return failures.value
  }

  /** Shielded transactions in the order of the state's list. @param count no more than there are from there on */
  shieldedEntries(from: number, count: number): ShieldedEntry[] {
    return Array.from({ length: count }, (_, i) => {
      const bytes = this.#view.get(shieldedEntryKey(from + i))
      const entry = bytes === null ? null : decodeShieldedEntry(bytes)
      if (entry?.ok !== true) {
        throw damagedDatabase(this.#database.path, `shielded transaction ${from + i} is not there`)
      }
      return entry.value
    })
  }

  /** The verdict on the request that used this id first. */
  verdictById(requestIdHash: Hex32): StoredVerdict | null {
    const requestKey = this.requestKeyOfId(requestIdHash)
    return requestKey === null ? null : this.storedVerdict(requestKey)
  }
}

/** Eight bytes, little endian. */
export function encodeSequence(number: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, number, true)
  return bytes
}

function decodeSequence(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
}
