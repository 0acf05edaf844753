/** Tells waiting callers of verdicts, after the blocks that hold them are durable. */
import type { FinalizedBlock, StoredVerdict } from '../types/ledger-state.ts'

type Listener = (verdicts: readonly StoredVerdict[]) => void

export class VerdictFeed {
  readonly #listeners = new Set<Listener>()

  /** Blocks are final and durable. */
  finalized(blocks: readonly FinalizedBlock[]): void {
    const verdicts: StoredVerdict[] = []
    for (const { changes, answers } of blocks) {
      changes.verdicts.forEach((record, i) => {
        const figures = answers[i]
        if (figures !== undefined) verdicts.push({ record, figures })
      })
    }
    if (verdicts.length === 0) return
    for (const listener of this.#listeners) listener(verdicts)
  }

  onVerdicts(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
