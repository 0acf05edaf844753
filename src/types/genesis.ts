/** Whatever must be equal on all nodes from the start. Its hash is the network's identity. */
import type { ConsensusChoice } from './pow.ts'
import type { AccountId, UnixMs } from './primitives.ts'
import type { ShieldedGenesis } from './shielded.ts'
import type { CertificateType } from './validation-request.ts'
import type { Validator } from './validator-set.ts'

/** Rules of the chain, in milliseconds and bytes. */
export interface ChainParameters {
  /** Without work, a block at least this often. 0: blocks back to back. */
  readonly heartbeatMs: number
  /** Bounds of the view timer (R15). */
  readonly viewTimeoutMinMs: number
  readonly viewTimeoutMaxMs: number
  /** Timer of a view whose leader we have no connection to. */
  readonly unreachableLeaderTimeoutMs: number
  /** A voter refuses a block whose time is this far ahead of its own clock. */
  readonly clockSkewMaxMs: number
  /** Canonical bytes of a block. */
  readonly blockBytesMax: number
  readonly blockTransactionsMax: number
  /**
   * Commit votes are sent for the first block of every interval of this length, by block time (R7). A chain that
   * is slower than this has every block's state certified; 0 certifies every block at any speed.
   */
  readonly certificateIntervalMs: number
  /** Blocks per epoch: the validator set changes at its end. 0: one epoch without end, the set never changes. */
  readonly epochBlocks: number
  /** Evidence expires when both have passed since the end of the epoch it is about. */
  readonly evidenceWindowBlocks: number
  readonly evidenceWindowMs: number
  /** Withdrawn stake is free when both have passed since the end of its epoch. Each above its evidence window. */
  readonly unbondingBlocks: number
  readonly unbondingMs: number
  /** The least stake with which an account is in the validator set; above 0. */
  readonly minimumValidatorStake: bigint
}

/** How far a request's claims are backed, each level with the ones before it (src/ledger/README.md). */
export const ASSURANCE_LEVELS = ['declared', 'registered', 'attested'] as const
export type AssuranceLevel = (typeof ASSURANCE_LEVELS)[number]

/** The level of one operation of four-proof sets. */
export interface OperationLevel {
  /** As requests name it. */
  readonly operation: string
  readonly level: AssuranceLevel
}

/** An authority level, and the stake that an operator has bonded at least to hold it. */
export interface AuthorityStep {
  readonly level: bigint
  readonly bondedStake: bigint
}

/** What the network asks for beyond what a request declares. */
export interface AssurancePolicy {
  /** The least level accepted, by the type of the certificate. */
  readonly certificates: Readonly<Record<CertificateType, AssuranceLevel>>
  /** The same by operation, in ascending order of their names, all different. */
  readonly operations: readonly OperationLevel[]
  /** Of every operation that is not listed. */
  readonly otherOperations: AssuranceLevel
  /** Blocks that an anchor is old at most; 1 to 256. */
  readonly anchorAgeBlocksMax: number
  /** Leading zero bits of the work of an attestation; 0 to 64. */
  readonly minimumWorkBits: number
  /** Ascending in both; what is below the first step has no authority. */
  readonly authority: readonly AuthorityStep[]
}

/** The network's floor for requests (spec/four-proofs.md). The stricter of this and the caller's wins. */
export interface ValidationPolicy {
  readonly minimumStake: bigint
  readonly maxTimeOffsetMs: number
  readonly minimumStorage: bigint
  readonly maximumStorage: bigint
  readonly minimumCompute: bigint
  readonly maximumCompute: bigint
  /** Absent, as in documents from before there were levels: everything is accepted as declared. */
  readonly assurance?: AssurancePolicy
}

/** An account with a balance at the start. */
export interface GenesisAccount {
  readonly id: AccountId
  /** Free, beside the stake of a validator of the same id. */
  readonly balance: bigint
}

export interface Genesis {
  /** Human name, e.g. `dev`; part of the hash. */
  readonly network: string
  readonly time: UnixMs
  readonly parameters: ChainParameters
  readonly policy: ValidationPolicy
  /** Each has an account of its id, with its stake bonded. */
  readonly validators: readonly Validator[]
  /** Ids in ascending order, all different. */
  readonly accounts: readonly GenesisAccount[]
  /** Notes and rewards; absent: none. */
  readonly shielded?: ShieldedGenesis
  /** Who orders the blocks; absent: BFT without a fallback. */
  readonly consensus?: ConsensusChoice
}
