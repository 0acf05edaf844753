/**
 * Tells those who follow of final blocks, through gossip. Validators have them from consensus and are no part of
 * this topic's mesh, so none passes on what another one publishes: the proposer tells at once, and the others tell
 * those whom it may not reach of the last block, when a moment passes without a next one.
 */

import { encodeFinalAnnouncement } from '../codec/final-announcement.ts'
import type { PubSub } from '../network/gossip.ts'
import type { FinalizedBlock } from '../types/ledger-state.ts'
import type { ValidatorIndex } from '../types/primitives.ts'

/** Waits of a {@link BlockAnnouncer}, in milliseconds. */
export const ANNOUNCING = {
  /** Without another final block for so long, by chance, so that not all tell at once. */
  quietLeastMs: 5,
  quietMostMs: 20,
  /** A block after block is told of so often all the same. */
  latestMs: 100,
} as const

/** Parts of a {@link BlockAnnouncer}. */
export interface BlockAnnouncerOptions {
  readonly gossip: () => Pick<PubSub, 'subscribers' | 'publishBlock'>
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** The announcer of a validator. */
export class BlockAnnouncer {
  readonly #options: BlockAnnouncerOptions
  /** The last final block, which this node has not told of. */
  #untold: FinalizedBlock | null = null
  #latestAtMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: BlockAnnouncerOptions) {
    this.#options = options
  }

  /** @param self our index among the validators; null when we are none, and tell nobody */
  finalized(blocks: readonly FinalizedBlock[], self: ValidatorIndex | null): void {
    if (self === null || this.#options.gossip().subscribers('blocks') === 0) {
      this.stop()
      return
    }
    for (const final of blocks) {
      if (final.block.header.proposer === self) this.#tell(final)
      else this.#keep(final)
    }
  }

  /** Forgets what waits. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#untold = null
  }

  #keep(final: FinalizedBlock): void {
    const nowMs = this.#options.nowMs()
    if (this.#untold === null) this.#latestAtMs = nowMs + ANNOUNCING.latestMs
    this.#untold = final
    const { quietLeastMs, quietMostMs } = ANNOUNCING
    const quietMs = quietLeastMs + Math.random() * (quietMostMs - quietLeastMs)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => this.#tell(final),
      Math.min(quietMs, Math.max(0, this.#latestAtMs - nowMs)),
    )
  }

  /** Whoever hears of a block asks for those before it. */
  #tell({ block, finality }: FinalizedBlock): void {
    this.stop()
    this.#options.gossip().publishBlock(encodeFinalAnnouncement({ block, finality }))
  }
}
