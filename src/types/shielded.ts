/**
 * Shielded transactions and what the ledger keeps of them. Two notes are spent and two are made; which, whose and how
 * much the proof hides (shielded/README.md). What is public: a fee, and what comes from or goes to an account.
 */
import type { Frontier } from './ledger-state.ts'
import type { AccountId, GenesisHash, Height, Hex32, Nullifier, TransactionHash } from './primitives.ts'

/** Bytes of a note as it is told its owner: ML-KEM-768 ciphertext, then version, value and randomness under AES-256-GCM. */
export const NOTE_CIPHERTEXT_BYTES = 1_088 + 1 + 8 + 28 + 16
/** Roots of the note tree that a transaction may name: those after the last so many blocks that changed it. */
export const ANCHORS_MAX = 256
/** Notes that genesis may hold. */
export const GENESIS_NOTES_MAX = 1_024

/** What an account pays into the notes, signed by its key, context mint. */
export interface Mint {
  /** Above 0. */
  readonly amount: bigint
  /** ML-DSA-65 key of the account, 1,952 bytes. */
  readonly publicKey: Uint8Array
  /** One above that of the account's last transaction. */
  readonly sequence: number
  readonly signature: Uint8Array
}

/** What the notes pay to an account. */
export interface Burn {
  /** Above 0. */
  readonly amount: bigint
  readonly to: AccountId
}

/** Spends two notes and makes two; either may be worth nothing. */
export interface ShieldedTransaction {
  readonly kind: 'shielded'
  /** The network that it is for. */
  readonly genesisHash: GenesisHash
  /** Root of the note tree that its notes are under. */
  readonly anchor: Hex32
  readonly nullifiers: readonly [Nullifier, Nullifier]
  readonly commitments: readonly [Hex32, Hex32]
  /** To the account of the block's proposer. */
  readonly fee: bigint
  readonly mint: Mint | null
  readonly burn: Burn | null
  /** The last height at which it is legal. */
  readonly expiresAtHeight: Height
  /** The notes that it makes, for their owners: {@link NOTE_CIPHERTEXT_BYTES} each. */
  readonly ciphertexts: readonly [Uint8Array, Uint8Array]
  /** Hash of the ciphertexts. */
  readonly ciphertextsHash: Hex32
  /** Hash of everything above that is no public input of the proof, which vouches for it. */
  readonly binding: Hex32
  readonly proof: Uint8Array
}

/** What a binding is the hash of. */
export type BoundContent = Pick<
  ShieldedTransaction,
  'genesisHash' | 'expiresAtHeight' | 'ciphertextsHash' | 'mint' | 'burn'
>

/** A note that a network starts with. Its owner can open it and spend it; what it is worth everybody sees. */
export interface GenesisNote {
  /** Its owner's, 32 bytes. */
  readonly owner: Uint8Array
  /** Above 0. */
  readonly value: bigint
  /** 28 bytes. */
  readonly randomness: Uint8Array
}

/** How a network's shielded money begins and grows. */
export interface ShieldedGenesis {
  readonly notes: readonly GenesisNote[]
  /** Made out of nothing for the account of the proposer, for every block but fillers. */
  readonly blockReward: bigint
  /** The least that a shielded transaction pays: it costs every validator some milliseconds and two notes for ever. */
  readonly minimumFee: bigint
}

/** What a wallet reads of a shielded transaction that is in the chain. */
export interface ShieldedEntry {
  readonly height: Height
  readonly hash: TransactionHash
  readonly nullifiers: readonly [Nullifier, Nullifier]
  readonly commitments: readonly [Hex32, Hex32]
  readonly ciphertexts: readonly [Uint8Array, Uint8Array]
}

/** The shielded half of the state. Its nullifiers are in the list of all nullifiers. */
export interface ShieldedState {
  /** Commitments of all notes, in a tree of Poseidon2 hashes: what proofs are under. */
  readonly notes: Frontier
  /** Hashes of all {@link ShieldedEntry}. */
  readonly entries: Frontier
  /** Worth of all notes together. */
  readonly pool: bigint
  /** Block rewards, ever. */
  readonly issued: bigint
  /** Roots of the note tree after the last blocks that changed it, oldest first; at most {@link ANCHORS_MAX}. */
  readonly anchors: readonly Hex32[]
}
