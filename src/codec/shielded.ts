/** Canonical bytes of shielded transactions and of what is kept of them, and the hashes that bind a proof to its transaction. */
import type { Result } from '../types/errors.ts'
import type {
  AccountId,
  GenesisHash,
  Height,
  Hex32,
  Nullifier,
  TransactionHash,
} from '../types/primitives.ts'
import {
  ANCHORS_MAX,
  type BoundContent,
  type Burn,
  GENESIS_NOTES_MAX,
  type GenesisNote,
  type Mint,
  NOTE_CIPHERTEXT_BYTES,
  type ShieldedEntry,
  type ShieldedGenesis,
  type ShieldedState,
  type ShieldedTransaction,
} from '../types/shielded.ts'
import { sha256Tagged, sha256TaggedHex, u64le } from './hashes.ts'
import { fromHex, toHex } from './hex.ts'
import { frontierSchema } from './ledger-state.ts'
import { SHIELDED_PROOF_BYTES_MAX } from './limits.ts'
import {
  bytesFixed,
  bytesUpTo,
  counter,
  decode,
  encode,
  hashTreeRoot,
  hexBytes,
  listOf,
  nullable,
  record,
  type Schema,
  tagged,
  u64,
} from './schema.ts'

/** FIPS 204 table 2, ML-DSA-65. */
const PUBLIC_KEY_BYTES = 1_952
const SIGNATURE_BYTES = 3_309

/** Two of a kind, in order. */
function pairOf<T>(item: Schema<T>): Schema<readonly [T, T]> {
  const both = record<{ first: T; second: T }>({ first: item, second: item })
  return {
    ssz: both.ssz,
    toRaw: ([first, second]) => both.toRaw({ first, second }),
    fromRaw: (raw) => {
      const { first, second } = both.fromRaw(raw)
      return [first, second]
    },
  }
}

const hash = hexBytes<Hex32>(32)
const nullifiers = pairOf(hexBytes<Nullifier>(32))
const commitments = pairOf(hash)
const ciphertexts = pairOf(bytesFixed(NOTE_CIPHERTEXT_BYTES))

const mint = record<Mint>({
  amount: u64,
  publicKey: bytesFixed(PUBLIC_KEY_BYTES),
  sequence: counter(),
  signature: bytesFixed(SIGNATURE_BYTES),
})
const burn = record<Burn>({ amount: u64, to: hexBytes<AccountId>(32) })

export const shieldedTransactionSchema: Schema<ShieldedTransaction> = tagged<ShieldedTransaction>(
  'shielded',
  record<Omit<ShieldedTransaction, 'kind'>>({
    genesisHash: hexBytes<GenesisHash>(32),
    anchor: hash,
    nullifiers,
    commitments,
    fee: u64,
    mint: nullable(mint),
    burn: nullable(burn),
    expiresAtHeight: counter<Height>(),
    ciphertexts,
    ciphertextsHash: hash,
    binding: hash,
    proof: bytesUpTo(SHIELDED_PROOF_BYTES_MAX),
  }),
)

/** What `ciphertextsHash` has to be. */
export function ciphertextsHash([first, second]: ShieldedTransaction['ciphertexts']): Hex32 {
  return sha256TaggedHex<Hex32>('noteCiphertexts', first, second)
}

/** What `binding` has to be: SHA-256 of network, last height, ciphertexts, and whose account is concerned. */
export function shieldedBinding(content: BoundContent): Hex32 {
  const { mint: from, burn: to } = content
  return sha256TaggedHex<Hex32>(
    'shieldedBinding',
    fromHex(content.genesisHash),
    u64le(BigInt(content.expiresAtHeight)),
    fromHex(content.ciphertextsHash),
    from === null ? NONE : from.publicKey,
    from === null ? NONE : u64le(BigInt(from.sequence)),
    to === null ? NONE : fromHex(to.to),
  )
}

const NONE = new Uint8Array(0)

/**
 * What the key of a mint's account signs, context mint: everything of the transaction but proof and signature.
 * The binding stands for whatever it is the hash of.
 */
export function mintSigningPayload(
  transaction: Omit<ShieldedTransaction, 'kind' | 'proof' | 'ciphertexts'>,
): Uint8Array {
  const { anchor, nullifiers: spent, commitments: made, fee, mint: from, burn: to, binding } = transaction
  return sha256Tagged(
    'mintContent',
    fromHex(binding),
    fromHex(anchor),
    ...spent.map(fromHex),
    ...made.map(fromHex),
    u64le(fee),
    u64le(from?.amount ?? 0n),
    u64le(to?.amount ?? 0n),
  )
}

/** Hash of a proof, with everything that decides whether it is right. */
export function shieldedStatementHash(transaction: Omit<ShieldedTransaction, 'kind' | 'ciphertexts'>): Hex32 {
  return sha256TaggedHex<Hex32>('shieldedStatement', mintSigningPayload(transaction), transaction.proof)
}

const genesisNote = record<GenesisNote>({ owner: bytesFixed(32), value: u64, randomness: bytesFixed(28) })

/** The shielded part of genesis. */
export const shieldedGenesisSchema = record<ShieldedGenesis>({
  notes: listOf(genesisNote, GENESIS_NOTES_MAX),
  blockReward: u64,
  minimumFee: u64,
})

const entrySchema = record<ShieldedEntry>({
  height: counter<Height>(),
  hash: hexBytes<TransactionHash>(32),
  nullifiers,
  commitments,
  ciphertexts,
})
const ENTRY_BYTES_MAX = 8 + 32 + 4 * 32 + 2 * NOTE_CIPHERTEXT_BYTES

/** The bytes of an entry, in the database and in snapshots. */
export function encodeShieldedEntry(entry: ShieldedEntry): Uint8Array {
  return encode(entrySchema, entry)
}

/** Reads them. */
export function decodeShieldedEntry(bytes: Uint8Array): Result<ShieldedEntry, 'malformed'> {
  return decode(entrySchema, bytes, ENTRY_BYTES_MAX)
}

/** What stands for an entry in the state's list of them. */
export function shieldedEntryLeaf(entry: ShieldedEntry): Hex32 {
  return sha256TaggedHex<Hex32>('shieldedEntry', encodeShieldedEntry(entry))
}

/** The shielded state without its lists, which follow from genesis and the entries. */
export type ShieldedRest = Omit<ShieldedState, 'notes' | 'entries'>

const restSchema = record<ShieldedRest>({ pool: u64, issued: u64, anchors: listOf(hash, ANCHORS_MAX) })
const REST_BYTES_MAX = 2 * 8 + 4 + ANCHORS_MAX * 32

/** As it is in snapshots. */
export function encodeShieldedRest({ pool, issued, anchors }: ShieldedState): Uint8Array {
  return encode(restSchema, { pool, issued, anchors })
}

/** Reads it. */
export function decodeShieldedRest(bytes: Uint8Array): Result<ShieldedRest, 'malformed'> {
  return decode(restSchema, bytes, REST_BYTES_MAX)
}

const stateSchema = record<ShieldedState>({
  pool: u64,
  issued: u64,
  anchors: listOf(hash, ANCHORS_MAX),
  notes: frontierSchema,
  entries: frontierSchema,
})
const STATE_BYTES_MAX = REST_BYTES_MAX + 2 * (33 * 32 + 64)

/** As it is in the database. */
export function encodeShieldedState(state: ShieldedState): Uint8Array {
  return encode(stateSchema, state)
}

/** Reads it. */
export function decodeShieldedState(bytes: Uint8Array): Result<ShieldedState, 'malformed'> {
  return decode(stateSchema, bytes, STATE_BYTES_MAX)
}

interface Roots {
  readonly pool: bigint
  readonly issued: bigint
  readonly anchors: readonly Hex32[]
  readonly entries: Hex32
}
const rootsSchema = record<Roots>({
  pool: u64,
  issued: u64,
  anchors: listOf(hash, ANCHORS_MAX),
  entries: hash,
})

/**
 * SSZ root of the shielded state without its notes, which have a leaf of their own.
 * @param entries root of the list of entries
 */
export function shieldedRestRoot({ pool, issued, anchors }: ShieldedRest, entries: Hex32): Hex32 {
  return toHex(hashTreeRoot(rootsSchema, { pool, issued, anchors, entries })) as Hex32
}
