/** What execution hands on: a block, what it adds to the state, and the state's root after it. */
import type { BlockHeader, HashedBlock } from '../types/block.ts'
import type { StateChanges } from '../types/ledger-state.ts'
import type { BlockHash, StateRoot } from '../types/primitives.ts'
import type { StateReader } from './state-reader.ts'

export interface ExecutedBlock {
  readonly block: HashedBlock
  readonly changes: StateChanges
  /** After the block. */
  readonly stateRoot: StateRoot
}

/** The block that another one builds on, with the state after it. */
export interface ParentBlock {
  readonly hash: BlockHash
  readonly header: BlockHeader
  /** After the parent. */
  readonly stateRoot: StateRoot
  readonly state: StateReader
}
