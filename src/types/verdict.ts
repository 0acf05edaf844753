/** The verdict on one request, as every validator reached it and the ledger keeps it. */
import type { Findings } from './ballots.ts'
import type { Height, Hex32, RequestKey, UnixMs } from './primitives.ts'

/** The four proofs by the names of the wire. */
export type ProofName = 'space' | 'stake' | 'work' | 'time'
export const PROOF_NAMES: readonly ProofName[] = ['space', 'stake', 'work', 'time']

/** What one rule said against a request: where, and in words with the value seen and the value required. */
export interface RuleFailure {
  /** `request` is for rules about the request as a whole, `requester` for whether the ledger bars whoever asks. */
  readonly subject: ProofName | 'request' | 'requester'
  readonly reason: string
}

/** How a request ended. `expired`: no attempt found a quorum for all of it. */
export type VerdictStatus = 'valid' | 'invalid' | 'expired'

/** What a verdict can be on: a request of either kind, or a critical operation. */
export const VERDICT_KINDS = ['validate-certificate', 'validate-proofs', 'operation'] as const

/** Kept on the ledger under the request key; a leaf of the state's verdict list. */
export interface VerdictRecord {
  readonly requestKey: RequestKey
  /** SHA-256 of the request id under its domain tag; for four-proof sets and operations, of the request key's hex. */
  readonly requestIdHash: Hex32
  readonly kind: (typeof VERDICT_KINDS)[number]
  readonly height: Height
  /** Time of the block at `height`, which holds the request: what the rules were judged against. */
  readonly blockTime: UnixMs
  /** Height of the block after whose ballots the verdict stood. */
  readonly decidedAt: Height
  readonly status: VerdictStatus
  /** What a quorum found, component by component; a component without a quorum is 0. */
  readonly findings: Findings
  /** The attempt that gave the verdict. */
  readonly round: number
  /** Validators whose opened findings are those of the verdict, of those that weigh, and their stake. */
  readonly agreeing: { readonly validators: number; readonly stake: bigint }
  /** Validators whose opened findings are others. */
  readonly dissenting: number
  /** Stake of all that could weigh: what a quorum is counted of. */
  readonly eligibleStake: bigint
  /** SHA-256 of the bincode form of the proofs (spec/stoq.md 4.1), valid or not; of an operation, the hash of its content. */
  readonly proofHash: Hex32
  /** Of Valid four-proof sets and attested certificate requests: whose sequence advanced, and to what. */
  readonly sequence: { readonly nodeIdHash: Hex32; readonly number: bigint } | null
}

/** What this node's own rules found about a request, at the block that holds it. Local: not part of the state. */
export interface Judgement {
  readonly requestKey: RequestKey
  readonly requestIdHash: Hex32
  readonly failures: readonly RuleFailure[]
}
