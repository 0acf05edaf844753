/**
 * Operators as values: who answers for the ids in a request, with which key, what stake and what space. The rules
 * are in ledger/operators; nothing here is changed in place.
 */
import type { AccountId, Height, Hex32 } from './primitives.ts'

/** What an operator's key signs with; the order is that of the bytes. */
export const KEY_SCHEMES = ['ml-dsa-65', 'falcon-1024'] as const
export type KeyScheme = (typeof KEY_SCHEMES)[number]

/** Bytes of a public key: FIPS 204 table 2; Falcon specification 1.2, table 3.3. */
export const OPERATOR_KEY_BYTES: Readonly<Record<KeyScheme, number>> = {
  'ml-dsa-65': 1_952,
  'falcon-1024': 1_793,
}

/** Further names of one operator. */
export const ALIASES_MAX = 16
/** Characters of a name; a name is ASCII. */
export const OPERATOR_NAME_LENGTH_MAX = 128

/** Bytes of a leaf that a space may be divided into: sixteen openings of the largest fit 64 KiB. */
export const LEAF_SIZES = [256, 512, 1_024, 2_048] as const
/** Bytes of a registered space: a path from a leaf to the root has at most 40 hashes. */
export const SPACE_BYTES_MAX = 2n ** 48n

/** What an operator has committed itself to keep. */
export interface SpaceCommitment {
  /** A whole number of leaves. */
  readonly bytes: bigint
  /** One of {@link LEAF_SIZES}. */
  readonly leafSize: number
  /** Root of the Merkle tree over the leaves (ledger/attestation/space-tree.ts). */
  readonly root: Hex32
}

/** What an operator says of itself, and the ledger holds it to. */
export interface OperatorRecord {
  /** Its name, the same for as long as it is registered. */
  readonly operatorId: string
  readonly keyScheme: KeyScheme
  readonly publicKey: Uint8Array
  /** Taken from the account's balance while it is registered. */
  readonly bondedStake: bigint
  readonly space: SpaceCommitment | null
  /** At most what the network's policy gives for the bonded stake. */
  readonly authorityLevel: bigint
  /** In ascending order, all different, none the operator's id. At most {@link ALIASES_MAX}. */
  readonly aliases: readonly string[]
}

/** The end of an operator: its stake is withdrawn, its names are nobody else's for a while. */
export interface Retirement {
  readonly height: Height
  /** The names are forgotten at the first end of an epoch from this height on. */
  readonly reservedUntil: Height
}

/** A row of the registry. */
export interface Operator extends OperatorRecord {
  /** Whose key registered it; one operator each. */
  readonly account: AccountId
  /** Of the block that registered it. */
  readonly registeredAt: Height
  /** Null while it is one. */
  readonly retirement: Retirement | null
}

/** By account. */
export type Operators = ReadonlyMap<AccountId, Operator>

/** What an account may do with its operator. `possession` is a signature by the operator's own key. */
export type OperatorOperation =
  | { readonly kind: 'register'; readonly record: OperatorRecord; readonly possession: Uint8Array }
  /** Everything but the operator's id may be another one. */
  | { readonly kind: 'update'; readonly record: OperatorRecord; readonly possession: Uint8Array }
  | { readonly kind: 'retire' }
