/** Tells waiting callers of verdicts, after the blocks that hold them are durable. */
import type { FinalizedBlock, StoredVerdict } from '../types/ledger-state.ts'
import type { RequestKey } from '../types/primitives.ts'

type Listener = (verdicts: readonly StoredVerdict[]) => void

export class VerdictFeed {
  readonly #listeners = new Set<Listener>()
  readonly #judgement: (requestKey: RequestKey) => StoredVerdict['failures']

  /** @param judgement what this node itself found, as the database has it */
  constructor(judgement: (requestKey: RequestKey) => StoredVerdict['failures']) {
    this.#judgement = judgement
  }

  /** Blocks are final and durable. */
  finalized(blocks: readonly FinalizedBlock[]): void {
    const verdicts = blocks.flatMap(({ changes, answers }) =>
      changes.verdicts.flatMap((record, i) => {
        const figures = answers[i]
        return figures === undefined
          ? []
          : [{ record, figures, failures: this.#judgement(record.requestKey) }]
      }),
    )
    if (verdicts.length === 0) return
    for (const listener of this.#listeners) listener(verdicts)
  }

  onVerdicts(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
