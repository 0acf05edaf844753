/** Where the nodes of a note tree are: a row of 32-byte nodes that grows at its end. What they mean is note-tree.ts's. */
import { assert } from '../../types/assert.ts'

export const NODE_BYTES = 32

/** A row of nodes. */
export interface NodeStore {
  readonly count: number
  /** The i-th node, 32 bytes; asking for one that is not there is our own bug. */
  at(index: number): Uint8Array
  append(node: Uint8Array): void
  /** Forgets all but the first `count`. */
  truncate(count: number): void
}

/** A row in memory that grows by doubling. */
export class MemoryNodeStore implements NodeStore {
  #bytes = new Uint8Array(64 * NODE_BYTES)
  #count = 0

  get count(): number {
    return this.#count
  }

  at(index: number): Uint8Array {
    assert(index >= 0 && index < this.#count, `there is no node ${index} of ${this.#count}`)
    return this.#bytes.subarray(index * NODE_BYTES, (index + 1) * NODE_BYTES)
  }

  append(node: Uint8Array): void {
    assert(node.length === NODE_BYTES, `a node has ${NODE_BYTES} bytes, not ${node.length}`)
    if ((this.#count + 1) * NODE_BYTES > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(node, this.#count++ * NODE_BYTES)
  }

  truncate(count: number): void {
    assert(count >= 0 && count <= this.#count, `cannot keep ${count} nodes of ${this.#count}`)
    this.#count = count
  }

  /** The nodes as they lie, valid until the next call. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#count * NODE_BYTES)
  }
}
