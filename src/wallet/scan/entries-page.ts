/**
 * A page of the chain's shielded transactions as a node's API gives it (`GET /v1/shielded/entries?from=K&limit=N`): its
 * shape, and what must be true of it whatever node it comes from. Whether it is of the right chain the root says.
 */
import { fromHex, isHex } from '../../codec/hex.ts'
import { listOf, type Shape, struct, text, u64 } from '../../rpc/json-shape.ts'
import { decodeDigest } from '../../shielded/notes/digest-bytes.ts'
import { ok, type Result, refuse } from '../../types/errors.ts'
import {
  asHeight,
  COUNTER_MAX,
  type Height,
  type Hex32,
  type Nullifier,
  type TransactionHash,
} from '../../types/primitives.ts'
import { NOTE_CIPHERTEXT_BYTES, type ShieldedEntry } from '../../types/shielded.ts'
import { TREE_NOTES_MAX } from '../tree/note-tree.ts'

/** Transactions of a page at the most. */
export const PAGE_ENTRIES_MAX = 256
/** Above it there is no chain: what a wallet adds to a height, so that transactions expire, is a height still. */
const HEIGHT_MAX = COUNTER_MAX / 2

/** A transaction as JSON: hashes in hex, ciphertexts in base64. */
export interface EntryJson {
  readonly index: number
  readonly height: number
  readonly hash: string
  readonly nullifiers: readonly string[]
  readonly commitments: readonly string[]
  readonly ciphertexts: readonly string[]
}

/** A page as JSON. */
export interface PageJson {
  /** Index of the first transaction in it. */
  readonly from: number
  /** Transactions of the whole chain so far. */
  readonly total: number
  /** Of the last final block. */
  readonly height: number
  /** Of the note tree after `total` transactions. */
  readonly root: string
  /** Of the list of `total` transactions. */
  readonly entriesRoot: string
  readonly entries: readonly EntryJson[]
}

/** A page that says nothing impossible. */
export interface EntriesPage {
  readonly total: number
  readonly height: Height
  readonly root: Hex32
  readonly entriesRoot: Hex32
  readonly entries: readonly ShieldedEntry[]
}

const CIPHERTEXT_CHARACTERS = 4 * Math.ceil(NOTE_CIPHERTEXT_BYTES / 3)

/** A height, an index, a count. */
export const whole: Shape<number> = {
  read: (value) => Number(u64.read(value)),
  write: (value) => value.toString(),
}
const hex = text(64)

/** How a page stands in JSON. */
export const pageShape: Shape<PageJson> = struct<PageJson>(
  {
    from: whole,
    total: whole,
    height: whole,
    root: hex,
    entriesRoot: hex,
    entries: listOf(
      struct<EntryJson>({
        index: whole,
        height: whole,
        hash: hex,
        nullifiers: listOf(hex, 2),
        commitments: listOf(hex, 2),
        ciphertexts: listOf(text(CIPHERTEXT_CHARACTERS), 2),
      }),
      PAGE_ENTRIES_MAX,
    ),
  },
  { names: { entriesRoot: 'entriesRoot' } },
)

function isDigest(value: string): boolean {
  return isHex(value, 32) && decodeDigest(fromHex(value)) !== null
}

/** Standard alphabet, padded; null unless it is the one spelling of so many bytes. */
function ciphertextOf(base64: string): Uint8Array | null {
  const bytes = Buffer.from(base64, 'base64')
  const isCanonical = bytes.length === NOTE_CIPHERTEXT_BYTES && bytes.toString('base64') === base64
  return isCanonical ? new Uint8Array(bytes) : null
}

function entryOf(entry: EntryJson): ShieldedEntry | string {
  const [firstNullifier, secondNullifier, ...moreNullifiers] = entry.nullifiers
  const [firstCommitment, secondCommitment, ...moreCommitments] = entry.commitments
  const [firstCiphertext, secondCiphertext] = entry.ciphertexts.map(ciphertextOf)
  if (!isHex(entry.hash, 32)) return 'its hash is not 64 hex digits'
  if (firstNullifier === undefined || secondNullifier === undefined || moreNullifiers.length > 0)
    return 'it has not two nullifiers'
  if (firstCommitment === undefined || secondCommitment === undefined || moreCommitments.length > 0)
    return 'it has not two commitments'
  for (const value of [...entry.nullifiers, ...entry.commitments]) {
    if (!isDigest(value)) return 'a nullifier or commitment is not 32 bytes of canonical elements in hex'
  }
  if (!firstCiphertext || !secondCiphertext || entry.ciphertexts.length !== 2)
    return `it has not two ciphertexts of ${NOTE_CIPHERTEXT_BYTES} bytes in base64`
  return {
    height: asHeight(entry.height),
    hash: entry.hash as TransactionHash,
    nullifiers: [firstNullifier as Nullifier, secondNullifier as Nullifier],
    commitments: [firstCommitment as Hex32, secondCommitment as Hex32],
    ciphertexts: [firstCiphertext, secondCiphertext],
  }
}

/**
 * Checks a page.
 * @param asked the first index and how many were asked for, and the notes that are in the tree before transaction 0
 * @returns the transactions in order, or what cannot be
 */
export function checkPage(
  page: PageJson,
  asked: { readonly from: number; readonly limit: number; readonly genesisNotes: number },
): Result<EntriesPage, 'page-malformed'> {
  const wrong = (what: string) => refuse('page-malformed' as const, what)
  const { from, total, height, root, entriesRoot } = page
  if (from !== asked.from)
    return wrong(`asked for transactions from ${asked.from}, it gives those from ${from}`)
  if (height > HEIGHT_MAX) return wrong(`there is no height ${height}`)
  if (total > (TREE_NOTES_MAX - asked.genesisNotes) / 2) return wrong(`${total} transactions are too many`)
  if (!isDigest(root)) return wrong('its root is not 32 bytes of canonical elements in hex')
  if (!isHex(entriesRoot, 32)) return wrong('its root of all transactions is not 64 hex digits')
  const { length } = page.entries
  if (length > asked.limit || from + length > Math.max(total, from)) {
    return wrong(`${length} transactions from ${from} on, of ${total}, where ${asked.limit} were asked for`)
  }
  if (length === 0 && total > from) return wrong(`nothing from ${from} on, of ${total}`)
  const entries: ShieldedEntry[] = []
  const nullifiers = new Set<Nullifier>()
  for (const [i, json] of page.entries.entries()) {
    const here = `transaction ${from + i}`
    if (json.index !== from + i) return wrong(`${here} has index ${json.index}`)
    const entry = entryOf(json)
    if (typeof entry === 'string') return wrong(`${here}: ${entry}`)
    if (entry.height < (entries.at(-1)?.height ?? 0) || entry.height > height) {
      return wrong(`${here} is at height ${entry.height}, out of order or above ${height}`)
    }
    for (const nullifier of entry.nullifiers) {
      if (nullifiers.has(nullifier)) return wrong(`${here} spends what is spent already`)
      nullifiers.add(nullifier)
    }
    entries.push(entry)
  }
  const roots = { root: root as Hex32, entriesRoot: entriesRoot as Hex32 }
  return ok({ total, height: asHeight(height), ...roots, entries })
}
