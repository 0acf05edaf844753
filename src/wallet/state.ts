/** What a wallet remembers: the nouns. How it changes is in own-notes.ts, how it lies in a file in file/. */
import type { Frontier } from '../types/ledger-state.ts'
import type { AccountId, GenesisHash, Height, Hex32, Nullifier, RequestKey } from '../types/primitives.ts'

/** How far the chain was read. */
export interface Cursor {
  /** Shielded transactions, from the first on. */
  readonly entries: number
  /** Of the last block that was known to be final then. */
  readonly height: Height
}

/** A note of the wallet's, in the tree. */
export interface OwnNote {
  /** In the tree, from 0. */
  readonly position: number
  readonly value: bigint
  /** 28 bytes. */
  readonly randomness: Uint8Array
  /** Of the transaction that made it; null for one of genesis. */
  readonly entry: number | null
  readonly height: Height
  /** The transaction that spent it; null while it is not spent. */
  readonly spentIn: number | null
}

/** What one transaction of the chain did to the wallet. */
export interface Movement {
  readonly entry: number
  readonly height: Height
  readonly hash: string
  /** Worth of the wallet's notes that it made. */
  readonly received: bigint
  /** Worth of the wallet's notes that it spent. */
  readonly spent: bigint
}

/** What the wallet was told to do. */
export type OutgoingKind =
  /** To an address. */
  | 'send'
  /** Two notes to one. */
  | 'merge'
  /** From an account to the wallet. */
  | 'deposit'
  /** From the wallet to an account. */
  | 'withdraw'

/** Where a transaction of the wallet's is. Only a pending one may still become final. */
export type OutgoingState =
  | 'pending'
  | 'final'
  /** Its last height has passed without it. */
  | 'expired'
  /** A node refused it. */
  | 'refused'
  /** Another transaction has spent a note of it. */
  | 'replaced'

/** A transaction that this wallet made. */
export interface Outgoing {
  readonly kind: OutgoingKind
  /** Address, for a withdrawal the account; of a merge and a deposit the wallet's own address. */
  readonly to: string
  /** What `to` gets. */
  readonly amount: bigint
  readonly fee: bigint
  /** What comes back to the wallet beside it. */
  readonly change: bigint
  /** The account that pays; null for everything but a deposit. */
  readonly from: AccountId | null
  /** Under which a node tells its state. */
  readonly key: RequestKey
  readonly hash: string
  readonly nullifiers: readonly [Nullifier, Nullifier]
  /** Of the notes that it makes: by these the root vouches for it. */
  readonly commitments: readonly [Hex32, Hex32]
  /** Positions of the wallet's notes that it spends: none, one or two. */
  readonly spends: readonly number[]
  readonly expiresAtHeight: Height
  readonly state: OutgoingState
  /** Of the block that has it; null unless it is final. */
  readonly height: Height | null
}

/** Everything that a wallet file holds. */
export interface WalletState {
  /** 32 bytes: all keys come from it. */
  readonly seed: Uint8Array
  readonly genesisHash: GenesisHash
  /** Notes that the network began with: the first positions of the tree. */
  readonly genesisNotes: number
  readonly cursor: Cursor
  /** The last cursor at which the tree's root was the one that a node gave. */
  readonly confirmed: Cursor
  /** Root of the tree at the cursor. */
  readonly root: Hex32
  /** The state's list of transactions, as far as both cursors. */
  readonly lists: { readonly cursor: Frontier; readonly confirmed: Frontier }
  /** In order of position. */
  readonly notes: readonly OwnNote[]
  /** In order of entry. */
  readonly movements: readonly Movement[]
  /** In the order in which they were made. */
  readonly outgoing: readonly Outgoing[]
}
