/**
 * The state after every executed block that is not final yet: one overlay per block, found by block hash. An
 * overlay knows its parent by hash only. When a block becomes final its overlay is dropped and its children,
 * still naming it, read from the final state instead: nothing is rebuilt and no chain of old overlays is kept.
 */
import { assert } from '../types/assert.ts'
import type { BlockHash } from '../types/primitives.ts'
import type { ExecutedBlock } from './executed-block.ts'
import { StateOverlay } from './state-overlay.ts'
import type { StateReader } from './state-reader.ts'

interface Branch {
  readonly executed: ExecutedBlock
  readonly state: StateReader
}

export class BranchStates {
  readonly #finalState: StateReader
  readonly #branches = new Map<BlockHash, Branch>()
  #finalHash: BlockHash

  /**
   * @param finalHash the last final block
   * @param finalState the state after it, and after every later one once that is written: a live view
   */
  constructor(finalHash: BlockHash, finalState: StateReader) {
    this.#finalHash = finalHash
    this.#finalState = finalState
  }

  /** Executed blocks that are not final. */
  get size(): number {
    return this.#branches.size
  }

  get finalHash(): BlockHash {
    return this.#finalHash
  }

  /** The state after a block: the last final one or one that was added; null for any other. */
  at(hash: BlockHash): StateReader | null {
    if (hash === this.#finalHash) return this.#finalState
    return this.#branches.get(hash)?.state ?? null
  }

  /** An executed block that is not final, or null. */
  executed(hash: BlockHash): ExecutedBlock | null {
    return this.#branches.get(hash)?.executed ?? null
  }

  /** Keeps an executed block. Its parent must be the last final block or one that was added. */
  add(executed: ExecutedBlock): void {
    const { hash, header } = executed.block
    if (this.#branches.has(hash)) return
    const { parentHash } = header
    assert(this.at(parentHash) !== null, `the state of ${parentHash}, parent of ${hash}, is not here`)
    const parent = (): StateReader => {
      const state = this.at(parentHash)
      assert(state !== null, `the branch of ${hash} was dropped`)
      return state
    }
    this.#branches.set(hash, { executed, state: StateOverlay.of(parent, executed.changes) })
  }

  /**
   * Makes a child of the last final block the last final block, and drops every branch that does not build on
   * it. Call after its batch is durable and the final state shows it; until then a child sees the block twice,
   * which changes no answer.
   * @returns the blocks that were dropped because another one became final
   */
  finalize(hash: BlockHash): readonly ExecutedBlock[] {
    const parentHash = this.#branches.get(hash)?.executed.block.header.parentHash
    assert(parentHash === this.#finalHash, `${hash} is not a child of the last final block`)
    this.#finalHash = hash
    this.#branches.delete(hash)
    return this.#dropOrphans()
  }

  /** Moves the last final block past what was executed here, as after a synchronisation. Drops what does not build on it. */
  reset(hash: BlockHash): readonly ExecutedBlock[] {
    this.#finalHash = hash
    this.#branches.delete(hash)
    return this.#dropOrphans()
  }

  /** Drops a branch nobody asks about again. Those on it must have been dropped before, or are never asked about. */
  drop(hash: BlockHash): void {
    this.#branches.delete(hash)
  }

  #dropOrphans(): readonly ExecutedBlock[] {
    const kept = new Set<BlockHash>([this.#finalHash])
    const byHeight = [...this.#branches.values()].sort(
      (a, b) => a.executed.block.header.height - b.executed.block.header.height,
    )
    const dropped: ExecutedBlock[] = []
    for (const { executed } of byHeight) {
      const { hash, header } = executed.block
      if (kept.has(header.parentHash)) {
        kept.add(hash)
      } else {
        this.#branches.delete(hash)
        dropped.push(executed)
      }
    }
    return dropped
  }
}
