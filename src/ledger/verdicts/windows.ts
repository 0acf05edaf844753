/**
 * When ballots are due, in heights: the chain's own clock, the same for everyone. A chain that stands still lets
 * nothing expire (spec/commit-reveal.md 5.1).
 */
import type { ChainParameters } from '../../types/genesis.ts'
import { asHeight, type Height } from '../../types/primitives.ts'
import type { OpenBatch } from '../../types/voting.ts'

/** Blocks after a slot's beginning that may hold commits: four leaders in a row are all Byzantine once in 81 times. */
export const COMMIT_BLOCKS = 4
/** A block may pass until closing is final for everyone who opens. */
const FINALITY_LAG = 1
/** Blocks that may hold openings, once closing is final: sixteen leaders in a row are all Byzantine once in 4e7 times. */
const OPENING_BLOCKS = 16
/** Attempts after the first. */
export const RETRIES = 2
/** Length of a trust period on a network whose epoch never ends. */
export const PERIOD_BLOCKS = 600

/** Last height at which a slot takes commits. */
export function commitDeadline({ openedAt }: Pick<OpenBatch, 'openedAt'>): Height {
  return asHeight(openedAt + COMMIT_BLOCKS)
}

/** Last height at which openings may be in a block; the first is the one after closing. */
export function openingDeadline(closedAt: Height): Height {
  return asHeight(closedAt + FINALITY_LAG + OPENING_BLOCKS)
}

/** Blocks of one trust period: an epoch where there are epochs. */
export function periodBlocks({ epochBlocks }: Pick<ChainParameters, 'epochBlocks'>): number {
  return epochBlocks === 0 ? PERIOD_BLOCKS : epochBlocks
}

/** The period that a block is in; as with epochs, period 0 has genesis besides. */
export function periodOf(height: Height, parameters: Pick<ChainParameters, 'epochBlocks'>): number {
  return height === 0 ? 0 : Math.floor((height - 1) / periodBlocks(parameters))
}

/** Whether a block is the last of its period. */
export function isPeriodEnd(height: Height, parameters: Pick<ChainParameters, 'epochBlocks'>): boolean {
  return height > 0 && height % periodBlocks(parameters) === 0
}
