/** Merkle trees over SHA-256 with many leaves opened at once: a sibling that can be computed is not sent. */
import { SHA256_BYTES, sha256 } from '../hash/sha256.ts'

const LEAF = 0
const NODE = 1

/** By length of the leaf: leaves of one tree are equally long, and there are thousands of them. */
const leafMessages = new Map<number, Uint8Array>()

/** Hash of a leaf: SHA-256(0 ‖ bytes). The lengths are few: those of the rows and groups of proofs. */
export function hashLeaf(bytes: Uint8Array): Uint8Array {
  let message = leafMessages.get(bytes.length)
  if (message === undefined) {
    message = new Uint8Array(1 + bytes.length)
    message[0] = LEAF
    leafMessages.set(bytes.length, message)
  }
  message.set(bytes, 1)
  return sha256(message)
}

const pair = new Uint8Array(1 + 2 * SHA256_BYTES)

/** Hash of an inner node: SHA-256(1 ‖ left ‖ right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair[0] = NODE
  pair.set(left, 1)
  pair.set(right, 1 + SHA256_BYTES)
  return sha256(pair)
}

export class MerkleTree {
  /** From the leaves up, all hashes of a level one after the other; the last is the root alone. */
  readonly #levels: readonly Uint8Array[]

  /**
   * @param leaves how many there are, a power of two
   * @param leafHash of the one at a place
   */
  constructor(leaves: number, leafHash: (place: number) => Uint8Array) {
    const bottom = new Uint8Array(leaves * SHA256_BYTES)
    for (let place = 0; place < leaves; place++) bottom.set(leafHash(place), place * SHA256_BYTES)
    const levels = [bottom]
    for (let below = bottom; below.length > SHA256_BYTES; ) {
      const above = new Uint8Array(below.length / 2)
      for (let at = 0; at < above.length; at += SHA256_BYTES) {
        above.set(
          hashNode(hashAt(below, (2 * at) / SHA256_BYTES), hashAt(below, (2 * at) / SHA256_BYTES + 1)),
          at,
        )
      }
      levels.push(above)
      below = above
    }
    this.#levels = levels
  }

  get root(): Uint8Array {
    return this.#levels[this.#levels.length - 1] as Uint8Array
  }

  /**
   * The siblings that the root of some leaves needs, level by level and from left to right.
   * @param places of leaves, rising, none twice
   */
  siblings(places: readonly number[]): Uint8Array[] {
    const siblings: Uint8Array[] = []
    let known = places
    for (const level of this.#levels.slice(0, -1)) {
      const set = new Set(known)
      for (const place of known) {
        if (!set.has(place ^ 1)) siblings.push(hashAt(level, place ^ 1))
      }
      known = [...new Set(known.map((place) => place >> 1))]
    }
    return siblings
  }
}

function hashAt(level: Uint8Array, place: number): Uint8Array {
  return level.subarray(place * SHA256_BYTES, (place + 1) * SHA256_BYTES)
}

/**
 * The root that leaves lead to.
 * @param depth levels between leaves and root
 * @param places of the leaves, rising, none twice
 * @param hashes of the leaves, in that order
 * @param sibling the next one, in the order of {@link MerkleTree.siblings}
 */
export function rootOfLeaves(
  depth: number,
  places: readonly number[],
  hashes: readonly Uint8Array[],
  sibling: () => Uint8Array,
): Uint8Array {
  let known = places
  let nodes = hashes
  for (let level = 0; level < depth; level++) {
    const above: number[] = []
    const parents: Uint8Array[] = []
    for (let i = 0; i < known.length; i++) {
      const place = known[i] as number
      const node = nodes[i] as Uint8Array
      above.push(place >> 1)
      if (place % 2 === 1) parents.push(hashNode(sibling(), node))
      else if (known[i + 1] === place + 1) parents.push(hashNode(node, nodes[++i] as Uint8Array))
      else parents.push(hashNode(node, sibling()))
    }
    known = above
    nodes = parents
  }
  return nodes[0] as Uint8Array
}

/** Whether two hashes are equal; nothing here is secret. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
