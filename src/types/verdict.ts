/** The verdict on one request, as every validator reached it and the ledger keeps it. */
import type { Height, Hex32, RequestKey, UnixMs } from './primitives.ts'

/** The four proofs by the names of the wire. */
export type ProofName = 'space' | 'stake' | 'work' | 'time'
export const PROOF_NAMES: readonly ProofName[] = ['space', 'stake', 'work', 'time']

/** What one rule said against a request: where, and in words with the value seen and the value required. */
export interface RuleFailure {
  /** `request` is for rules about the request as a whole. */
  readonly subject: ProofName | 'request'
  readonly reason: string
}

/** Kept on the ledger under the request key; a leaf of the state's verdict list. */
export interface VerdictRecord {
  readonly requestKey: RequestKey
  /** SHA-256 of the request id under its domain tag; for four-proof sets, of the request key's hex. */
  readonly requestIdHash: Hex32
  readonly kind: 'validate-certificate' | 'validate-proofs'
  readonly height: Height
  /** Time of the block that holds the request: what the rules were judged against. */
  readonly blockTime: UnixMs
  /** Valid exactly when no rule failed. */
  readonly failures: readonly RuleFailure[]
  /** SHA-256 of the bincode form of the proofs (spec/stoq.md 4.1), valid or not. */
  readonly proofHash: Hex32
  /** Of Valid four-proof sets and attested certificate requests: whose sequence advanced, and to what. */
  readonly sequence: { readonly nodeIdHash: Hex32; readonly number: bigint } | null
}
