/** Which epoch a height belongs to (R13). Only arithmetic: who votes in an epoch is in the staking state. */
import { asEpoch, asHeight, type Epoch, type Height } from './primitives.ts'

/**
 * Epoch of the block at a height: epoch 0 is genesis and heights 1 to E, epoch 1 is E+1 to 2E, and so on.
 * @param epochBlocks E, blocks per epoch; 0 for one epoch without end
 */
export function epochOf(height: Height, epochBlocks: number): Epoch {
  if (epochBlocks === 0 || height === 0) return asEpoch(0)
  return asEpoch(Math.floor((height - 1) / epochBlocks))
}

/** Height of the last block of an epoch, whose execution decides the next set; null for an epoch without end. */
export function epochEndHeight(epoch: Epoch, epochBlocks: number): Height | null {
  return epochBlocks === 0 ? null : asHeight((epoch + 1) * epochBlocks)
}
