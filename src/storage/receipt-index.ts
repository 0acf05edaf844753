/**
 * What receipts are made from: the root of every complete subtree of the state's list of verdicts, the position of
 * every verdict, and the anchor. Goes into the very batch of its block. Follows from the verdicts that are there, so
 * what is missing (a database of before, one that was filled from a snapshot) is made when it is opened.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { toHex } from '../codec/hex.ts'
import { decodeVerdictRow } from '../codec/ledger-state.ts'
import { encodeVerdict, verdictLeaf, verdictLeaves } from '../codec/verdict.ts'
import type { NodeListener } from '../ledger/frontier.ts'
import { assert } from '../types/assert.ts'
import type { FinalizedBlock, Frontier, StateAccumulators } from '../types/ledger-state.ts'
import type { Logger } from '../types/logger.ts'
import type { Hex32, RequestKey } from '../types/primitives.ts'
import type { StateBranch } from '../types/receipt.ts'
import type { StakingState } from '../types/staking.ts'
import type { VerdictVoting } from '../types/voting.ts'
import { put } from './block-batch.ts'
import {
  decodeHeight,
  encodeHeight,
  heightRange,
  META,
  verdictKey,
  verdictNodeKey,
  verdictPositionKey,
} from './buckets.ts'
import type { ChainTip } from './chain-opening.ts'
import type { Database, DatabaseView, WriteOperation } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'
import { anchorOperation, type ReceiptAnchor, readAnchor } from './receipt-anchor.ts'

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

/** Verdicts between two turns of the event loop while missing nodes are made: some 100 µs each. */
const VERDICTS_PER_SLICE = 64
/** Verdicts after which the log says how far it is. */
const VERDICTS_PER_LINE = 65_536

/** A verdict on its way into the index. */
interface Leaf {
  readonly requestKey: RequestKey
  readonly leaf: Hex32
}

export class ReceiptIndex {
  readonly #options: ReceiptIndexOptions
  readonly #listeners = new Set<() => void>()
  /** After the last block that {@link operations} was given. */
  #state: Pick<ChainTip, 'accumulators' | 'staking' | 'voting'>
  #written: ReceiptAnchor | null
  #anchor: ReceiptAnchor | null

  private constructor(options: ReceiptIndexOptions, anchor: ReceiptAnchor | null) {
    this.#options = options
    this.#state = options.tip
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
    await complete(options, indexed === null ? 0 : decodeHeight(indexed))
    const anchor = readAnchor(database)
    if (anchor !== null && anchor.header.height > tip.height) {
      throw damagedDatabase(database.path, `the anchor of receipts is above the tip, height ${tip.height}`)
    }
    return new ReceiptIndex(options, anchor)
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
      const after = this.#append(accumulators.verdicts, leavesOf(changes.verdicts), operations)
      const { verdicts } = changes.accumulators
      assert(isSame(after, verdicts), `block ${block.header.height} has other verdicts than its state`)
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
    const bytes = this.#options.database.get(verdictPositionKey(requestKey))
    return bytes === null ? null : decodeHeight(bytes)
  }

  /**
   * Root of a complete subtree of the list.
   * @throws StorageError E_DB_CORRUPT when it is not there
   */
  node(level: number, index: number): Uint8Array {
    return readNode(this.#options.database, level, index)
  }

  #append(before: Frontier, leaves: readonly Leaf[], operations: WriteOperation[]): Frontier {
    return append(this.#options, before, leaves, operations)
  }
}

function leavesOf(verdicts: FinalizedBlock['changes']['verdicts']): Leaf[] {
  return verdictLeaves(verdicts).flatMap((leaf, i) => {
    const requestKey = verdicts[i]?.requestKey
    return requestKey === undefined ? [] : [{ requestKey, leaf }]
  })
}

/** Adds the rows of verdicts that follow on a list, and gives the list after them. */
function append(
  { append: appendLeaves }: Pick<ReceiptIndexOptions, 'append'>,
  before: Frontier,
  leaves: readonly Leaf[],
  operations: WriteOperation[],
): Frontier {
  if (leaves.length === 0) return before
  const hashes = leaves.map(({ leaf }) => leaf)
  const after = appendLeaves(before, hashes, (level, index, root) => {
    // A copy: a key is written later, and a root may be in a buffer that is used again.
    operations.push(put(verdictNodeKey(level, index), Uint8Array.from(root)))
  })
  for (const [i, { requestKey }] of leaves.entries()) {
    operations.push(put(verdictPositionKey(requestKey), encodeHeight(before.size + i)))
  }
  operations.push(put(META.verdictsIndexed, encodeHeight(after.size)))
  return after
}

function isSame(a: Frontier, b: Frontier): boolean {
  return a.size === b.size && a.nodes.every((node, level) => node === (b.nodes[level] ?? null))
}

function readNode(database: Database, level: number, index: number): Uint8Array {
  const root = database.get(verdictNodeKey(level, index))
  if (root?.length === 32) return root
  throw damagedDatabase(database.path, `node ${index} of level ${level} of the list of verdicts is not there`)
}

/** The list as it was with `size` verdicts, from its nodes. */
function frontierAt(database: Database, size: number): Frontier {
  const nodes: (Hex32 | null)[] = []
  for (let rest = size, level = 0; rest > 0; rest = Math.floor(rest / 2), level++) {
    nodes.push(rest % 2 === 1 ? (toHex(readNode(database, level, rest - 1)) as Hex32) : null)
  }
  return { size, nodes }
}

/** Makes the rows of all verdicts from `indexed` on, in slices; each is written before the next is read. */
async function complete(options: ReceiptIndexOptions, indexed: number): Promise<void> {
  const { database, tip, logger } = options
  const list = tip.accumulators.verdicts
  const damaged = (why: string) => damagedDatabase(database.path, `the list of verdicts ${why}`)
  if (indexed > list.size) throw damaged(`has ${list.size} entries, ${indexed} of them indexed`)
  let frontier = frontierAt(database, indexed)
  if (indexed < list.size) {
    logger.info({ verdicts: list.size, from: indexed }, 'making the index of receipts, once')
    const view = database.view()
    try {
      const range = heightRange('verdictOrder', indexed, list.size - 1)
      for await (const rows of view.scan(range, VERDICTS_PER_SLICE)) {
        const leaves = rows.map(([, key]) => storedLeaf(view, toHex(key) as RequestKey))
        const operations: WriteOperation[] = []
        const before = frontier.size
        frontier = append(options, frontier, leaves, operations)
        await database.writeRelaxed(operations)
        const line = Math.floor(frontier.size / VERDICTS_PER_LINE)
        if (line > Math.floor(before / VERDICTS_PER_LINE)) {
          logger.info({ verdicts: list.size, done: frontier.size }, 'making the index of receipts')
        }
        await turn()
      }
    } finally {
      view.close()
    }
  }
  if (!isSame(frontier, list)) throw damaged('is not the one that the state has')
}

function storedLeaf(view: DatabaseView, requestKey: RequestKey): Leaf {
  const bytes = view.get(verdictKey(requestKey))
  const stored = bytes === null ? null : decodeVerdictRow(bytes)
  if (stored?.ok !== true) throw damagedDatabase(view.path, `the verdict on ${requestKey} is not there`)
  const { record } = stored.value
  return { requestKey: record.requestKey, leaf: verdictLeaf(encodeVerdict(record)) }
}
