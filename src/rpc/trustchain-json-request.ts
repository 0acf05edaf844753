/**
 * The requests of TrustChain's Rust client as JSON (spec/stoq.md 3.2), field for field in its order. Bounds are
 * those of the canonical bytes: whatever is read here can go on the chain. Judges nothing.
 */
import {
  METADATA_ENTRIES_MAX,
  METADATA_VALUE_BYTES_MAX,
  PROOF_BYTES_MAX,
  TEXT_BYTES_MAX,
  TEXT_LIST_MAX,
} from '../codec/limits.ts'
import {
  CERTIFICATE_TYPES,
  type CertificateRequest,
  type CertificateValidationRequest,
  type ConsensusProof,
  type ConsensusRequirements,
  type FourProofSet,
  type FourProofValidationRequest,
  type SecondsNanos,
  type SpaceProof,
  type StakeProof,
  type TimeProof,
  type ValidationContext,
  WORK_STATES,
  WORKLOAD_TYPES,
  type WorkProof,
} from '../types/validation-request.ts'
import {
  bytesUpTo,
  float,
  listOf,
  oneOf,
  type Shape,
  struct,
  text,
  textMap,
  u64,
  uint,
} from './json-shape.ts'

const line = text(TEXT_BYTES_MAX)
const lines = listOf(line, TEXT_LIST_MAX)
const proofBytes = bytesUpTo(PROOF_BYTES_MAX)

const NANOS_PER_SECOND = 1_000_000_000
const I64_MAX = 2n ** 63n - 1n
const U64_MAX = 2n ** 64n - 1n

/** serde adds nanoseconds beyond a second to the seconds, and refuses a sum that does not fit. */
function overflows({ secs, nanos }: SecondsNanos, max: bigint): boolean {
  return secs > max - BigInt(Math.floor(nanos / NANOS_PER_SECOND))
}

/** Rust `SystemTime`, since the Unix epoch. */
export const systemTime: Shape<SecondsNanos> = struct<SecondsNanos>(
  { secs: u64, nanos: uint(32) },
  {
    names: { secs: 'secs_since_epoch', nanos: 'nanos_since_epoch' },
    refuseUnknown: true,
    check: (time) => (overflows(time, I64_MAX) ? 'overflow deserializing SystemTime' : null),
  },
)

/** Rust `Duration`. */
export const duration: Shape<SecondsNanos> = struct<SecondsNanos>(
  { secs: u64, nanos: uint(32) },
  {
    refuseUnknown: true,
    check: (time) => (overflows(time, U64_MAX) ? 'overflow deserializing Duration' : null),
  },
)

const consensusProof = struct<ConsensusProof>({
  stakeProof: struct<StakeProof>({
    stakeHolder: line,
    stakeHolderId: line,
    stakeAmount: u64,
    stakeTimestamp: systemTime,
  }),
  timeProof: struct<TimeProof>({
    networkTimeOffset: duration,
    timeVerificationTimestamp: systemTime,
    nonce: u64,
    // No array on the wire: whatever length the caller sent, the rules want 32.
    proofHash: bytesUpTo(TEXT_BYTES_MAX),
  }),
  spaceProof: struct<SpaceProof>({
    nodeId: line,
    storagePath: line,
    totalSize: u64,
    totalStorage: u64,
    fileHash: line,
    proofTimestamp: systemTime,
  }),
  workProof: struct<WorkProof>({
    ownerId: line,
    workloadId: line,
    pid: u64,
    computationalPower: u64,
    workloadType: oneOf(WORKLOAD_TYPES),
    workState: oneOf(WORK_STATES),
    workChallenges: lines,
    proofTimestamp: systemTime,
  }),
})

/** `ConsensusValidationRequest`, the payload of `consensus/validate_certificate`. */
export const certificateValidationRequest: Shape<CertificateValidationRequest> =
  struct<CertificateValidationRequest>({
    certificateRequest: struct<CertificateRequest>({
      commonName: line,
      sanEntries: lines,
      nodeId: line,
      ipv6Addresses: lines,
      consensusProof,
      timestamp: systemTime,
    }),
    consensusRequirements: struct<ConsensusRequirements>({
      minimumStake: u64,
      maxTimeOffset: duration,
      minimumStorage: u64,
      minimumCompute: u64,
      byzantineTolerance: float,
    }),
    requestId: line,
    timestamp: systemTime,
    validationContext: struct<ValidationContext>({
      caId: line,
      networkId: line,
      certificateType: oneOf(CERTIFICATE_TYPES),
      metadata: textMap(line, text(METADATA_VALUE_BYTES_MAX), METADATA_ENTRIES_MAX),
    }),
  })

/** `FourProofValidationRequest`, the payload of `consensus/validate_proofs`. */
export const fourProofValidationRequest: Shape<FourProofValidationRequest> =
  struct<FourProofValidationRequest>({
    proofSet: struct<FourProofSet>({
      spaceProof: struct<FourProofSet['spaceProof']>({
        storageCommitment: u64,
        networkPosition: line,
        allocationProof: proofBytes,
      }),
      stakeProof: struct<FourProofSet['stakeProof']>({
        stakeAmount: u64,
        authorityLevel: u64,
        accessPermissions: lines,
      }),
      workProof: struct<FourProofSet['workProof']>({
        computationalProof: proofBytes,
        difficultyTarget: uint(32),
        operationSignature: line,
      }),
      timeProof: struct<FourProofSet['timeProof']>({
        blockTimestamp: u64,
        sequenceNumber: u64,
        temporalProof: proofBytes,
      }),
    }),
    operation: line,
    assetId: line,
    nodeId: line,
    timestamp: systemTime,
  })

/** `StatusRequest`, the payload of `consensus/validation_status`. */
export const statusRequest: Shape<{ readonly requestId: string }> = struct<{ readonly requestId: string }>({
  requestId: line,
})
