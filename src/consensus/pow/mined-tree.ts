/**
 * Mined blocks above the root, with the work under each. Knows who builds on whom, what has been checked, and
 * which valid tip is the heaviest; the first of equals stays. Bounded: the lightest tip goes first.
 */
import { assert } from '../../types/assert.ts'
import type { HashedBlock } from '../../types/block.ts'
import { workOfTarget } from '../../types/compact-target.ts'
import type { MiningParameters, SealedBlock, SealHash } from '../../types/pow.ts'
import type { Height } from '../../types/primitives.ts'
import { knownTarget, type Mark, trailLength } from './retarget.ts'
import { parentSealOf } from './seal-rules.ts'

/** Where a mined chain begins: genesis, a settled block, or the last final block of BFT. */
export interface Root {
  readonly sealHash: SealHash
  readonly block: HashedBlock
  /** Of the whole chain up to and including it. */
  readonly work: bigint
  /** The last blocks up to and including it, oldest first. */
  readonly trail: readonly Mark[]
}

interface Node {
  readonly sealed: SealedBlock
  readonly work: bigint
  readonly children: Set<SealHash>
  status: 'unchecked' | 'checking' | 'valid'
}

/** Bytes of all blocks of a tree. */
const TREE_BYTES_MAX = 256 * 1024 * 1024

export class MinedTree {
  readonly #mining: MiningParameters
  readonly #countMax: number
  readonly #nodes = new Map<SealHash, Node>()
  readonly #rootChildren = new Set<SealHash>()
  #root: Root
  #tip: SealHash
  #bytes = 0

  constructor(root: Root, mining: MiningParameters) {
    this.#root = root
    this.#tip = root.sealHash
    this.#mining = mining
    // The best chain can be as long as what stays reversible; as many again for its rivals, and some room.
    this.#countMax = 2 * mining.maturityBlocks + 64
  }

  get root(): Root {
    return this.#root
  }

  /** The heaviest valid block. */
  get tip(): SealHash {
    return this.#tip
  }

  get size(): number {
    return this.#nodes.size
  }

  has(hash: SealHash): boolean {
    return hash === this.#root.sealHash || this.#nodes.has(hash)
  }

  get(hash: SealHash): SealedBlock | null {
    return this.#nodes.get(hash)?.sealed ?? null
  }

  /** The root's block or one above it. */
  blockOf(hash: SealHash): HashedBlock | null {
    return hash === this.#root.sealHash ? this.#root.block : (this.#nodes.get(hash)?.sealed.block ?? null)
  }

  heightOf(hash: SealHash): Height {
    const block = this.blockOf(hash)
    assert(block !== null, `block ${hash} is in the tree`)
    return block.header.height
  }

  /** Work of the whole chain up to and including a block of the tree. */
  workOf(hash: SealHash): bigint {
    const work = hash === this.#root.sealHash ? this.#root.work : this.#nodes.get(hash)?.work
    assert(work !== undefined, `block ${hash} is in the tree`)
    return work
  }

  /** The last blocks up to and including one of the tree, oldest first. */
  trailOf(hash: SealHash): Mark[] {
    const length = trailLength(this.#mining)
    const marks: Mark[] = []
    let at = hash
    for (; at !== this.#root.sealHash && marks.length < length; at = parentSealOf(this.#node(at).sealed)) {
      const { block, seal } = this.#node(at).sealed
      marks.push({ timestamp: block.header.timestamp, bits: seal.bits })
    }
    marks.reverse()
    return at === this.#root.sealHash ? [...this.#root.trail, ...marks].slice(-length) : marks
  }

  /**
   * Takes in a block whose parent is here and whose place has been checked.
   * @returns what had to go to make room; null when the block itself would be the first to go
   */
  add(sealed: SealedBlock): readonly SealedBlock[] | null {
    const parent = parentSealOf(sealed)
    const work = this.workOf(parent) + workOfTarget(knownTarget(sealed.seal.bits))
    const dropped: SealedBlock[] = []
    while (this.#nodes.size >= this.#countMax || this.#bytes + sealed.bytes.length > TREE_BYTES_MAX) {
      const lightest = this.#lightestTip(parent)
      if (lightest === null || lightest.work >= work) return null
      dropped.push(...this.remove(lightest.sealed.sealHash))
    }
    this.#nodes.set(sealed.sealHash, { sealed, work, children: new Set(), status: 'unchecked' })
    this.#childrenOf(parent).add(sealed.sealHash)
    this.#bytes += sealed.bytes.length
    return dropped
  }

  /** Unchecked blocks whose parent is valid; they count as being checked from here on. */
  takeCheckable(): { readonly sealed: SealedBlock; readonly parent: HashedBlock }[] {
    const ready: { sealed: SealedBlock; parent: HashedBlock }[] = []
    for (const node of this.#nodes.values()) {
      const parent = parentSealOf(node.sealed)
      if (node.status !== 'unchecked' || !this.isValid(parent)) continue
      const block = this.blockOf(parent)
      assert(block !== null, 'a valid parent is in the tree')
      node.status = 'checking'
      ready.push({ sealed: node.sealed, parent: block })
    }
    return ready
  }

  isBeingChecked(hash: SealHash): boolean {
    return this.#nodes.get(hash)?.status === 'checking'
  }

  isValid(hash: SealHash): boolean {
    return hash === this.#root.sealHash || this.#nodes.get(hash)?.status === 'valid'
  }

  /** The ledger found the block legal. True when it is the heaviest now: strictly, the first of equals stays. */
  markValid(hash: SealHash): boolean {
    const node = this.#nodes.get(hash)
    if (node === undefined || node.status === 'valid') return false
    node.status = 'valid'
    if (node.work <= this.workOf(this.#tip)) return false
    this.#tip = hash
    return true
  }

  /** Takes a block and all that builds on it out; never one that the tip builds on. Children after parents. */
  remove(hash: SealHash): SealedBlock[] {
    const removed: SealedBlock[] = []
    const stack = [hash]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const node = this.#nodes.get(at)
      if (node === undefined) continue
      assert(at !== this.#tip, 'the tip is not removed')
      this.#forget(node)
      removed.push(node.sealed)
      stack.push(...node.children)
    }
    return removed
  }

  /** From just above the root to a block, oldest first. */
  pathTo(hash: SealHash): SealedBlock[] {
    const path: SealedBlock[] = []
    for (let at = hash; at !== this.#root.sealHash; ) {
      const { sealed } = this.#node(at)
      path.push(sealed)
      at = parentSealOf(sealed)
    }
    return path.reverse()
  }

  /** Every block above the root, in the order they came in. */
  all(): SealedBlock[] {
    return [...this.#nodes.values()].map(({ sealed }) => sealed)
  }

  /** Makes a block under the tip the root. @returns what does not build on it, and is no longer here */
  advanceRoot(hash: SealHash): SealedBlock[] {
    const node = this.#node(hash)
    const path = this.pathTo(hash).map(({ sealHash }) => sealHash)
    const root = { sealHash: hash, block: node.sealed.block, work: node.work, trail: this.trailOf(hash) }
    const dropped: SealedBlock[] = []
    let at = this.#root.sealHash
    for (const next of path) {
      for (const child of [...this.#childrenOf(at)]) if (child !== next) dropped.push(...this.remove(child))
      at = next
    }
    for (const settled of path) this.#forget(this.#node(settled))
    this.#root = root
    this.#rootChildren.clear()
    for (const child of node.children) this.#rootChildren.add(child)
    return dropped
  }

  #node(hash: SealHash): Node {
    const node = this.#nodes.get(hash)
    assert(node !== undefined, `block ${hash} is in the tree`)
    return node
  }

  #childrenOf(hash: SealHash): Set<SealHash> {
    return hash === this.#root.sealHash ? this.#rootChildren : this.#node(hash).children
  }

  #forget({ sealed }: Node): void {
    this.#nodes.delete(sealed.sealHash)
    this.#bytes -= sealed.bytes.length
    const parent = parentSealOf(sealed)
    if (this.has(parent)) this.#childrenOf(parent).delete(sealed.sealHash)
  }

  /** The tip of the least work, apart from the best one and from `spared`. */
  #lightestTip(spared: SealHash): Node | null {
    let lightest: Node | null = null
    for (const [hash, node] of this.#nodes) {
      if (node.children.size > 0 || hash === this.#tip || hash === spared) continue
      if (lightest === null || node.work < lightest.work) lightest = node
    }
    return lightest
  }
}
