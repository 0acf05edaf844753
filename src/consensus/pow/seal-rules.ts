/**
 * What makes a sealed block legal before anything of it is executed: its form, its work, its target and its
 * time. The ledger judges the rest, by the same rules as under BFT.
 */
import type { BlockHeader } from '../../types/block.ts'
import { hashAsNumber, targetOfBits } from '../../types/compact-target.ts'
import { epochOf } from '../../types/epochs.ts'
import { type Refusal, refuse } from '../../types/errors.ts'
import type { MiningParameters, SealedBlock, SealHash } from '../../types/pow.ts'
import {
  asValidatorIndex,
  asView,
  type BlockHash,
  type Height,
  nextHeight,
  type UnixMs,
} from '../../types/primitives.ts'
import { knownTarget, type Mark, medianTimePast, nextBits } from './retarget.ts'

export type SealRefusal =
  | 'form'
  | 'epoch'
  | 'bits'
  | 'limit'
  | 'work'
  | 'height'
  | 'parent-hash'
  | 'target'
  | 'median-time'
  | 'future'

/**
 * The fields of a mined block that are consensus's: no view, no certificate, no name; its parent by its seal. Its
 * epoch is that of its height: what is mined needs no fillers, for an epoch's last block is never made final by them.
 */
export function minedFields(
  parent: { readonly sealHash: SealHash; readonly height: Height },
  epochBlocks: number,
): Pick<BlockHeader, 'epoch' | 'view' | 'justify' | 'proposer'> {
  const justify = { view: asView(0), blockHash: parent.sealHash as string as BlockHash }
  const epoch = epochOf(nextHeight(parent.height), epochBlocks)
  return { epoch, view: asView(0), justify, proposer: asValidatorIndex(0) }
}

/** The seal that a mined block builds on. */
export function parentSealOf({ block }: SealedBlock): SealHash {
  return block.header.justify.blockHash as string as SealHash
}

/**
 * P1: what can be said of a sealed block without knowing its parent. Views begin at 1 under BFT, so no mined
 * block passes for a proposal, nor a proposal for one. A filler (R13) is of the epoch before that of its height: none is
 * mined.
 */
export function checkAlone(
  { block, seal, sealHash }: SealedBlock,
  mining: MiningParameters,
  epochBlocks: number,
): Refusal<SealRefusal> | null {
  const { epoch, view, justify, proposer, height } = block.header
  if (view !== 0 || justify.view !== 0 || proposer !== 0 || height === 0) {
    return refuse(
      'form',
      `view ${view}, justify view ${justify.view}, proposer ${proposer}, height ${height}`,
    )
  }
  const due = epochOf(height, epochBlocks)
  if (epoch !== due) return refuse('epoch', `epoch ${epoch} at height ${height}, which is of epoch ${due}`)
  const target = targetOfBits(seal.bits)
  if (!target.ok) return refuse('bits', target.detail)
  if (target.value > knownTarget(mining.limitBits)) {
    return refuse('limit', `bits ${seal.bits} are easier than the network's limit ${mining.limitBits}`)
  }
  if (hashAsNumber(sealHash) > target.value) {
    return refuse('work', `the hash ${sealHash} is above the target of bits ${seal.bits}`)
  }
  return null
}

export interface ParentFacts {
  readonly hash: BlockHash
  readonly height: Height
  /** Up to and including the parent. */
  readonly trail: readonly Mark[]
}

/**
 * P2: what follows from the blocks before it, and from the clock. `future` is no fault for ever: the same block
 * is legal later.
 * @param latest latest timestamp that is taken now
 */
export function checkOnParent(
  { block, seal }: SealedBlock,
  parent: ParentFacts,
  mining: MiningParameters,
  latest: UnixMs,
): Refusal<SealRefusal> | null {
  const { header } = block
  if (header.parentHash !== parent.hash) {
    return refuse('parent-hash', `the header says ${header.parentHash}, the sealed parent is ${parent.hash}`)
  }
  if (header.height !== parent.height + 1) {
    return refuse('height', `height ${header.height} on a parent of height ${parent.height}`)
  }
  const bits = nextBits(parent.trail, mining)
  if (seal.bits !== bits) return refuse('target', `bits ${seal.bits}, the blocks before make it ${bits}`)
  const median = medianTimePast(parent.trail)
  if (header.timestamp <= median) {
    return refuse('median-time', `${header.timestamp} is not above the median ${median} of the blocks before`)
  }
  if (header.timestamp > latest) return refuse('future', `${header.timestamp} is ahead of ${latest}`)
  return null
}
