/**
 * The blocks that this validator voted for and that others may need from it: were all validators to stop at once,
 * the block under a lock must still exist somewhere. What goes into a snapshot of the safety record; the tree
 * holds blocks of strangers as well.
 */
import type { HashedBlock } from '../types/block.ts'
import type { BlockHash, Height, View } from '../types/primitives.ts'

/**
 * Blocks above the lock, one for each failed view since. Only the highest that was certified without our knowledge
 * matters, and it is one of the last: this many views without anybody showing its certificate do not happen
 * while those who hold it are up.
 */
const ABOVE_LOCK_MAX = 32

export class KeptBlocks {
  readonly #blocks = new Map<BlockHash, HashedBlock>()

  /** A vote for the block, or the block as our proposal, is in the record. */
  keep(block: HashedBlock): void {
    this.#blocks.set(block.hash, block)
  }

  /** A kept block, or null. */
  get(hash: BlockHash): HashedBlock | null {
    return this.#blocks.get(hash) ?? null
  }

  /** Final blocks up to this height are durable in the chain: it has them from here on. */
  committed(height: Height): void {
    for (const [hash, { header }] of this.#blocks) if (header.height <= height) this.#blocks.delete(hash)
  }

  /**
   * Forgets what a higher lock has made useless: all but the blocks that are final and not durable yet, those under
   * the lock, and what is above it.
   * @param lockView view of the highest prepare certificate
   * @param finalHeight of the last final block
   * @param underLock from just above the final block to the locked one
   */
  lockedOn(lockView: View, finalHeight: Height, underLock: readonly HashedBlock[]): void {
    const needed = new Set(underLock.map(({ hash }) => hash))
    const above: HashedBlock[] = []
    for (const block of this.#blocks.values()) {
      if (block.header.height <= finalHeight) needed.add(block.hash)
      if (block.header.view > lockView) above.push(block)
    }
    above.sort((a, b) => b.header.view - a.header.view)
    for (const { hash } of above.slice(0, ABOVE_LOCK_MAX)) needed.add(hash)
    for (const hash of this.#blocks.keys()) if (!needed.has(hash)) this.#blocks.delete(hash)
  }

  /** Canonical bytes, parents first. */
  bytes(): Uint8Array[] {
    return [...this.#blocks.values()]
      .sort((a, b) => a.header.height - b.header.height)
      .map(({ bytes }) => bytes)
  }
}
