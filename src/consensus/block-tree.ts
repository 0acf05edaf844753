/**
 * Blocks above the last final one. Knows who descends from whom and what has been checked; knows nothing of
 * votes. Bounded: what would exceed the bound is not taken in, and can be fetched again.
 */
import { assert } from '../types/assert.ts'
import type { HashedBlock } from '../types/block.ts'
import type { BlockHash, StateRoot, ValidatorIndex } from '../types/primitives.ts'
import type { ExecutionOutcome } from './input.ts'

/** Far more than can be unfinal at once; a range of final blocks that is being taken in fits. */
const BLOCKS_MAX = 1_024
const BLOCK_BYTES_TOTAL_MAX = 256 * 1024 * 1024

export type BlockStatus = 'unchecked' | 'checking' | 'valid' | 'invalid'

interface Node {
  readonly block: HashedBlock
  status: BlockStatus
  /** Of a valid block. */
  outcome: ExecutionOutcome | null
}

export class BlockTree {
  #root: HashedBlock
  readonly #nodes = new Map<BlockHash, Node>()
  readonly #children = new Map<BlockHash, Set<BlockHash>>()
  #bytes = 0

  /** @param root the last final block */
  constructor(root: HashedBlock) {
    this.#root = root
  }

  /** The last final block. */
  get root(): HashedBlock {
    return this.#root
  }

  get size(): number {
    return this.#nodes.size
  }

  /** The root or a block above it. */
  get(hash: BlockHash): HashedBlock | null {
    return hash === this.#root.hash ? this.#root : (this.#nodes.get(hash)?.block ?? null)
  }

  /** Takes in a block above the root. False when it is old, known, or there is no room. */
  add(block: HashedBlock): boolean {
    if (block.header.height <= this.#root.header.height || this.#nodes.has(block.hash)) return false
    if (this.#nodes.size >= BLOCKS_MAX || this.#bytes + block.bytes.length > BLOCK_BYTES_TOTAL_MAX)
      return false
    this.#nodes.set(block.hash, { block, status: 'unchecked', outcome: null })
    this.#bytes += block.bytes.length
    const siblings = this.#children.get(block.header.parentHash) ?? new Set()
    siblings.add(block.hash)
    this.#children.set(block.header.parentHash, siblings)
    return true
  }

  /** Whether the block is the root, or has been checked and so have all its ancestors. */
  isValid(hash: BlockHash): boolean {
    return hash === this.#root.hash || this.#nodes.get(hash)?.status === 'valid'
  }

  statusOf(hash: BlockHash): BlockStatus | null {
    return hash === this.#root.hash ? 'valid' : (this.#nodes.get(hash)?.status ?? null)
  }

  /** State after a valid block above the root. */
  stateRootOf(hash: BlockHash): StateRoot | null {
    return this.#nodes.get(hash)?.outcome?.stateRoot ?? null
  }

  /** Who does not weigh in the period that begins after a valid block above the root; null when none begins. */
  weightlessAfter(hash: BlockHash): readonly ValidatorIndex[] | null {
    return this.#nodes.get(hash)?.outcome?.weightless ?? null
  }

  /** Whether nobody waits for a valid block above the root to be final before its child is. */
  isFinalWithNext(hash: BlockHash): boolean {
    return this.#nodes.get(hash)?.outcome?.isFinalWithNext ?? false
  }

  /** Unchecked blocks whose parent is valid, in order of height; they count as being checked from here on. */
  takeCheckable(): { readonly block: HashedBlock; readonly parent: HashedBlock }[] {
    const ready: { block: HashedBlock; parent: HashedBlock }[] = []
    for (const node of this.#nodes.values()) {
      if (node.status !== 'unchecked' || !this.isValid(node.block.header.parentHash)) continue
      const parent = this.get(node.block.header.parentHash)
      assert(parent !== null, 'a valid parent is in the tree')
      node.status = 'checking'
      ready.push({ block: node.block, parent })
    }
    return ready.sort((a, b) => a.block.header.height - b.block.header.height)
  }

  /**
   * Records the outcome of a check. Blocks that have left the tree meanwhile are of no interest.
   * @param outcome null: the block is invalid
   */
  checked(hash: BlockHash, outcome: ExecutionOutcome | null): void {
    const node = this.#nodes.get(hash)
    if (node === undefined || node.status === 'invalid') return
    node.status = outcome === null ? 'invalid' : 'valid'
    node.outcome = outcome
  }

  /**
   * The blocks from just above the root to `hash`, in order; null when one of them is not known or the chain
   * does not lead to the root.
   */
  pathTo(hash: BlockHash): HashedBlock[] | null {
    const path: HashedBlock[] = []
    for (let at = hash; at !== this.#root.hash; ) {
      const block = this.#nodes.get(at)?.block
      if (block === undefined) return null
      path.push(block)
      at = block.header.parentHash
    }
    return path.reverse()
  }

  /** The first block towards the root that is not known; null when the chain is complete or leads past the root. */
  missingAncestorOf(hash: BlockHash): BlockHash | null {
    let at = hash
    for (;;) {
      if (at === this.#root.hash) return null
      const block = this.#nodes.get(at)?.block
      if (block === undefined) return at
      if (block.header.height <= this.#root.header.height + 1 && block.header.parentHash !== this.#root.hash)
        return null
      at = block.header.parentHash
    }
  }

  /** Whether a block between the root and `hash` (inclusive) has transactions. */
  hasUnfinalTransactions(hash: BlockHash): boolean {
    return this.pathTo(hash)?.some((block) => block.transactions.length > 0) ?? false
  }

  /** Makes a descendant the root; everything that does not descend from it is forgotten. */
  advanceRoot(hash: BlockHash): void {
    const root = this.#nodes.get(hash)?.block
    assert(root !== undefined, 'the new root is in the tree')
    const keep = new Set<BlockHash>()
    const stack = [...(this.#children.get(hash) ?? [])]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      keep.add(at)
      stack.push(...(this.#children.get(at) ?? []))
    }
    this.#root = root
    this.#forgetAllBut(keep)
  }

  /** Whether it is time to forget what is no longer needed: before there is no room. */
  get isCrowded(): boolean {
    return this.#nodes.size >= BLOCKS_MAX / 2 || this.#bytes >= BLOCK_BYTES_TOTAL_MAX / 2
  }

  /** Forgets every block but these and their ancestors. */
  retain(tips: Iterable<BlockHash>): void {
    const keep = new Set<BlockHash>()
    for (const tip of tips) {
      for (let at = tip; !keep.has(at); ) {
        const block = this.#nodes.get(at)?.block
        if (block === undefined) break
        keep.add(at)
        at = block.header.parentHash
      }
    }
    this.#forgetAllBut(keep)
  }

  #forgetAllBut(keep: ReadonlySet<BlockHash>): void {
    for (const [hash, { block }] of this.#nodes) {
      if (keep.has(hash)) continue
      this.#nodes.delete(hash)
      this.#bytes -= block.bytes.length
      const siblings = this.#children.get(block.header.parentHash)
      siblings?.delete(hash)
      if (siblings?.size === 0) this.#children.delete(block.header.parentHash)
    }
  }
}
