/** Notes as the public API shows them. */
import type { ChainRules } from '../ledger/chain-rules.ts'
import { frontierRoot } from '../ledger/frontier.ts'
import { minimumFeeOf } from '../ledger/shielded/check-shielded.ts'
import { noteRoot } from '../ledger/shielded/note-tree.ts'
import type { ShieldedPage, ShieldedPorts, ShieldedView } from '../rpc/http/shielded-ports.ts'
import type { ChainStore } from '../storage/chain-store.ts'

export class ShieldedViews implements ShieldedPorts {
  readonly #chain: Pick<ChainStore, 'tip' | 'state'>
  readonly #rules: Pick<ChainRules, 'shielded'>

  constructor(chain: Pick<ChainStore, 'tip' | 'state'>, rules: Pick<ChainRules, 'shielded'>) {
    this.#chain = chain
    this.#rules = rules
  }

  state(): ShieldedView {
    const { height, accumulators } = this.#chain.tip
    const { notes, entries, pool, issued } = accumulators.shielded
    return {
      height,
      notes: notes.size,
      genesisNotes: this.#rules.shielded?.notes.length ?? 0,
      entries: entries.size,
      root: noteRoot(notes),
      pool,
      issued,
      blockReward: this.#rules.shielded?.blockReward ?? 0n,
      minimumFee: minimumFeeOf(this.#rules.shielded),
    }
  }

  page(from: number, limit: number): ShieldedPage {
    const { height, accumulators } = this.#chain.tip
    const { notes, entries } = accumulators.shielded
    const count = Math.max(0, Math.min(limit, entries.size - from))
    return {
      from,
      total: entries.size,
      height,
      root: noteRoot(notes),
      entriesRoot: frontierRoot(entries),
      entries: this.#chain.state.shieldedEntries(from, count).map((entry, i) => ({
        ...entry,
        index: from + i,
        ciphertexts: entry.ciphertexts.map((bytes) => Buffer.from(bytes).toString('base64')),
      })),
    }
  }
}
