/**
 * Says of most keys that are not in the database that they are not, without asking it: Bloom filters (Bloom, 1970), each
 * twice as large as the one before. A look-up of a key that is not there asks every table that its range covers, and
 * nearly every request is new; so it would become slower with all that was ever stored. What is not certain is asked for.
 */

/** A full layer takes one key in about 1,000 for one of its own. */
const BITS_PER_KEY = 16
const HASHES = 6
const FIRST_CAPACITY = 2 ** 16
/** All layers together, 64 MiB: some 33 million keys. Beyond, everything is asked for. */
const BITS_MAX = 2 ** 29

interface Layer {
  readonly words: Uint32Array
  readonly capacity: number
  count: number
}

export class KeyFilter {
  readonly #bitsMax: number
  #layers: Layer[] = [layerOf(FIRST_CAPACITY)]
  #knowsAll = false
  #isFull = false

  /** @param bitsMax of all layers together */
  constructor(bitsMax = BITS_MAX) {
    this.#bitsMax = bitsMax
  }

  /** @param key hex digits of a hash, 16 at least */
  add(key: string): void {
    if (this.#isFull) return
    const last = this.#layers.at(-1)
    const layer = last !== undefined && last.count < last.capacity ? last : this.#grow()
    if (layer === null) return
    layer.count += 1
    const mask = BITS_PER_KEY * layer.capacity - 1
    const [start, step] = hashesOf(key)
    for (let i = 0; i < HASHES; i++) {
      const bit = (start + Math.imul(i, step)) & mask
      const word = bit >>> 5
      layer.words[word] = (layer.words[word] ?? 0) | (1 << (bit & 31))
    }
  }

  /** All keys of the database were added, and every one that comes will be. */
  complete(): void {
    this.#knowsAll = true
  }

  /** False: the key was never added. True: it may have been. */
  mayHave(key: string): boolean {
    if (!this.#knowsAll || this.#isFull) return true
    const [start, step] = hashesOf(key)
    return this.#layers.some((layer) => isIn(layer, start, step))
  }

  /** Null, and all memory given back, when there would be more bits than allowed. */
  #grow(): Layer | null {
    const capacity = 2 * (this.#layers.at(-1)?.capacity ?? FIRST_CAPACITY)
    // All layers before are together smaller than this one.
    if (2 * BITS_PER_KEY * capacity > this.#bitsMax) {
      this.#isFull = true
      this.#layers = []
      return null
    }
    const layer = layerOf(capacity)
    this.#layers.push(layer)
    return layer
  }
}

function layerOf(capacity: number): Layer {
  return { words: new Uint32Array((BITS_PER_KEY * capacity) / 32), capacity, count: 0 }
}

/** Keys are hashes themselves: two parts of them stand for all six (Kirsch and Mitzenmacher, 2006). */
function hashesOf(key: string): readonly [start: number, step: number] {
  return [Number.parseInt(key.slice(0, 8), 16) | 0, Number.parseInt(key.slice(8, 16), 16) | 1]
}

function isIn({ words, capacity }: Layer, start: number, step: number): boolean {
  const mask = BITS_PER_KEY * capacity - 1
  for (let i = 0; i < HASHES; i++) {
    const bit = (start + Math.imul(i, step)) & mask
    if (((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false
  }
  return true
}
