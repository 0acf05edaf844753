/** What a proof-of-work engine tells: for logs, metrics and the gossip's verdict. Nobody acts on chain state by it. */
import type { SealHash } from '../../types/pow.ts'
import type { Height } from '../../types/primitives.ts'
import type { SealRefusal } from './seal-rules.ts'

export type PowEvent =
  /** Its seal and its place are right; whether it is legal for the ledger is not known yet. */
  | { readonly kind: 'block-taken'; readonly sealHash: SealHash; readonly height: Height }
  /** Kept until its ancestors are here. */
  | { readonly kind: 'block-waits'; readonly sealHash: SealHash; readonly missing: SealHash }
  /** Known, below what is settled, too early by our clock, of an epoch that BFT is not in, or there is no room: no fault of the sender. */
  | {
      readonly kind: 'block-ignored'
      readonly sealHash: SealHash
      readonly reason: 'known' | 'settled' | 'future' | 'next-epoch' | 'no-room'
    }
  /** Whoever made it broke a rule. */
  | {
      readonly kind: 'block-refused'
      readonly sealHash: SealHash
      readonly code: SealRefusal | 'ledger' | 'invalid-parent'
      readonly detail: string
    }
  | {
      readonly kind: 'tip-changed'
      readonly sealHash: SealHash
      readonly height: Height
      readonly work: bigint
      readonly rolledBack: number
      readonly applied: number
    }
  /** A heavier chain may exist that forks below what is settled here: it will not be followed. A human is needed. */
  | { readonly kind: 'fork-too-deep'; readonly sealHash: SealHash; readonly settledHeight: Height }
  /** BFT made a block final: so many mined blocks on the old one are void. */
  | { readonly kind: 'provisional-dropped'; readonly blocks: number }
