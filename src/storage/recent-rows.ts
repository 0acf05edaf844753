/**
 * Rows that were looked up or written lately, in two generations: the older one goes when the younger is full. Whoever
 * keeps it sees to it that it says what the database says.
 */
const GENERATION_MAX = 8_192

export class RecentRows<K, V> {
  #young = new Map<K, V>()
  #old: Map<K, V> = new Map()

  /** Undefined: not known here; the database may have it all the same. */
  get(key: K): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  set(key: K, value: V): void {
    if (this.#young.size >= GENERATION_MAX) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#old.delete(key)
    this.#young.set(key, value)
  }

  delete(key: K): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
