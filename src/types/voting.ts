/**
 * Requests that wait for their verdict, and how far each validator is trusted to take part in one. Values: nothing
 * here is changed in place. The rules are in ledger/verdicts.
 */
import type { BallotSlot, Findings } from './ballots.ts'
import type { OperationsState } from './operations.ts'
import type {
  AccountId,
  BlockHash,
  Epoch,
  Height,
  Hex32,
  Nullifier,
  RequestKey,
  UnixMs,
  ValidatorId,
} from './primitives.ts'
import type { VerdictRecord } from './verdict.ts'

/** Proven pairs of commits that are kept of one validator: full trust has come to nothing by then. */
export const COMMIT_PAIRS_MAX = 16

/** Parts per million: full trust. */
export const TRUST_MAX = 1_000_000

/**
 * `active`: its verdicts weigh. `probation`: it must take part, at no weight. `excluded`: it does not take part.
 * A punished account is none of these: the staking state says so, and it never comes back.
 */
export const TRUST_STATUSES = ['active', 'probation', 'excluded'] as const
export type TrustStatus = (typeof TRUST_STATUSES)[number]

/** What is known of one validator. Counters are of the period that goes on. */
export interface ValidatorTrust {
  readonly account: AccountId
  readonly ppm: number
  readonly status: TrustStatus
  /** How often it was excluded. */
  readonly exclusions: number
  /** The first period in which it may come back; 0 while it is not excluded. */
  readonly untilPeriod: number
  /** Clean periods in a row. */
  readonly cleanStreak: number
  /** Slots that it could take part in. */
  readonly opportunities: number
  readonly agreed: number
  readonly dissented: number
  readonly withheld: number
  readonly absent: number
  /** Height of the last block that holds a ballot of it; 0 for none. */
  readonly lastSeen: Height
  /** Height at which it last lost trust for not opening; 0 for never. */
  readonly withheldAt: Height
  /** Slots in which it was proven to have committed twice, within the evidence window; {@link COMMIT_PAIRS_MAX} at most. */
  readonly commitPairs: readonly BallotSlot[]
}

/** One change of trust in a validator, or of its standing, by a final block. */
export interface TrustChange {
  readonly height: Height
  /** In which the block is. */
  readonly period: number
  /** Trust before it, and after. */
  readonly from: number
  readonly ppm: number
  /** After it. */
  readonly status: TrustStatus
  /** Of the period so far; at its end, of all of it. */
  readonly slots: number
  readonly agreed: number
  readonly dissented: number
  readonly withheld: number
  readonly absent: number
}

/** One who can take part in the slots of a period. */
export interface Elector {
  readonly id: ValidatorId
  readonly account: AccountId
  readonly stake: bigint
  /** Whether its findings weigh; one in probation takes part without. */
  readonly weighs: boolean
}

/** Those who can take part, fixed for a period. */
export interface Electors {
  readonly period: number
  /** Of the whole set in that period, with those who are excluded. */
  readonly stake: bigint
  readonly members: readonly Elector[]
}

/** What one request spends at most: the nonce of its time proof, and one for each nonce of its work. */
export const REQUEST_NULLIFIERS_MAX = 4

/** A request without a verdict. */
export interface OpenRequest {
  readonly requestKey: RequestKey
  readonly requestIdHash: Hex32
  readonly kind: VerdictRecord['kind']
  readonly proofHash: Hex32
  /**
   * Spent when the verdict is Valid; nobody else's until then. 1 to {@link REQUEST_NULLIFIERS_MAX}, all different; none of
   * an operation.
   */
  readonly nullifiers: readonly Nullifier[]
  readonly sequence: VerdictRecord['sequence']
}

/** What one elector has said in a slot. */
export interface CastBallot {
  /** Position among the electors. */
  readonly elector: number
  readonly commit: Hex32
  /** Null until it is opened. `isLeak`: before it was time; then it does not count. */
  readonly opening: {
    readonly rules: number
    readonly findings: readonly Findings[]
    readonly isLeak: boolean
  } | null
}

/** The requests of one block, while a verdict on any of them is open or ballots on them are still to be accounted. */
export interface OpenBatch {
  /** Of the block that holds the requests. */
  readonly height: Height
  /** Null only in the state right after that block, which cannot hold its own hash. */
  readonly blockHash: BlockHash | null
  readonly blockTime: UnixMs
  readonly epoch: Epoch
  readonly round: number
  /** Height at which this round began: commits are due in the blocks after it. */
  readonly openedAt: Height
  /** Period of its electors. */
  readonly period: number
  readonly requests: readonly OpenRequest[]
  /** Same order as `requests`; null while there is no verdict. */
  readonly outcomes: readonly (Findings | null)[]
  /** In order of elector. */
  readonly ballots: readonly CastBallot[]
  /** Height of the block with which no more commits are taken; null before. */
  readonly closedAt: Height | null
}

/** The state of verdicts, trust and operations. */
export interface VerdictVoting {
  /** Of the period that goes on, in an epoch without end of the one before, and of those that open batches name; oldest first. */
  readonly electors: readonly Electors[]
  /** Oldest first. */
  readonly batches: readonly OpenBatch[]
  readonly trust: ReadonlyMap<AccountId, ValidatorTrust>
  readonly operations: OperationsState
}
