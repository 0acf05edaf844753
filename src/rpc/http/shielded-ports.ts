/**
 * What the public API shows of notes. A wallet reads everything in order and looks for its own: whoever asked for a single
 * note would tell which is theirs. As in api-ports.ts amounts are bigint here and decimal strings in JSON.
 */

/** The notes of the final state, all together. */
export interface ShieldedView {
  /** Of the final state. */
  readonly height: number
  /** Notes, those of genesis included. */
  readonly notes: number
  readonly genesisNotes: number
  /** Shielded transactions. */
  readonly entries: number
  /** Root of the tree of notes: an anchor. */
  readonly root: string
  /** What all notes are worth. */
  readonly pool: bigint
  /** Block rewards, ever. */
  readonly issued: bigint
  readonly blockReward: bigint
  /** The least that a shielded transaction pays. */
  readonly minimumFee: bigint
}

/** A shielded transaction as a wallet reads it. */
export interface ShieldedEntryView {
  readonly index: number
  readonly height: number
  /** Of the transaction. */
  readonly hash: string
  readonly nullifiers: readonly string[]
  readonly commitments: readonly string[]
  /** Base64. */
  readonly ciphertexts: readonly string[]
}

/** Some of them, in order. */
export interface ShieldedPage {
  readonly from: number
  /** All there are. */
  readonly total: number
  /** Of the final state. */
  readonly height: number
  /** Root of the tree of notes after all of them. */
  readonly root: string
  /** Root of the state's list of all of them: over everything that is told of each but its index. */
  readonly entriesRoot: string
  readonly entries: readonly ShieldedEntryView[]
}

/** What the public API asks the node about notes. */
export interface ShieldedPorts {
  state(): ShieldedView
  /** @param from index of the first; beyond the last: an empty page */
  page(from: number, limit: number): ShieldedPage
}
