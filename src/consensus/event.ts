/** What happened, for one listener to log and count. Nothing in the core depends on who listens. */
import type { QuorumCertificate } from '../types/certificates.ts'
import type { BlockHash, Epoch, Height, StateRoot, ValidatorIndex, View } from '../types/primitives.ts'

export type ProposalRefusal =
  | 'not-the-leader'
  | 'malformed-justify'
  | 'wrong-epoch'
  | 'lock-clause'
  | 'invalid-payload'
  | 'time-ahead'
  | 'equivocation'

export type ConsensusEvent =
  | {
      readonly kind: 'view-entered'
      readonly view: View
      readonly leader: ValidatorIndex
      readonly by: 'start' | 'quorum-certificate' | 'timeout-certificate' | 'amplification'
      /** Time spent in the view before, milliseconds. */
      readonly previousViewMs: number
    }
  | { readonly kind: 'proposed'; readonly view: View; readonly height: Height; readonly transactions: number }
  | {
      readonly kind: 'proposal-accepted'
      readonly view: View
      readonly height: Height
      readonly blockHash: BlockHash
      readonly proposer: ValidatorIndex
    }
  | {
      readonly kind: 'proposal-refused'
      readonly view: View
      readonly from: ValidatorIndex
      readonly reason: ProposalRefusal
      readonly detail: string
    }
  | {
      readonly kind: 'voted'
      readonly phase: 'prepare' | 'pre-commit' | 'commit'
      readonly view: View
      readonly height: Height
    }
  | {
      readonly kind: 'certificate-formed'
      readonly phase: QuorumCertificate['kind']
      readonly view: View
      readonly height: Height
      readonly voters: readonly ValidatorIndex[]
    }
  | {
      readonly kind: 'block-final'
      readonly height: Height
      readonly view: View
      readonly blockHash: BlockHash
      readonly proposer: ValidatorIndex
      readonly transactions: number
      readonly voters: readonly ValidatorIndex[]
    }
  | { readonly kind: 'state-certified'; readonly height: Height; readonly stateRoot: StateRoot }
  | {
      readonly kind: 'view-timed-out'
      readonly view: View
      readonly leader: ValidatorIndex
      readonly isLeaderReachable: boolean
    }
  /** R13: the epoch's last block is final. */
  | {
      readonly kind: 'epoch-over'
      readonly epoch: Epoch
      readonly height: Height
      readonly blockHash: BlockHash
    }
  | { readonly kind: 'timeout-certificate-formed'; readonly view: View }
  | {
      readonly kind: 'equivocation-seen'
      readonly validator: ValidatorIndex
      readonly phase: 'prepare' | 'pre-commit' | 'commit'
      readonly position: View | Height
    }
  | {
      readonly kind: 'message-ignored'
      readonly from: ValidatorIndex
      readonly message: string
      readonly reason: string
    }
