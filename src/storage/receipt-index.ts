/**
 * What receipts are made from: the leaves of the state's list of verdicts in pages, the roots of its complete subtrees
 * from the size of a page on, and the anchor. Goes into the very batch of its block. Follows from the verdicts that
 * are there, so what is missing (a database that was filled from a snapshot) is made when it is opened.
 */
import { hashPair } from '../codec/hashes.ts'
import { setHex, toHex } from '../codec/hex.ts'
import { verdictLeaf, verdictLeaves } from '../codec/verdict.ts'
import type { NodeListener } from '../ledger/frontier.ts'
import { assert } from '../types/assert.ts'
import type { FinalizedBlock, Frontier, StateAccumulators } from '../types/ledger-state.ts'
import type { Logger } from '../types/logger.ts'
import type { Hex32, RequestKey } from '../types/primitives.ts'
import type { StateBranch } from '../types/receipt.ts'
import type { StakingState } from '../types/staking.ts'
import type { VerdictVoting } from '../types/voting.ts'
import { put } from './block-batch.ts'
import { decodeHeight, encodeHeight, META, verdictNodeKey } from './buckets.ts'
import type { ChainTip } from './chain-opening.ts'
import type { Database, WriteOperation } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'
import { anchorOperation, type ReceiptAnchor, readAnchor } from './receipt-anchor.ts'
import { readRuns } from './runs.ts'
import { readVerdictRow } from './verdict-rows.ts'

export interface ReceiptIndexOptions {
  readonly database: Database
  /** The last block in the database. */
  readonly tip: ChainTip
  /** ledger/frontier.ts appendLeaves. */
  readonly append: (frontier: Frontier, leaves: readonly Hex32[], onNode: NodeListener) => Frontier
  /** ledger/state-root.ts stateBranch. */
  readonly branchOf: (
    accumulators: StateAccumulators,
    staking: StakingState,
    voting: VerdictVoting,
  ) => StateBranch
  readonly logger: Logger
}

/** Verdicts between two turns of the event loop while missing nodes are made: some 10 µs each. */
const VERDICTS_PER_SLICE = 64
/** Verdicts after which the log says how far it is. */
const VERDICTS_PER_LINE = 65_536

/** A page holds 2^5 leaves: so many rows fewer than one for each leaf and each node over them. */
const PAGE_LEVEL = 5
const PAGE_LEAVES = 2 ** PAGE_LEVEL
const LEAF_BYTES = 32

/** The list as it is indexed. */
interface IndexedList {
  readonly frontier: Frontier
  /** Leaves of the page that is not full, one after the other. */
  readonly page: Uint8Array
}

export class ReceiptIndex {
  readonly #options: ReceiptIndexOptions
  readonly #listeners = new Set<() => void>()
  /** After the last block that {@link operations} was given. */
  #state: Pick<ChainTip, 'accumulators' | 'staking' | 'voting'>
  #list: IndexedList
  #written: ReceiptAnchor | null
  #anchor: ReceiptAnchor | null

  private constructor(options: ReceiptIndexOptions, list: IndexedList, anchor: ReceiptAnchor | null) {
    this.#options = options
    this.#state = options.tip
    this.#list = list
    this.#written = anchor
    this.#anchor = anchor
  }

  /**
   * Opens the index of a chain, and makes what is missing of it: resumes where it was left, and is done before blocks
   * come.
   * @throws StorageError E_DB_CORRUPT when the verdicts do not add up to the list of the state; E_DB_WRITE
   */
  static async open(options: ReceiptIndexOptions): Promise<ReceiptIndex> {
    const { database, tip } = options
    const indexed = database.get(META.verdictsIndexed)
    const list = await complete(options, indexed === null ? 0 : decodeHeight(indexed))
    const anchor = readAnchor(database)
    if (anchor !== null && anchor.header.height > tip.height) {
      throw damagedDatabase(database.path, `the anchor of receipts is above the tip, height ${tip.height}`)
    }
    return new ReceiptIndex(options, list, anchor)
  }

  /** Null until a block that is final by its own certificate has come. */
  get anchor(): ReceiptAnchor | null {
    return this.#anchor
  }

  /** What the next blocks write beside themselves. They must be written, in this order, or the node must stop. */
  operations(blocks: readonly FinalizedBlock[]): WriteOperation[] {
    const operations: WriteOperation[] = []
    let found: ReceiptAnchor | null = null
    for (const { block, changes, finality } of blocks) {
      const { accumulators, staking, voting } = this.#state
      if (finality.blockHash === block.hash && finality.signatures.length > 0) {
        found = {
          header: block.header,
          certificate: finality,
          listSize: accumulators.verdicts.size,
          stateBranch: this.#options.branchOf(accumulators, staking, voting),
        }
      }
      this.#list = append(this.#options, this.#list, verdictLeaves(changes.verdicts), operations)
      const { verdicts } = changes.accumulators
      assert(
        isSame(this.#list.frontier, verdicts),
        `block ${block.header.height} has other verdicts than its state`,
      )
      this.#state = changes
    }
    const anchor = found ?? this.#written
    const isOfTip = found !== null && found.certificate.blockHash === blocks.at(-1)?.block.hash
    if (anchor !== null) operations.push(anchorOperation(anchor, isOfTip))
    this.#written = anchor
    return operations
  }

  /** What {@link operations} gave is durable: receipts may end there. */
  committed(): void {
    if (this.#anchor === this.#written) return
    this.#anchor = this.#written
    for (const listener of this.#listeners) listener()
  }

  /** Tells of every new anchor. @returns the function that ends the subscription */
  onAnchor(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Place of the verdict on a request in the state's list; null when there is no verdict. */
  positionOf(requestKey: RequestKey): number | null {
    return readVerdictRow(this.#options.database, requestKey)?.position ?? null
  }

  /**
   * Root of a complete subtree of the list.
   * @throws StorageError E_DB_CORRUPT when it is not there
   */
  node(level: number, index: number): Uint8Array {
    return readNode(this.#options.database, level, index)
  }
}

/** Adds the rows of leaves that follow on a list, and gives the list after them. */
function append(
  { append: appendLeaves }: Pick<ReceiptIndexOptions, 'append'>,
  before: IndexedList,
  leaves: readonly Hex32[],
  operations: WriteOperation[],
): IndexedList {
  if (leaves.length === 0) return before
  const frontier = appendLeaves(before.frontier, leaves, (level, index, root) => {
    // A copy: a key is written later, and a root may be in a buffer that is used again.
    if (level >= PAGE_LEVEL) operations.push(put(verdictNodeKey(level, index), Uint8Array.from(root)))
  })
  const known = before.page.length
  const bytes = new Uint8Array(known + LEAF_BYTES * leaves.length)
  bytes.set(before.page, 0)
  for (const [i, leaf] of leaves.entries()) setHex(bytes, leaf, known + LEAF_BYTES * i)
  const pageBytes = LEAF_BYTES * PAGE_LEAVES
  const firstPage = Math.floor(before.frontier.size / PAGE_LEAVES)
  for (let at = 0; at < bytes.length; at += pageBytes) {
    operations.push(put(verdictNodeKey(0, firstPage + at / pageBytes), bytes.subarray(at, at + pageBytes)))
  }
  operations.push(put(META.verdictsIndexed, encodeHeight(frontier.size)))
  return { frontier, page: bytes.slice(bytes.length - (bytes.length % pageBytes)) }
}

function isSame(a: Frontier, b: Frontier): boolean {
  return a.size === b.size && a.nodes.every((node, level) => node === (b.nodes[level] ?? null))
}

function readNode(database: Database, level: number, index: number): Uint8Array {
  const damaged = () =>
    damagedDatabase(database.path, `node ${index} of level ${level} of the list of verdicts is not there`)
  if (level >= PAGE_LEVEL) {
    const root = database.get(verdictNodeKey(level, index))
    if (root?.length !== LEAF_BYTES) throw damaged()
    return root
  }
  const first = index * 2 ** level
  const leaves = readLeaves(database, first, 2 ** level)
  if (leaves === null) throw damaged()
  return rootOf(leaves)
}

/** So many leaves of one page, one after the other; null when they are not all there. */
function readLeaves(database: Database, first: number, count: number): Uint8Array | null {
  const page = Math.floor(first / PAGE_LEAVES)
  const start = LEAF_BYTES * (first - PAGE_LEAVES * page)
  const bytes = database.get(verdictNodeKey(0, page))?.subarray(start, start + LEAF_BYTES * count)
  return bytes?.length === LEAF_BYTES * count ? bytes : null
}

/** Root of a complete tree over leaves, a power of two of them. */
function rootOf(leaves: Uint8Array): Uint8Array {
  if (leaves.length === LEAF_BYTES) return leaves
  const half = leaves.length / 2
  return hashPair(rootOf(leaves.subarray(0, half)), rootOf(leaves.subarray(half)))
}

/** The list as it was with `size` verdicts, from its nodes. */
function listAt(database: Database, size: number): IndexedList {
  const nodes: (Hex32 | null)[] = []
  for (let rest = size, level = 0; rest > 0; rest = Math.floor(rest / 2), level++) {
    nodes.push(rest % 2 === 1 ? (toHex(readNode(database, level, rest - 1)) as Hex32) : null)
  }
  const rest = size % PAGE_LEAVES
  const page = rest === 0 ? new Uint8Array(0) : readLeaves(database, size - rest, rest)
  if (page === null) throw damagedDatabase(database.path, `the last of ${size} verdicts are not indexed`)
  return { frontier: { size, nodes }, page }
}

/** Makes the rows of all verdicts from `indexed` on, in slices; each is written before the next is read. */
async function complete(options: ReceiptIndexOptions, indexed: number): Promise<IndexedList> {
  const { database, tip, logger } = options
  const wanted = tip.accumulators.verdicts
  const damaged = (why: string) => damagedDatabase(database.path, `the list of verdicts ${why}`)
  if (indexed > wanted.size) throw damaged(`has ${wanted.size} entries, ${indexed} of them indexed`)
  let list = listAt(database, indexed)
  if (indexed < wanted.size) {
    logger.info({ verdicts: wanted.size, from: indexed }, 'making the index of receipts, once')
    const view = database.view()
    try {
      const range = { from: indexed, to: wanted.size - 1, perSlice: VERDICTS_PER_SLICE }
      for await (const records of readRuns(view, 'verdictRuns', range)) {
        const leaves = records.map(verdictLeaf)
        const operations: WriteOperation[] = []
        const before = list.frontier.size
        list = append(options, list, leaves, operations)
        await database.writeRelaxed(operations)
        const line = Math.floor(list.frontier.size / VERDICTS_PER_LINE)
        if (line > Math.floor(before / VERDICTS_PER_LINE)) {
          logger.info({ verdicts: wanted.size, done: list.frontier.size }, 'making the index of receipts')
        }
      }
    } finally {
      view.close()
    }
  }
  if (!isSame(list.frontier, wanted)) throw damaged('is not the one that the state has')
  return list
}
