/**
 * How long an offence can be punished: until both windows, in blocks and in time, have passed since the end of the
 * epoch it was committed in. Withdrawn stake waits longer than that, so whoever may be punished has it still here.
 */
import { epochEndHeight } from '../../types/epochs.ts'
import type { ChainParameters } from '../../types/genesis.ts'
import type { Epoch, Height, UnixMs } from '../../types/primitives.ts'
import type { StakingState } from '../../types/staking.ts'

/** A place on the chain. */
export interface ChainMoment {
  readonly height: Height
  /** Of the block. */
  readonly time: UnixMs
}

/** Whether both windows have passed since a moment. */
export function isWindowOver(since: ChainMoment, now: ChainMoment, parameters: ChainParameters): boolean {
  return (
    now.height - since.height > parameters.evidenceWindowBlocks &&
    now.time - since.time > parameters.evidenceWindowMs
  )
}

/**
 * Whether evidence about an epoch counts no more. An epoch that goes on never expires; one whose end is forgotten
 * did, because an end is kept while its windows are open.
 */
export function isEpochExpired(
  epoch: Epoch,
  state: Pick<StakingState, 'epoch' | 'epochEnds'>,
  now: ChainMoment,
  parameters: ChainParameters,
): boolean {
  if (epoch >= state.epoch) return false
  const end = state.epochEnds.find((candidate) => candidate.epoch === epoch)
  const height = epochEndHeight(epoch, parameters.epochBlocks)
  if (end === undefined || height === null) return true
  return isWindowOver({ height, time: end.time }, now, parameters)
}
