/**
 * Everything a proof-of-work engine can ask for. There is nothing here to sign and nothing to put into a safety
 * record: mining cannot touch what BFT has promised, because it has no word for it.
 */
import type { HashedBlock } from '../../types/block.ts'
import type { SealedBlock, SealHash } from '../../types/pow.ts'
import type { UnixMs } from '../../types/primitives.ts'
import type { Mark } from './retarget.ts'

/** One running timer each; setting it again replaces it. */
export type PowTimerName = 'template' | 'fetch'

/** What a chain that has been settled goes on from. */
export interface Settled {
  readonly sealHash: SealHash
  /** Work of the whole chain up to and including the block. */
  readonly work: bigint
  /** The last blocks up to and including it, oldest first. */
  readonly trail: readonly Mark[]
}

export type PowEffect =
  /** Execute on the parent's branch and compare with the header. The parent has been checked before. */
  | { readonly kind: 'check-block'; readonly sealed: SealedBlock; readonly parent: HashedBlock }
  /** Build a block on the parent and look for a nonce; whatever was being mined is given up. */
  | {
      readonly kind: 'mine'
      readonly parent: { readonly sealHash: SealHash; readonly block: HashedBlock }
      readonly bits: number
      /** The block's time is at least this. */
      readonly timestampMin: UnixMs
    }
  | { readonly kind: 'stop-mining' }
  /** A block of ours, to all peers. */
  | { readonly kind: 'announce'; readonly sealed: SealedBlock }
  /** One sealed block by its seal; `from` is who should have it. */
  | { readonly kind: 'fetch'; readonly sealHash: SealHash; readonly from: string | null }
  | { readonly kind: 'set-timer'; readonly timer: PowTimerName; readonly delayMs: number }
  | { readonly kind: 'cancel-timer'; readonly timer: PowTimerName }
  /**
   * The heaviest chain is another one now: undo these, newest first, then apply those, oldest first. Each
   * applied block has been checked. Its transactions are ordered, and not final.
   */
  | {
      readonly kind: 'switch'
      readonly rollback: readonly SealedBlock[]
      readonly apply: readonly SealedBlock[]
    }
  /** Deep enough: write these, oldest first, with what the chain goes on from. They are not final either. */
  | { readonly kind: 'settle'; readonly blocks: readonly SealedBlock[]; readonly settled: Settled }
  /** These will not be asked about again: their branches can be dropped. */
  | { readonly kind: 'forget'; readonly blocks: readonly SealedBlock[] }
