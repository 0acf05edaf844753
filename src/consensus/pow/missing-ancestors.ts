/** Asks for what is missing under waiting blocks: once when it comes up, then with every timer, and not for ever. */
import type { SealHash } from '../../types/pow.ts'
import type { PowEffect } from './effect.ts'
import type { WaitingBlocks } from './waiting-blocks.ts'

/** What is missing is asked for again this often … */
const FETCH_REPEAT_MS = 500
/** … and so many times before everything on it is given up. */
const FETCH_TRIES_MAX = 8

export class MissingAncestors {
  readonly #tries = new Map<SealHash, number>()

  /** The block has come. */
  found(hash: SealHash): void {
    this.#tries.delete(hash)
  }

  /** Forgets everything. */
  clear(): void {
    this.#tries.clear()
  }

  /**
   * What to ask for now.
   * @param waiting loses what nobody has brought the ancestors of
   * @param isRepeat the timer has expired; else only what has just come up is asked for
   */
  ask(waiting: WaitingBlocks, isRepeat: boolean): PowEffect[] {
    const effects: PowEffect[] = []
    const missing = waiting.missing()
    for (const known of [...this.#tries.keys()]) if (!missing.has(known)) this.#tries.delete(known)
    for (const [sealHash, from] of missing) {
      const tries = this.#tries.get(sealHash) ?? 0
      if (tries > 0 && !isRepeat) continue
      if (tries >= FETCH_TRIES_MAX) {
        waiting.dropOn(sealHash)
        this.#tries.delete(sealHash)
        continue
      }
      this.#tries.set(sealHash, tries + 1)
      // The one who sent the block first; then whoever has it.
      effects.push({ kind: 'fetch', sealHash, from: tries === 0 ? from : null })
    }
    if (this.#tries.size > 0) effects.push({ kind: 'set-timer', timer: 'fetch', delayMs: FETCH_REPEAT_MS })
    else if (isRepeat) effects.push({ kind: 'cancel-timer', timer: 'fetch' })
    return effects
  }
}
