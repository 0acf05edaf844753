/** Everything that can happen to a proof-of-work engine. Answers to its effects come back as inputs. */
import type { HashedBlock } from '../../types/block.ts'
import type { SealedBlock, SealHash } from '../../types/pow.ts'
import type { PowTimerName } from './effect.ts'

export type PowInput =
  /** First input, once. Blocks that were kept on disk, oldest first, come after it as `block-received`. */
  | { readonly kind: 'started' }
  /** From a peer, from disk, or asked for. `from` is who to ask for its ancestors; null when nobody in particular. */
  | { readonly kind: 'block-received'; readonly sealed: SealedBlock; readonly from: string | null }
  /** Answer to `mine`: a nonce was found. */
  | { readonly kind: 'mined'; readonly sealed: SealedBlock }
  /** Answer to `check-block`: executed on its branch, or the rule it breaks. */
  | {
      readonly kind: 'block-checked'
      readonly sealHash: SealHash
      readonly outcome: { readonly ok: true } | { readonly ok: false; readonly code: string }
    }
  | { readonly kind: 'timer-expired'; readonly timer: PowTimerName }
  /** Mine from now on, or no longer. Blocks of others are taken in either way. */
  | { readonly kind: 'mining-wanted'; readonly isWanted: boolean }
  /** Fallback only: BFT made a block final. The mined chain begins anew on it. */
  | { readonly kind: 'final-moved'; readonly block: HashedBlock }
