/** Tells those who follow of a final block, through gossip. */

import { encodeFinalAnnouncement } from '../codec/final-announcement.ts'
import type { Network } from '../network/network.ts'
import type { FinalizedBlock } from '../types/ledger-state.ts'
import type { ValidatorIndex } from '../types/primitives.ts'

/** The proposer of a final block tells those who follow; validators have it from consensus. */
export function announce(blocks: readonly FinalizedBlock[], self: ValidatorIndex, network: Network): void {
  for (const { block, finality } of blocks) {
    if (block.header.proposer !== self || network.gossip.subscribers('blocks') === 0) continue
    network.gossip.publishBlock(encodeFinalAnnouncement({ block, finality }))
  }
}
