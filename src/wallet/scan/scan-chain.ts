/**
 * Reads the chain's shielded transactions page by page: every one of them, whoever it is for, so that the node learns
 * nothing but that a wallet reads. What a page brings is saved before the next is asked for.
 */
import { setImmediate } from 'node:timers/promises'
import { fromHex } from '../../codec/hex.ts'
import type { Note } from '../../shielded/notes/keys.ts'
import type { Height, Hex32 } from '../../types/primitives.ts'
import type { ShieldedEntry } from '../../types/shielded.ts'
import { WalletError } from '../wallet-error.ts'
import { checkPage, type EntriesPage, PAGE_ENTRIES_MAX, type PageJson } from './entries-page.ts'

/** Who gives pages of the chain: a node's API (node-api.ts), or a test. */
export interface EntrySource {
  /** Transactions from an index on; as `GET /v1/shielded/entries`. Rejects when nobody answers. */
  page(from: number, limit: number, signal: AbortSignal): Promise<PageJson>
}

/** How far a scan has come. */
export interface ScanProgress {
  readonly entries: number
  readonly total: number
  /** Own notes that this scan has found. */
  readonly found: number
}

/** One that follows the chain; everything it is told is in order. */
export interface ChainFollower {
  /** Transactions that it has seen. */
  readonly entries: number
  readonly genesisNotes: number
  isSpent(nullifier: ShieldedEntry['nullifiers'][number]): boolean
  /** Whether it is a transaction of its own that was altered. */
  isFalsified(entry: ShieldedEntry): boolean
  open(commitment: Uint8Array, ciphertext: Uint8Array): Note | null
  apply(entry: ShieldedEntry, opened: readonly [Note | null, Note | null]): void
  /** Root of the note tree after what it has seen. */
  root(): Hex32
  /** Root of the list of what it has seen, as it was told it. */
  entriesRoot(): Hex32
  /** The root at the end was right. */
  confirm(height: Height): void
  /** Forgets what came after the last confirmation. */
  rollBack(): void
  /** On the disk when it returns. */
  save(): Promise<void>
}

/** What a caller may ask of a scan. */
export interface ScanOptions {
  /** Transactions of a page, up to {@link PAGE_ENTRIES_MAX}. */
  readonly limit?: number
  readonly onProgress?: (progress: ScanProgress) => void
  /** Ends the scan with its reason, after the page that was saved last. */
  readonly signal?: AbortSignal
}

/** Transactions between two looks at the rest of the process: two milliseconds or so. */
const STRETCH_ENTRIES = 8

type Opened = readonly [Note | null, Note | null]

async function openAll(
  follower: ChainFollower,
  entries: readonly ShieldedEntry[],
  signal: AbortSignal,
): Promise<readonly Opened[]> {
  const opened: Opened[] = []
  for (const [i, { commitments, ciphertexts }] of entries.entries()) {
    if (i % STRETCH_ENTRIES === 0) {
      await setImmediate()
      signal.throwIfAborted()
    }
    opened.push([
      follower.open(fromHex(commitments[0]), ciphertexts[0]),
      follower.open(fromHex(commitments[1]), ciphertexts[1]),
    ])
  }
  return opened
}

const OTHER_NODE = 'ask another node with --api; if that one says the same, read the chain anew: scan --again'

async function nextPage(
  source: EntrySource,
  follower: ChainFollower,
  limit: number,
  signal: AbortSignal,
): Promise<EntriesPage> {
  const from = follower.entries
  const json = await source.page(from, limit, signal)
  if (json.total < from) {
    throw new WalletError('E_WALLET_NODE_BEHIND', `the node has ${json.total} shielded transactions`, {
      why: `this wallet has read ${from}: the node is still catching up, or is of another chain`,
      fix: OTHER_NODE,
    })
  }
  const page = checkPage(json, { from, limit, genesisNotes: follower.genesisNotes })
  if (!page.ok) throw untrue(page.detail)
  const twice = page.value.entries.flatMap(({ nullifiers }) => nullifiers).find((n) => follower.isSpent(n))
  if (twice !== undefined) throw untrue(`a note of this wallet is spent a second time, by nullifier ${twice}`)
  const falsified = page.value.entries.find((entry) => follower.isFalsified(entry))
  if (falsified !== undefined) {
    throw untrue(`transaction ${falsified.hash} is one that this wallet made, and not as it made it`)
  }
  return page.value
}

function untrue(why: string): WalletError {
  return new WalletError('E_WALLET_NODE', 'what the node says of the chain cannot be', {
    why,
    fix: OTHER_NODE,
  })
}

/**
 * Reads the chain from where the follower is to its end.
 * @throws WalletError `E_WALLET_NODE` when a page is impossible or its root is not the one of what came before: what was
 *   read since the last right root is forgotten then; `E_WALLET_NODE_BEHIND`; what the source and saving reject with; the
 *   signal's reason
 */
export async function scanChain(
  source: EntrySource,
  follower: ChainFollower,
  { limit = PAGE_ENTRIES_MAX, onProgress, signal = new AbortController().signal }: ScanOptions = {},
): Promise<ScanProgress> {
  let found = 0
  for (;;) {
    signal.throwIfAborted()
    const { entries, total, height, root, entriesRoot } = await nextPage(source, follower, limit, signal)
    const opened = await openAll(follower, entries, signal)
    // From here on nothing is awaited until it is all done, so that a page is taken in whole or not at all.
    for (const [i, entry] of entries.entries()) {
      const notes = opened[i] as Opened
      follower.apply(entry, notes)
      found += notes.filter((note) => note !== null && note.value > 0n).length
    }
    const isEnd = follower.entries === total
    if (isEnd && (follower.root() !== root || follower.entriesRoot() !== entriesRoot)) {
      follower.rollBack()
      await follower.save()
      throw new WalletError('E_WALLET_NODE', "the node's transactions do not have the roots that it gives", {
        why: `after ${total} transactions it says ${root} and ${entriesRoot}: it lies, or one did that was asked before, or it is of another chain than this wallet has read`,
        fix: OTHER_NODE,
      })
    }
    if (isEnd) follower.confirm(height)
    await follower.save()
    const progress = { entries: follower.entries, total, found }
    onProgress?.(progress)
    if (isEnd) return progress
  }
}
