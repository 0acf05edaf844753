/**
 * What TrustChain asks: the fields of its wire types (spec/stoq.md 3.2) as values. Every u64 is a bigint,
 * every SystemTime and Duration keeps its nanoseconds: nothing is rounded on the way to the verdict.
 */

/** Rust `SystemTime` or `Duration`: whole seconds (u64) and nanoseconds (u32, possibly ≥ 10⁹). */
export interface SecondsNanos {
  readonly secs: bigint
  readonly nanos: number
}

/** WHO. */
export interface StakeProof {
  readonly stakeHolder: string
  readonly stakeHolderId: string
  readonly stakeAmount: bigint
  readonly stakeTimestamp: SecondsNanos
}

/** WHEN. `proofHash` is whatever length the caller sent; the rules want 32 bytes. */
export interface TimeProof {
  readonly networkTimeOffset: SecondsNanos
  readonly timeVerificationTimestamp: SecondsNanos
  readonly nonce: bigint
  readonly proofHash: Uint8Array
}

/** WHERE. Sizes in bytes. */
export interface SpaceProof {
  readonly nodeId: string
  readonly storagePath: string
  readonly totalSize: bigint
  readonly totalStorage: bigint
  readonly fileHash: string
  readonly proofTimestamp: SecondsNanos
}

/** Order is the wire's variant index. */
export const WORKLOAD_TYPES = [
  'Certificate',
  'CertificateTransparency',
  'DnsResolution',
  'Compute',
  'Network',
  'Storage',
] as const
export type WorkloadType = (typeof WORKLOAD_TYPES)[number]

/** Order is the wire's variant index. */
export const WORK_STATES = ['Pending', 'Running', 'Completed', 'Failed'] as const
export type WorkState = (typeof WORK_STATES)[number]

/** WHAT and HOW. */
export interface WorkProof {
  readonly ownerId: string
  readonly workloadId: string
  readonly pid: bigint
  readonly computationalPower: bigint
  readonly workloadType: WorkloadType
  readonly workState: WorkState
  readonly workChallenges: readonly string[]
  readonly proofTimestamp: SecondsNanos
}

/** The four proofs, in the order of the wire (it is also the order of the hash). */
export interface ConsensusProof {
  readonly stakeProof: StakeProof
  readonly timeProof: TimeProof
  readonly spaceProof: SpaceProof
  readonly workProof: WorkProof
}

export interface CertificateRequest {
  readonly commonName: string
  readonly sanEntries: readonly string[]
  readonly nodeId: string
  /** As the caller wrote them; the outer rules parse them. */
  readonly ipv6Addresses: readonly string[]
  readonly consensusProof: ConsensusProof
  readonly timestamp: SecondsNanos
}

/** The caller's floors; the policy's apply as well, the stricter one wins. */
export interface ConsensusRequirements {
  readonly minimumStake: bigint
  readonly maxTimeOffset: SecondsNanos
  readonly minimumStorage: bigint
  readonly minimumCompute: bigint
  readonly byzantineTolerance: number
}

/** Order is the wire's variant index. */
export const CERTIFICATE_TYPES = ['TLS', 'CodeSigning', 'ClientAuth', 'RootCA', 'IntermediateCA'] as const
export type CertificateType = (typeof CERTIFICATE_TYPES)[number]

export interface ValidationContext {
  readonly caId: string
  readonly networkId: string
  readonly certificateType: CertificateType
  /** Sorted by key (by code unit), keys distinct: a map has no order, canonical bytes need one. */
  readonly metadata: readonly (readonly [key: string, value: string])[]
}

/** `consensus/validate_certificate`. */
export interface CertificateValidationRequest {
  readonly certificateRequest: CertificateRequest
  readonly consensusRequirements: ConsensusRequirements
  readonly requestId: string
  readonly timestamp: SecondsNanos
  readonly validationContext: ValidationContext
}

/** `FourProofSet`, in the order of the wire. */
export interface FourProofSet {
  readonly spaceProof: {
    readonly storageCommitment: bigint
    readonly networkPosition: string
    readonly allocationProof: Uint8Array
  }
  readonly stakeProof: {
    readonly stakeAmount: bigint
    readonly authorityLevel: bigint
    readonly accessPermissions: readonly string[]
  }
  readonly workProof: {
    readonly computationalProof: Uint8Array
    readonly difficultyTarget: number
    readonly operationSignature: string
  }
  readonly timeProof: {
    /** Seconds since the Unix epoch. */
    readonly blockTimestamp: bigint
    readonly sequenceNumber: bigint
    readonly temporalProof: Uint8Array
  }
}

/** `consensus/validate_proofs`. It has no request id: its request key stands in for one. */
export interface FourProofValidationRequest {
  readonly proofSet: FourProofSet
  readonly operation: string
  readonly assetId: string
  readonly nodeId: string
  readonly timestamp: SecondsNanos
}
