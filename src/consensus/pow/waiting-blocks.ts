/**
 * Sealed blocks whose ancestors are not here yet, and what is missing under them. Each has cost at least the
 * work of the network's limit. Bounded: the oldest goes first and can be asked for again.
 */
import type { SealedBlock, SealHash } from '../../types/pow.ts'
import { parentSealOf } from './seal-rules.ts'

const WAITING_BYTES_MAX = 64 * 1024 * 1024

export class WaitingBlocks {
  readonly #countMax: number
  readonly #blocks = new Map<SealHash, { readonly sealed: SealedBlock; readonly from: string | null }>()
  readonly #byParent = new Map<SealHash, Set<SealHash>>()
  #bytes = 0

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get size(): number {
    return this.#blocks.size
  }

  has(hash: SealHash): boolean {
    return this.#blocks.has(hash)
  }

  add(sealed: SealedBlock, from: string | null): void {
    const parent = parentSealOf(sealed)
    this.#blocks.set(sealed.sealHash, { sealed, from })
    this.#byParent.set(parent, (this.#byParent.get(parent) ?? new Set()).add(sealed.sealHash))
    this.#bytes += sealed.bytes.length
    for (const [oldest] of this.#blocks) {
      if (this.#blocks.size <= this.#countMax && this.#bytes <= WAITING_BYTES_MAX) return
      this.#delete(oldest)
    }
  }

  /** Takes out what builds directly on a block. */
  takeChildrenOf(parent: SealHash): { readonly sealed: SealedBlock; readonly from: string | null }[] {
    const children = [...(this.#byParent.get(parent) ?? [])].flatMap((hash) => {
      const waiting = this.#blocks.get(hash)
      return waiting === undefined ? [] : [waiting]
    })
    for (const { sealed } of children) this.#delete(sealed.sealHash)
    return children
  }

  /** Gives up everything that waits, through others, for a block. @returns what that was */
  dropOn(missing: SealHash): SealedBlock[] {
    const dropped: SealedBlock[] = []
    const stack = [missing]
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      for (const { sealed } of this.takeChildrenOf(at)) {
        dropped.push(sealed)
        stack.push(sealed.sealHash)
      }
    }
    return dropped
  }

  /** What to ask for, and whom: the parents that do not wait here themselves. */
  missing(): Map<SealHash, string | null> {
    const missing = new Map<SealHash, string | null>()
    for (const [parent, children] of this.#byParent) {
      if (this.#blocks.has(parent)) continue
      const [child] = children
      missing.set(parent, (child === undefined ? undefined : this.#blocks.get(child)?.from) ?? null)
    }
    return missing
  }

  #delete(hash: SealHash): void {
    const waiting = this.#blocks.get(hash)
    if (waiting === undefined) return
    this.#blocks.delete(hash)
    this.#bytes -= waiting.sealed.bytes.length
    const parent = parentSealOf(waiting.sealed)
    const siblings = this.#byParent.get(parent)
    siblings?.delete(hash)
    if (siblings?.size === 0) this.#byParent.delete(parent)
  }
}
